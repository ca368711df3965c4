# SPDX-License-Identifier: Apache-2.0
"""A trace shows every act in order and shows what is missing as missing."""

import dataclasses
from pathlib import Path

import pytest
from archive_line import Canned, Line
from archive_world import ARCHIVIST, World
from sqlalchemy import select

from archive.models import Dossier
from archive.stepping import case_of, unfinished_steps
from archive.supervision import Trace, TraceNotFoundError, TraceService
from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.models import License
from storage.database import UnitOfWork
from storage.identity import Identity, Role, system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

SUPERVISOR = Identity("person", "account-9", "dsj", frozenset({Role.SUPERVISOR}))
CLERK = Identity("person", "account-7", "scjg", frozenset({Role.CLERK}))
DAY = 86400.0


def traces(world: World) -> TraceService:
    return TraceService(world.items, WorkingCalendar.load())


def trace_of(world: World, uow: UnitOfWork, key: str = "ZJ-2026-000131") -> Trace:
    """What the supervisor gets for a number that means one case."""
    (case,) = traces(world).find(uow, SUPERVISOR, key)
    return traces(world).trace(uow, SUPERVISOR, case)


def test_a_filed_case_is_traced_by_any_of_its_numbers(
    tmp_path: Path, authority_folder: Path, page: bytes
) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    line.file(line.granted())
    line.run()
    with line.database.reading() as uow:
        dossier = uow.session.scalars(select(Dossier)).one()
        license_ = uow.session.scalars(select(License)).one()
        act = uow.session.scalars(select(LedgerAct.act_id).where(LedgerAct.kind == "filing.checked")).one()
        keys = ["ZJ-2026-000131", dossier.archival_number, license_.identifier, dossier.case_id, act]
        found = [trace_of(line, uow, key) for key in keys]
    assert {trace.case.number for trace in found} == {"ZJ-2026-000131"}
    trace = found[0]
    kinds = [act.kind for act in trace.acts]
    assert {"case.announced", "filing.received", "license.issued", "sealing.sealed", "dossier.filed"} < set(
        kinds
    )
    sealings = [act for act in trace.acts if act.kind == "sealing.sealed"]
    assert {act.seal.id for act in sealings if act.seal} == {line.seal_id}
    assert {act.seal.name for act in sealings if act.seal} == {"演示市市场监督管理局"}
    assert {act.seal.document for act in sealings if act.seal} >= {"licence", "catalogue", "manifest"}
    assert {act.titles[0] for act in trace.acts if act.kind == "dossier.filed"} == {"案卷归档"}
    assert all(act.seq is None for act in trace.acts)
    assert trace.gaps == ()
    assert trace.license is not None
    line.clock.advance(3600)
    with line.database.reading() as uow:
        later = trace_of(line, uow)
    missing = [gap.act_id for gap in later.gaps if gap.code == "not-sequenced"]
    assert missing == [act.act_id for act in later.acts]
    # Nobody puts anything into an index here.
    assert {gap.step for gap in later.gaps if gap.code != "not-sequenced"} == {"index.put"}


def test_each_line_names_the_licence_that_it_is_about_or_relied_on(
    tmp_path: Path, authority_folder: Path, page: bytes
) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    line.file(line.granted())
    line.run()
    with line.database.reading() as uow:
        license_ = uow.session.scalars(select(License)).one()
        trace = trace_of(line, uow)
    named = {act.kind for act in trace.acts if [one.id for one in act.licenses] == [license_.id]}
    assert named >= {"license.reserved", "license.issued", "sealing.sealed", "dossier.filed"}
    assert {one.identifier for act in trace.acts for one in act.licenses} == {license_.identifier}


def test_who_may_not_trace_learns_nothing(world: World) -> None:
    world.file(world.arrival())
    other = dataclasses.replace(ARCHIVIST, organisation="jtys")
    with world.database.reading() as uow:
        (case,) = traces(world).find(uow, ARCHIVIST, "ZJ-2026-000131")
        assert traces(world).trace(uow, ARCHIVIST, case).case.organisation == "scjg"
        for identity, key in ((CLERK, "ZJ-2026-000131"), (other, "ZJ-2026-000131"), (SUPERVISOR, "unknown")):
            assert traces(world).find(uow, identity, key) == []
        for identity in (CLERK, other):
            with pytest.raises(TraceNotFoundError):
                traces(world).trace(uow, identity, case)


def test_one_number_of_two_sources_gives_a_choice_of_what_one_may_see(world: World) -> None:
    world.file(world.arrival())
    with world.database.writing() as uow:
        (case,) = uow.session.scalars(select(Case))
        copy = {column.key: getattr(case, column.key) for column in Case.__table__.columns}
        uow.session.add(Case(**copy | {"id": "0" * 26, "source": "other", "organisation": "jtys"}))
    with world.database.reading() as uow:
        found = traces(world).find(uow, SUPERVISOR, case.number)
        assert [one.source for one in found] == ["other", case.source]
        assert [one.id for one in traces(world).find(uow, SUPERVISOR, case.number, "other")] == ["0" * 26]
        # What another department has does not show, not even as a choice.
        assert [one.id for one in traces(world).find(uow, ARCHIVIST, case.number)] == [case.id]
        assert traces(world).find(uow, ARCHIVIST, case.number, "other") == []


