# SPDX-License-Identifier: Apache-2.0
"""How a stranger is reached is forgotten some time after the answer; the dispute and its answer stay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from license_library import COMPANY, FOOD, MANAGER, Library
from sqlalchemy import select

from cases.calendar import WorkingCalendar
from licenses.contacts import CONTACT_FORGET_STEP, contact_days
from licenses.disputes import Dispute, DisputeService
from licenses.models import Objection
from licenses.objections import ObjectionService
from portal.forgetting import ForgetStep, ForgetWatch
from portal.worker import Worker
from storage.clock import RandomIds
from storage.identity import PUBLIC
from storage.ledger.models import LedgerAct
from storage.secrets import ErasedError

FORGOTTEN = "objection.contact-forgotten"


class Office(Library):
    """A library whose licences strangers dispute."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.objections = ObjectionService(WorkingCalendar.load())
        self.disputes = DisputeService(self.objections, self.service, self.holders)
        self.watch = ForgetWatch(self.database)
        step = ForgetStep(CONTACT_FORGET_STEP, self.database.secrets)
        self.worker = Worker(self.database, {step.kind: step}, folder / "staging", self.clock, RandomIds())

    def disputed(self) -> tuple[str, str, bytes]:
        """Let a stranger dispute; gives its number, its key and what is kept of how they are reached."""
        license_ = self.issue(FOOD, COMPANY)
        with self.database.writing() as uow:
            dispute = Dispute("", license_.code, "face-wrong", "经营场所与现场不一致")
            row, _, key = self.disputes.open_as_stranger(uow, PUBLIC, dispute, "13900000000")
            return row.id, key, row.contact_cipher or b""

    def answer(self, number: str) -> None:
        with self.database.writing() as uow:
            self.disputes.answer(uow, MANAGER, number, "经核查，登记无误", None)

    def pass_days(self, days: int) -> None:
        self.clock.advance(days * 86400)
        self.watch.look()
        while self.worker.run_one():
            pass

    def contact(self, number: str) -> bytes | None:
        with self.database.reading() as uow:
            return uow.session.get_one(Objection, number).contact_cipher

    def forgotten(self) -> list[str]:
        with self.database.reading() as uow:
            acts = select(LedgerAct.object_id).where(LedgerAct.kind == FORGOTTEN)
            return list(uow.session.scalars(acts))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()


def test_a_contact_is_forgotten_when_its_term_is_over(office: Office) -> None:
    number, key, kept = office.disputed()
    office.answer(number)
    office.pass_days(contact_days() - 1)
    assert office.contact(number) == kept
    assert office.forgotten() == []
    office.pass_days(1)
    assert office.contact(number) == b""
    assert office.forgotten() == [number]
    # Neither does what the ledger or a backup keeps of the row tell it any more.
    with office.database.reading() as uow, pytest.raises(ErasedError):
        uow.secrets.decrypt(kept)
    with office.database.reading() as uow:
        assert office.disputes.of_stranger(uow, number, key).spoken.answer == "经核查，登记无误"
    with office.database.writing() as uow:
        assert office.objections.read(uow, MANAGER, number).spoken.contact is None


def test_a_dispute_that_waits_keeps_its_contact_and_nothing_is_forgotten_twice(office: Office) -> None:
    number, _, kept = office.disputed()
    office.pass_days(10 * contact_days())
    assert office.contact(number) == kept
    office.answer(number)
    office.pass_days(contact_days())
    office.pass_days(contact_days())
    assert office.forgotten() == [number]
