# SPDX-License-Identifier: Apache-2.0
"""Fail closed: no act without a record that can be sequenced and anchored; protection always passes."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from fakes import HandClock, make_database
from ledgers import Ledger, act, open_ledger
from sqlalchemy import func, select

from storage.database import LedgerClosedError
from storage.ledger.gate import LedgerGate
from storage.ledger.kinds import NEVER_REFUSED, ActKind
from storage.ledger.models import LedgerAct, LedgerClosedRefusal, LedgerPending


@pytest.fixture
def gate() -> LedgerGate:
    return LedgerGate(HandClock())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    clock = HandClock()
    gate = LedgerGate(clock)
    opened = open_ledger(tmp_path, clock, gate)
    gate.watch(opened.database.connecting)
    yield opened
    opened.close()


def admitted(ledger: Ledger, kind: ActKind = ActKind.CASE_ANNOUNCED) -> bool:
    try:
        with ledger.database.writing() as uow:
            uow.record(act(kind=kind))
    except LedgerClosedError:
        return False
    return True


def pass_time(ledger: Ledger, seconds: int) -> None:
    """Let time pass while somebody looks at the gate every minute, as any busy process does."""
    for _ in range(seconds // 60):
        ledger.clock.advance(60)
        assert ledger.database.gate is not None
        ledger.database.gate.lag()  # type: ignore[attr-defined]  # a LedgerGate, as opened above


def recorded(ledger: Ledger) -> list[str]:
    with ledger.database.reading() as uow:
        query = select(LedgerAct.kind).join(LedgerPending, LedgerPending.act_id == LedgerAct.act_id)
        return list(uow.session.scalars(query.order_by(LedgerPending.position)))


def test_acts_are_refused_while_the_oldest_pending_one_has_waited_longer_than_300_seconds(
    ledger: Ledger,
) -> None:
    ledger.keeper.tick(hurry=True)
    assert admitted(ledger)
    pass_time(ledger, 300)
    assert admitted(ledger)
    pass_time(ledger, 120)
    assert not admitted(ledger)
    ledger.keeper.tick(hurry=True)
    ledger.clock.advance(2)
    assert admitted(ledger)


def test_a_stream_of_new_acts_does_not_hide_that_the_oldest_waits(ledger: Ledger) -> None:
    for _ in range(6):
        assert admitted(ledger)
        pass_time(ledger, 60)
    assert not admitted(ledger)


def test_a_stepped_wall_clock_does_not_close_the_gate(ledger: Ledger) -> None:
    ledger.keeper.tick(hurry=True)
    assert admitted(ledger)
    ledger.clock.at += dt.timedelta(hours=3)
    ledger.clock.ticks += 2
    assert admitted(ledger)


def test_acts_are_refused_when_the_anchor_is_older_than_four_hours(ledger: Ledger) -> None:
    ledger.authority.down = True
    ledger.grow(1)
    for _ in range(4 * 60 - 2):
        ledger.clock.advance(60)
        ledger.keeper.tick()
    gate = ledger.database.gate
    assert isinstance(gate, LedgerGate)
    assert gate.warns
    assert admitted(ledger)
    ledger.clock.advance(180)
    ledger.keeper.tick()
    assert not admitted(ledger)
    ledger.authority.down = False
    ledger.clock.advance(60)
    ledger.keeper.tick()
    ledger.clock.advance(1)
    assert admitted(ledger)
    assert not gate.warns


@pytest.mark.parametrize(
    "kind",
    [ActKind.LICENSE_SUSPENDED, ActKind.LICENSE_REVOKED, ActKind.SEAL_SUSPENDED, ActKind.SEAL_REVOKED],
)
def test_suspension_and_revocation_are_never_refused(ledger: Ledger, kind: ActKind) -> None:
    assert kind in NEVER_REFUSED
    admitted(ledger)
    pass_time(ledger, 600)
    assert not admitted(ledger)
    assert admitted(ledger, kind)


def test_refusals_are_counted_and_the_count_is_the_first_record_afterwards(ledger: Ledger) -> None:
    admitted(ledger)
    pass_time(ledger, 600)
    assert [admitted(ledger) for _ in range(3)] == [False] * 3
    ledger.keeper.tick(hurry=True)
    ledger.clock.advance(2)
    assert admitted(ledger)
    assert admitted(ledger)
    assert recorded(ledger) == ["ledger.closed-refusals", "case.announced", "case.announced"]
    with ledger.database.reading() as uow:
        detail = uow.session.scalar(
            select(LedgerAct.detail).where(LedgerAct.kind == "ledger.closed-refusals")
        )
    assert detail is not None
    assert orjson.loads(ledger.database.secrets.decrypt(detail))["notes"] == {"count": 3}


def test_a_count_whose_record_was_rolled_back_is_not_lost(ledger: Ledger) -> None:
    admitted(ledger)
    pass_time(ledger, 600)
    admitted(ledger)
    ledger.keeper.tick(hurry=True)
    ledger.clock.advance(2)
    with contextlib.suppress(RuntimeError), ledger.database.writing() as uow:
        uow.record(act())
        raise RuntimeError
    assert admitted(ledger)
    assert recorded(ledger) == ["ledger.closed-refusals", "case.announced"]


def test_a_refused_act_leaves_nothing_but_the_count(ledger: Ledger) -> None:
    admitted(ledger)
    pass_time(ledger, 600)
    with ledger.database.reading() as uow:
        before = uow.session.scalar(select(func.count()).select_from(LedgerAct))
    admitted(ledger)
    with ledger.database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerAct)) == before
        assert uow.session.scalar(select(LedgerClosedRefusal.count)) == 1


def test_a_gate_that_observes_nothing_is_closed(gate: LedgerGate, tmp_path: Path) -> None:
    database = make_database(tmp_path, gate=gate)
    with pytest.raises(LedgerClosedError), database.writing() as uow:
        uow.record(act())
    database.close()