def test_an_intent_without_outcome_is_a_gap_after_ten_minutes(world: World) -> None:
    world.file(world.arrival())
    with world.database.reading() as uow:
        case = trace_of(world, uow).case
    intent = Act(
        kind=ActKind.SEALING_INTENDED,
        actor=system_identity("worker"),
        object_type="sealing",
        object_id="sealing-1",
        outcome=Outcome.INTENDED,
        case=case.id,
    )
    with world.database.writing() as uow:
        promise = uow.record(intent)
    with world.database.reading() as uow:
        assert traces(world).open_intents(uow, SUPERVISOR) == []
    world.clock.advance(601)
    with world.database.reading() as uow:
        gaps = trace_of(world, uow, case.id).gaps
        open_intents = traces(world).open_intents(uow, SUPERVISOR)
    assert promise.core_sha256 in {gap.act_id for gap in gaps if gap.code == "intent-without-outcome"}
    assert [act.act_id for act in open_intents] == [promise.core_sha256]
    with world.database.writing() as uow:
        closing = dataclasses.replace(
            intent,
            kind=ActKind.SEALING_ABANDONED,
            outcome=Outcome.ABANDONED,
            intent=promise.core_sha256,
        )
        uow.record(closing)
    with world.database.reading() as uow:
        assert traces(world).open_intents(uow, SUPERVISOR) == []


def test_a_closed_case_that_is_not_filed_in_time_is_late(world: World) -> None:
    world.file(world.arrival(closed_at="2026-11-23T16:00:00+08:00"))
    with world.database.reading() as uow:
        trace = trace_of(world, uow)
        assert traces(world).late_filings(uow, SUPERVISOR) == []
    assert not trace.late
    assert trace.due is not None
    assert trace.due.isoformat() == "2026-11-30"
    world.clock.advance(7 * DAY)
    with world.database.reading() as uow:
        late = trace_of(world, uow)
        (listed,) = traces(world).late_filings(uow, SUPERVISOR)
        other = dataclasses.replace(ARCHIVIST, organisation="jtys")
        assert traces(world).late_filings(uow, other) == []
    assert late.late
    assert "closed-not-filed" in {gap.code for gap in late.gaps}
    assert (listed.case.number, listed.state) == ("ZJ-2026-000131", "received")


def test_a_step_that_is_late_waiting_or_stuck_is_a_gap_of_its_case(world: World) -> None:
    world.file(world.arrival())

    def gaps() -> set[str]:
        with world.database.reading() as uow:
            return {gap.code for gap in trace_of(world, uow).gaps}

    assert gaps().isdisjoint({"step-late", "step-stuck"})
    world.clock.advance(31 * 60)
    assert "step-late" in gaps()
    with world.database.writing() as uow:
        step = uow.session.scalars(select(StepRow)).one()
        step.problem, step.problem_since = "seals-refused", uow.clock.now()
    assert "step-waiting" in gaps()
    with world.database.writing() as uow:
        uow.session.scalars(select(StepRow)).one().state = "stuck"
    assert "step-stuck" in gaps()
    assert "step-waiting" not in gaps()


@pytest.mark.parametrize("indexed", [Dossier, License], ids=["dossier", "licence"])
def test_what_is_not_indexed_is_a_gap_of_its_case(
    tmp_path: Path, authority_folder: Path, page: bytes, indexed: type[Dossier | License]
) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    line.file(line.granted())
    line.run()
    with line.database.writing() as uow:
        one = uow.session.scalars(select(indexed.id)).one()
        named = uow.session.scalars(select(StepRow).where(StepRow.subject.endswith(f":{one}"))).one()
        for step in uow.session.scalars(select(StepRow)):
            step.state = "done"
        named.state, named.problem = "stuck", "internal"
    with line.database.reading() as uow:
        assert [(gap.code, gap.step) for gap in trace_of(line, uow).gaps] == [("step-stuck", "index.put")]
    line.clock.advance(31 * 60)
    with line.database.writing() as uow:
        uow.session.get_one(StepRow, named.id).state = "running"
    with line.database.reading() as uow:
        gaps = trace_of(line, uow).gaps
    assert [gap.step for gap in gaps if gap.code == "step-late"] == ["index.put"]


def test_every_step_belongs_to_its_case(tmp_path: Path, authority_folder: Path, page: bytes) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    line.file(line.granted())
    line.run()
    with line.database.writing() as uow:
        (case,) = uow.session.scalars(select(Case.id))
        rows = uow.session.scalars(select(StepRow)).all()
        assert {case_of(uow, row.subject) for row in rows} == {case}
        assert case_of(uow, "dossier:unknown") is None
        for row in rows:
            row.state = "ready"
        uow.session.flush()
        assert len(unfinished_steps(uow, [case])) == len(rows)
        assert unfinished_steps(uow, []) == []
