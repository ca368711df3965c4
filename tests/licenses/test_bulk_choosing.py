# SPDX-License-Identifier: Apache-2.0
"""What a choice of many licences comes to: counted before anything is read, and no face is ever loaded."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from license_library import FOOD, GROUNDS, MANAGER, Library
from sqlalchemy import event, select

from licenses.bulk_choosing import EVENTS, SAMPLE, BulkKind, BulkPlaceError, Preview, Selection, preview
from licenses.errors import BulkTooLargeError, LicenseStateError
from licenses.lifecycle import EventKind, Status, advance, life_after
from licenses.models import License, LicenseEvent

LAPSE = Selection(FOOD, BulkKind.LAPSE)
STATUSES = (None, Status.VALID, Status.SUSPENDED, Status.EXPIRED)


def looked(library: Library, chosen: Selection = LAPSE) -> Preview:
    with library.database.reading() as uow:
        return preview(uow, library.holdings, MANAGER, chosen)


@contextmanager
def statements(library: Library) -> Iterator[list[str]]:
    """Give what the database was asked while the block ran."""
    said: list[str] = []
    engine = library.database.engine

    def keep(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", keep)


def of_every_kind(library: Library) -> None:
    """Issue licences that stand in every way in which one can stand."""
    made = [library.issue(FOOD, number=f"N{place:06d}") for place in range(9)]
    made.append(library.issue(FOOD, number="N000020", valid_until="2026-05-02"))
    made.append(library.issue(FOOD, number="N000021", valid_until="2026-05-02"))
    made.append(library.issue(FOOD, number="N000022", valid_from="2030-01-01"))
    made.append(library.reserve(FOOD, number="N000023"))
    befell = (
        EventKind.SUSPENDED,
        EventKind.CANCELLED,
        EventKind.WITHDRAWN,
        EventKind.REVOKED,
        EventKind.LAPSED,
    )
    with library.database.writing() as uow:
        change = library.service.change
        for one, kind in zip(made, befell, strict=False):
            change(uow, MANAGER, one.identifier, kind, GROUNDS)
        change(uow, MANAGER, made[5].identifier, EventKind.SUSPENDED, GROUNDS)
        change(uow, MANAGER, made[5].identifier, EventKind.RESUMED, GROUNDS)
        change(uow, MANAGER, made[9].identifier, EventKind.SUSPENDED, GROUNDS)
        opened, process = EVENTS[BulkKind.OPEN_CHECK]
        change(uow, MANAGER, made[6].identifier, opened, GROUNDS, process)


def expected(library: Library, chosen: Selection) -> tuple[list[str], Counter[Status]]:
    """Judge each licence alone, by its whole history."""
    ids, left = [], Counter[Status]()
    kind, process = EVENTS[chosen.kind]
    with library.database.reading() as uow:
        for row in uow.session.scalars(select(License).order_by(License.number)):
            if chosen.until_before and (not row.valid_until or row.valid_until >= chosen.until_before):
                continue
            status = library.holdings.status(uow, row, library.clock.now())
            if chosen.status not in {None, status}:
                continue
            history = uow.session.scalars(select(LicenseEvent).where(LicenseEvent.license_id == row.id)).all()
            try:
                advance(life_after(history, library.clock.now()), kind, process)
            except LicenseStateError:
                left[status] += 1
            else:
                ids.append(row.id)
    return ids, left


@pytest.mark.parametrize("kind", list(BulkKind))
def test_a_preview_says_what_each_licence_says_for_itself(library: Library, kind: BulkKind) -> None:
    of_every_kind(library)
    for status in STATUSES:
        for day in (None, dt.date(2027, 1, 1)):
            chosen = Selection(FOOD, kind, status, day)
            found = looked(library, chosen)
            assert (list(found.ids), Counter(found.left)) == expected(library, chosen), chosen


def test_too_many_are_refused_before_one_is_read(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(3):
        library.issue(FOOD, number=f"N{place:06d}")
    monkeypatch.setattr("licenses.bulk_choosing.MOST", 2)
    with statements(library) as said, pytest.raises(BulkTooLargeError):
        looked(library)
    assert len(said) == 1
    assert "count(" in said[0]


def test_the_first_by_number_are_taken_where_more_fit_and_the_next_go_on_behind_them(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [library.issue(FOOD, number=f"N{place:06d}") for place in (3, 1, 4, 0, 2)]
    by_number = [made[place].id for place in (3, 1, 4, 0, 2)]
    with library.database.writing() as uow:
        opened, process = EVENTS[BulkKind.OPEN_CHECK]
        library.service.change(uow, MANAGER, made[1].identifier, opened, GROUNDS, process)
    monkeypatch.setattr("licenses.bulk_choosing.MOST", 2)
    chosen, parts, looks = Selection(FOOD, BulkKind.OPEN_CHECK, first=True), [], 0
    while True:
        found = looked(library, chosen)
        parts.append(list(found.ids))
        looks += 1
        assert found.rest == max(0, 5 - 2 * looks)
        if found.last is None:
            break
        chosen = replace(chosen, after=found.last)
    assert parts == [[by_number[0]], by_number[2:4], by_number[4:]]


def test_nothing_begins_behind_what_the_department_does_not_have(library: Library) -> None:
    made = library.issue(FOOD)
    for after in ("n" * 26, "' OR 1=1 --"):
        with pytest.raises(BulkPlaceError):
            looked(library, replace(LAPSE, first=True, after=after))
    with pytest.raises(BulkPlaceError), library.database.reading() as uow:
        preview(
            uow,
            library.holdings,
            replace(MANAGER, organisation="jtys"),
            replace(LAPSE, first=True, after=made.id),
        )


def test_what_ended_for_good_counts_for_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A department with more ended licences than one change may have still changes those that stand."""
    made = [library.issue(FOOD, number=f"N{place:06d}") for place in range(4)]
    with library.database.writing() as uow:
        for one in made[:3]:
            library.service.revoke(uow, MANAGER, one.identifier, GROUNDS)
    monkeypatch.setattr("licenses.bulk_choosing.MOST", 1)
    found = looked(library)
    assert (list(found.ids), found.left) == ([made[3].id], {Status.REVOKED: 3})


