# SPDX-License-Identifier: Apache-2.0
"""A desk that orders annotated copies of a licence that was really issued and sealed."""

from license_house import House
from license_library import BUSINESS, CLIENT, FOOD, GROUNDS, MANAGER, on_case
from sqlalchemy import select

from cases.models import Case
from licenses.copies.models import LicenseCopy
from licenses.models import LicenseUsage
from storage.identity import PUBLIC, Identity


class Desk:
    """A house with a sealed business licence and an open case of its holder."""

    def __init__(self, house: House) -> None:
        self.house, self.database = house, house.library.database
        house.register()
        self.licence = house.issue(BUSINESS)
        self.case: Case = house.library.announce(FOOD)

    def asks(self, who: Identity = CLIENT, purpose: str = "accept") -> Identity:
        return on_case(who, self.case, purpose)

    def order(self, who: Identity | None = None, days: int | None = None) -> str:
        with self.database.writing() as uow:
            asker = who or self.asks()
            return self.house.copies.order(uow, asker, self.licence.identifier, days).id

    def made(self, who: Identity | None = None, days: int | None = None) -> LicenseCopy:
        ordered = self.order(who, days)
        self.house.work()
        return self.copy(ordered)

    def copy(self, copy_id: str) -> LicenseCopy:
        with self.database.reading() as uow:
            return uow.session.get_one(LicenseCopy, copy_id)

    def data(self, copy: LicenseCopy) -> bytes:
        return self.house.objects.read(str(copy.object_sha256))

    def link(self, copy: LicenseCopy, who: Identity = CLIENT) -> str:
        with self.database.writing() as uow:
            return self.house.copies.link(uow, who, copy.id)[0]

    def hand_out(self, copy: LicenseCopy, secret: str) -> str:
        with self.database.writing() as uow:
            return self.house.copies.hand_out(uow, PUBLIC, copy.id, secret).sha256

    def uses(self) -> list[tuple[str, str, str | None]]:
        with self.database.reading() as uow:
            rows = uow.session.scalars(select(LicenseUsage).order_by(LicenseUsage.at, LicenseUsage.id))
            return [(row.action, row.result, row.reason) for row in rows]

    def revoke(self) -> None:
        with self.database.writing() as uow:
            self.house.library.service.revoke(uow, MANAGER, self.licence.identifier, GROUNDS)
