# SPDX-License-Identifier: Apache-2.0
"""The unit of work: no record, no act; nothing lost among threads; append-only tables stay so."""

import contextlib
import hashlib
import threading
from pathlib import Path

import orjson
import pytest
from fakes import ORIGIN, HandClock, make_database
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storage.database import LedgerClosedError, UnitOfWork
from storage.identity import AccessBasis, Basis, system_identity
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerPending
from storage.ledger.rows import row_state, row_values
from storage.steps import StepRow


def announce(number: str = "c1") -> Act:
    return Act(
        kind=ActKind.CASE_ANNOUNCED,
        actor=system_identity("test").on(AccessBasis(Basis.FILING)),
        object_type="case",
        object_id=number,
        subject="holder-1",
        notes={"name": "张三"},
    )


def test_an_act_is_promised_by_the_digest_of_its_core_and_its_detail_is_encrypted(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        promise = uow.record(announce())
    with database.reading() as uow:
        row = uow.session.scalars(select(LedgerAct)).one()
    assert promise.log == ORIGIN
    assert promise.core_sha256 == row.act_id == hashlib.sha256(row.core).hexdigest()
    core = orjson.loads(row.core)
    assert core["detail_sha256"] == hashlib.sha256(row.detail).hexdigest()
    assert core["basis"] == {"kind": "filing"}
    assert "张三".encode() not in row.core + row.detail
    assert "张三" in database.secrets.decrypt(row.detail).decode()


def test_a_rolled_back_act_leaves_neither_record_nor_pending_row(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with contextlib.suppress(RuntimeError), database.writing() as uow:
        uow.record(announce())
        raise RuntimeError
    with database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerAct)) == 0
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 0


def test_a_look_sees_what_was_committed_last_and_holds_nobody_up(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    count = select(func.count()).select_from(LedgerAct)
    with database.looking() as look:
        assert look.connection.scalar(count) == 0
        with database.writing() as uow:
            uow.record(announce())
        assert look.connection.scalar(count) == 1
    with database.writing() as uow:
        assert uow.connection.scalar(count) == 1


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_act", "UPDATE ledger_act SET kind = 'x'"])
def test_recorded_acts_cannot_be_changed_or_removed(tmp_path: Path, statement: str) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        uow.record(announce())
    with pytest.raises(IntegrityError, match="append-only"), database.writing() as uow:
        uow.session.execute(text(statement))


def test_sixteen_threads_that_read_and_then_write_lose_no_update(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        step = uow.add_step("count.up", "x")

    def count_up() -> None:
        for _ in range(10):
            database.write(count_one)

    def count_one(uow: UnitOfWork) -> None:
        row = uow.session.get_one(StepRow, step)
        row.attempts = row.attempts + 1
        uow.record(announce())

    threads = [threading.Thread(target=count_up) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as uow:
        assert uow.session.get_one(StepRow, step).attempts == 160
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 160


class ClosedGate:
    """A gate that is closed until opened, counting in memory."""

    def __init__(self) -> None:
        self.open = False
        self.refused = 0

    def admit(self, kind: ActKind) -> None:
        if not self.open:
            raise LedgerClosedError

    def count_refusal(self, session: Session) -> None:
        self.refused += 1

    def take_refusals(self, session: Session) -> int:
        refused, self.refused = self.refused, 0
        return refused


def test_refusals_while_the_ledger_is_closed_are_the_first_record_afterwards(tmp_path: Path) -> None:
    gate = ClosedGate()
    database = make_database(tmp_path, gate=gate)
    for _ in range(3):
        with pytest.raises(LedgerClosedError), database.writing() as uow:
            uow.record(announce())
    gate.open = True
    with database.writing() as uow:
        uow.record(announce())
    with database.reading() as uow:
        order = select(LedgerAct).join(LedgerPending, LedgerPending.act_id == LedgerAct.act_id)
        rows = uow.session.scalars(order.order_by(LedgerPending.position)).all()
    assert [row.kind for row in rows] == ["ledger.closed-refusals", "case.announced"]
    assert orjson.loads(database.secrets.decrypt(rows[0].detail))["notes"] == {"count": 3}


def test_a_row_in_a_detail_reads_back_as_the_same_values(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        step = uow.add_step("some.step", "subject", delay_seconds=1.5)
        row = uow.session.get_one(StepRow, step)
        state = row_state(row)
        values = row_values(state["values"])  # type: ignore[arg-type]  # JSON of our own making
    assert state["table"] == "step"
    assert values["run_after"] == row.run_after
    assert values["plan"] is None
    assert set(values) == {column.name for column in StepRow.__table__.columns}