def test_a_status_narrows_what_is_counted(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [library.issue(FOOD, number=f"N{place:06d}") for place in range(4)]
    with library.database.writing() as uow:
        library.service.suspend(uow, MANAGER, made[1].identifier, GROUNDS)
    monkeypatch.setattr("licenses.bulk_choosing.MOST", 1)
    found = looked(library, Selection(FOOD, BulkKind.RESUME, Status.SUSPENDED))
    assert list(found.ids) == [made[1].id]


def test_no_face_is_loaded_and_numbers_of_the_shown_ones_only(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(SAMPLE + 5):
        library.issue(FOOD, number=f"N{place:06d}")
    with library.database.reading() as uow:
        monkeypatch.setattr(type(uow.secrets), "decrypt", _never)
    with statements(library) as said:
        found = looked(library)
    assert (len(found.ids), len(found.sample)) == (SAMPLE + 5, SAMPLE)
    assert [number for number, _ in found.sample] == [f"N{place:06d}" for place in range(SAMPLE)]
    told = [one.partition("FROM")[0] for one in said]
    assert not any("face_cipher" in one or "data_sha256" in one for one in told)
    assert [one for one in told if "license.number" in one] == told[-1:]


def _never(*_: object) -> bytes:
    raise AssertionError("nothing is decrypted")


def test_a_version_that_waits_ends_nothing_yet(library: Library) -> None:
    first = library.issue(FOOD)
    ahead = {"valid_from": "2029-01-01", "valid_until": "2031-04-30"}
    second = library.issue_reserved(
        library.reserve(FOOD, replaces=first.identifier, change="renewal", **ahead)
    )
    assert list(looked(library).ids) == [first.id, second.id]
    library.clock.advance(60)
    third = library.issue_reserved(library.reserve(FOOD, replaces=second.identifier, change="renewal"))
    found = looked(library)
    assert (list(found.ids), found.left) == ([third.id], {Status.SUPERSEDED: 2})
