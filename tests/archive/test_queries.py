# SPDX-License-Identifier: Apache-2.0
"""What became of everything received: counts that close, lists that match them, reads that are recorded."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from archive_line import MANAGER, Line, Unconvertible
from archive_world import ARCHIVIST, CLIENT, NAMED, World
from sqlalchemy import select

from archive.errors import DossierNotFoundError, FilingNotFoundError
from archive.filings import give_back, load
from archive.findings import finding
from archive.models import FilingState
from archive.narrowing import LISTS, Narrowing
from archive.queries import UNTOUCHED, FilingQueries
from archive.views import Waiting
from cases.calendar import WorkingCalendar
from cases.errors import CaseNotFoundError
from seals.sealing import REFUSED_RETRY_SECONDS
from storage.cursors import CursorError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

SUPERVISOR = Identity("person", "account-9", "dsj", frozenset({Role.SUPERVISOR}))
OTHER = dataclasses.replace(ARCHIVIST, organisation="jtys")
STRANGER = Identity("person", "account-8", "scjg", frozenset({Role.INSPECTOR}))


def queries(world: World) -> FilingQueries:
    return FilingQueries(world.cases, world.holders, world.items, WorkingCalendar.load())


def end(world: World, filing_id: str, state: FilingState) -> None:
    with world.database.writing() as uow:
        give_back(uow, load(uow, filing_id), [finding("M09")], state)


@pytest.fixture
def three(world: World) -> World:
    """One in progress, one returned, one returned and then in progress as its second attempt."""
    for number in ("A", "B", "C"):
        world.clock.advance(60)
        received = world.file(world.arrival(number=number))
        if number in "BC":
            end(world, received.filing_id, FilingState.RETURNED)
    world.clock.advance(60)
    world.file(world.arrival(number="C", decided_at="2026-11-14T10:00:00+08:00"))
    return world


def test_counts_close_and_each_links_to_exactly_its_rows(three: World) -> None:
    with three.database.reading() as uow:
        found = queries(three).counts(uow, ARCHIVIST)
        lists = {which: queries(three).worklist(uow, ARCHIVIST, which) for which in LISTS}
    assert (found.received, found.returned, found.in_progress, found.filed) == (4, 2, 2, 0)
    assert found.closes
    assert {which: page.total for which, page in lists.items()} == {
        "all": 4,
        "in-progress": 2,
        "returned": 2,
        "quarantined": 0,
        "original-only": 0,
        "filed": 0,
    }
    assert all(len(page.rows) == page.total for page in lists.values())


def test_narrowed_counts_still_close_and_go_with_their_rows(three: World) -> None:
    first = three.clock.now() - dt.timedelta(seconds=180)
    asked = {
        Narrowing(number="C"): ["C", "C"],
        Narrowing(number="_"): [],
        Narrowing(item="0" * 12): [],
        Narrowing(before=first + dt.timedelta(seconds=60)): ["A"],
        Narrowing(since=first + dt.timedelta(seconds=60)): ["C", "C", "B"],
        Narrowing(since=first, before=first): [],
    }
    with three.database.reading() as uow:
        item = queries(three).worklist(uow, ARCHIVIST).rows[0].item_code
        for narrowed, numbers in [*asked.items(), (Narrowing(item=item, number="B"), ["B"])]:
            found = queries(three).counts(uow, ARCHIVIST, narrowed)
            page = queries(three).worklist(uow, ARCHIVIST, narrowed=narrowed)
            assert [row.number for row in page.rows] == numbers
            assert found.closes
            assert found.received == page.total == len(numbers)


def test_lists_page_from_new_to_old_without_gaps(three: World) -> None:
    seen, cursor = [], None
    with three.database.reading() as uow:
        for _ in range(3):
            page = queries(three).worklist(uow, ARCHIVIST, limit=2, after=cursor)
            seen += [(row.number, row.filing.attempt) for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(CursorError):
            queries(three).worklist(uow, ARCHIVIST, after="no cursor")
        with pytest.raises(CursorError):
            queries(three).worklist(uow, ARCHIVIST, "everything")
    assert seen == [("C", 2), ("C", 1), ("B", 1), ("A", 1)]


def test_another_department_sees_nothing(three: World) -> None:
    with three.database.reading() as uow:
        for identity in (OTHER, STRANGER, dataclasses.replace(CLIENT, sources=frozenset({"other"}))):
            assert queries(three).counts(uow, identity).received == 0
            assert queries(three).worklist(uow, identity).total == 0
            with pytest.raises(CaseNotFoundError):
                queries(three).case_state(uow, identity, "yctb", "A")
        assert queries(three).counts(uow, SUPERVISOR).received == 4


def test_a_case_tells_its_state_with_reasons_and_attempts(three: World) -> None:
    with three.database.reading() as uow:
        view = queries(three).case_state(uow, CLIENT, "yctb", "C")
    assert view.state == FilingState.RECEIVED
    assert [(one.attempt, one.state) for one in view.attempts] == [(1, "returned"), (2, "received")]
    assert view.attempts[0].findings[0].zh == "缺少办理过程意见"
    assert view.attempts[1].waiting is not None
    assert view.attempts[1].waiting.step == "archive.accept"
    assert view.due is not None
    assert view.holder.code == "9133**********011X"
    assert view.dossier_id is None


def test_a_stuck_step_says_so(three: World) -> None:
    with three.database.writing() as uow:
        for step in uow.session.scalars(select(StepRow)):
            step.state, step.problem = "stuck", "object-damaged"
    with three.database.reading() as uow:
        waiting = queries(three).case_state(uow, CLIENT, "yctb", "A").attempts[0].waiting
    assert waiting is not None
    assert (waiting.state, waiting.problem) == ("stuck", "object-damaged")


def test_a_step_that_met_a_problem_and_is_tried_again_is_running(three: World) -> None:
    with three.database.writing() as uow:
        for step in uow.session.scalars(select(StepRow)):
            step.state, step.problem = "running", "object-damaged"
    with three.database.reading() as uow:
        waiting = queries(three).case_state(uow, CLIENT, "yctb", "A").attempts[0].waiting
    assert waiting is not None
    assert waiting.state == "running"


def test_of_several_steps_the_one_that_needs_somebody_is_shown(three: World) -> None:
    with three.database.writing() as uow:
        first = uow.session.scalars(select(StepRow).order_by(StepRow.created_at)).first()
        assert first is not None
        other = uow.add_step("archive.render", first.subject)
        uow.session.get_one(StepRow, other).state = "stuck"
    with three.database.reading() as uow:
        waiting = queries(three).case_state(uow, CLIENT, "yctb", "A").attempts[0].waiting
    assert waiting is not None
    assert (waiting.step, waiting.state) == ("archive.render", "stuck")


def test_a_licence_that_waits_for_a_seal_is_shown_though_its_filing_was_returned(
    tmp_path: Path, authority_folder: Path
) -> None:
    line = Line(tmp_path, authority_folder, Unconvertible())
    received = line.file(line.granted())
    with line.database.writing() as uow:
        line.seals.suspend(uow, MANAGER, line.seal_id, "audit")
    line.run(1)
    end(line, received.filing_id, FilingState.RETURNED)
    line.clock.advance(5)
    line.run()
    since = line.clock.now()
    line.clock.advance(REFUSED_RETRY_SECONDS)
    line.run()
    with line.database.reading() as uow:
        view = queries(line).case_state(uow, ARCHIVIST, "yctb", "ZJ-2026-000131")
    assert view.license_waiting == Waiting("license.issue", "waiting", "seals-refused", since)
    assert view.attempts[0].waiting is None
    with line.database.writing() as uow:
        line.seals.resume(uow, MANAGER, line.seal_id, "audit-over")
    line.run()
    with line.database.reading() as uow:
        assert queries(line).case_state(uow, ARCHIVIST, "yctb", "ZJ-2026-000131").license_waiting is None


def test_a_filing_is_shown_with_its_materials(three: World) -> None:
    with three.database.reading() as uow:
        row = queries(three).worklist(uow, ARCHIVIST, "returned").rows[0]
        detail = queries(three).filing(uow, ARCHIVIST, row.filing.id)
        assert [one.row.position for one in detail.materials] == [1, 2, 3, 4, 5]
        assert {one.outcome for one in detail.materials} == {UNTOUCHED}
        assert detail.materials[0].title.en == "Application form"
        assert detail.materials[0].sent.file_name == f"{NAMED}-application-form.pdf"
        waiting = queries(three).worklist(uow, ARCHIVIST, "in-progress").rows[0]
        unfinished = queries(three).filing(uow, ARCHIVIST, waiting.filing.id)
        assert {one.outcome for one in unfinished.materials} == {"received"}
        with pytest.raises(FilingNotFoundError):
            queries(three).filing(uow, OTHER, row.filing.id)


def test_a_dossier_is_opened_on_a_basis_and_every_opening_is_an_act(
    tmp_path: Path, authority_folder: Path
) -> None:
    line = Line(tmp_path, authority_folder, Unconvertible())
    line.file(line.arrival(line.content(), dict.fromkeys(line.content(), "image/png")))
    line.run()
    archivist = ARCHIVIST.on(AccessBasis(Basis.FILING))
    with line.database.reading() as uow:
        assert queries(line).counts(uow, ARCHIVIST).original_only == 1
        assert len(queries(line).original_only(uow, ARCHIVIST)) == 5
        view = queries(line).case_state(uow, ARCHIVIST, "yctb", "ZJ-2026-000131")
    assert view.state == FilingState.FILED
    assert view.archival_number is not None
    with line.database.writing() as uow:
        opened = queries(line).dossier(uow, archivist, view.archival_number.replace("·", "•"))
        member = queries(line).member(uow, archivist, opened.dossier.id, opened.members[0].id)
    assert member.role == "catalogue"
    refused = [ARCHIVIST, OTHER.on(AccessBasis(Basis.FILING)), STRANGER.on(AccessBasis(Basis.FILING))]
    codes = set()
    for identity in refused:
        with pytest.raises(DossierNotFoundError) as refusal, line.database.writing() as uow:
            queries(line).dossier(uow, identity, opened.dossier.id)
        codes.add(str(refusal.value))
        with line.database.writing() as uow:
            refusal.value.record(uow)
    with pytest.raises(DossierNotFoundError) as unknown, line.database.writing() as uow:
        queries(line).dossier(uow, archivist, "no such dossier")
    assert {str(unknown.value)} == codes
    with line.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct)).all()
    assert len([act for act in acts if act.kind == "dossier.read"]) == 2
    assert len([act for act in acts if act.kind == "access.refused"]) == 3
