# SPDX-License-Identifier: Apache-2.0
"""A batch of information checks: an act and a use of each licence, and few ways to the database for all."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from license_library import BUSINESS, COMPANY, FOOD, OTHER, Library
from sqlalchemy import event, select

from licenses.information import InformationService
from licenses.metadata import registered_items
from licenses.models import License, LicenseUsage
from storage.identity import PUBLIC
from storage.ledger.models import LedgerAct


def stated(license_: License, holder: tuple[str, str, str] = COMPANY) -> dict[str, str]:
    return registered_items(license_) | {"holder_scheme": holder[0], "holder_code": holder[1]}


@contextmanager
def statements(library: Library) -> Iterator[list[str]]:
    """Collect what is sent to the database meanwhile."""
    sent: list[str] = []

    def note(*given: object) -> None:
        sent.append(str(given[2]))

    event.listen(library.database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(library.database.engine, "before_cursor_execute", note)


def test_a_batch_goes_to_the_database_as_often_as_one_check(library: Library) -> None:
    service = InformationService(library.holdings, library.holders)
    mine, other = library.issue(FOOD), library.issue(BUSINESS, OTHER)
    pair = [stated(mine), stated(other, OTHER)]
    counts = []
    for batch in (pair[:1], pair, pair * 10):
        with library.database.writing() as uow, statements(library) as sent:
            assert {one.code for one in service.check_all(uow, PUBLIC, batch)} == {0}
        counts.append(len(sent))
    # On a server one act goes with its place in the queue in one statement, several in two.
    assert counts[1] == counts[2] <= counts[0] + 1


def test_each_licence_of_a_batch_has_its_own_use_and_act_under_its_holder_s_key(library: Library) -> None:
    service = InformationService(library.holdings, library.holders)
    mine, other = library.issue(FOOD), library.issue(BUSINESS, OTHER)
    batch = [stated(mine), stated(mine, OTHER), stated(other, OTHER), stated(mine)]
    with library.database.writing() as uow:
        checks = service.check_all(uow, PUBLIC, batch)
    assert [one.code for one in checks] == [0, 5, 0, 0]
    promises = [one.promise.core_sha256 if one.promise else None for one in checks]
    assert promises[1] is None
    assert len(set(promises)) == 4
    with library.database.reading() as uow:
        uses = {use.id: use for use in uow.session.scalars(select(LicenseUsage))}
        acts = {act.act_id: act for act in uow.session.scalars(select(LedgerAct))}
    for promise, license_ in zip(promises, (mine, None, other, mine), strict=True):
        if promise is None or license_ is None:
            continue
        act = acts[promise]
        assert (act.subject, act.object_id) == (license_.holder_id, license_.id)
        (row,) = orjson.loads(library.database.secrets.decrypt(act.detail))["rows"]
        use = uses.pop(row["values"]["id"])
        assert (use.holder_id, use.license_id, use.result) == (license_.holder_id, license_.id, "READ")
    assert not uses
