# SPDX-License-Identifier: Apache-2.0
"""Acts recorded together are what each would have been alone: core, key, place and promise of its own."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from fakes import make_database
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.database import LedgerClosedError
from storage.identity import system_identity
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerPending
from storage.secrets import ErasedError


def announced(number: int) -> Act:
    return Act(
        kind=ActKind.CASE_ANNOUNCED,
        actor=system_identity("test"),
        object_type="case",
        object_id=f"case-{number}",
        subject=f"holder-{number % 2}",
        notes={"number": number},
    )


def test_acts_recorded_together_are_promised_and_wait_in_their_order(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        promises = uow.record_all([announced(number) for number in range(5)])
    with database.reading() as uow:
        waiting = uow.session.scalars(select(LedgerPending.act_id).order_by(LedgerPending.position)).all()
        rows = {row.act_id: row for row in uow.session.scalars(select(LedgerAct))}
    assert [one.core_sha256 for one in promises] == list(waiting)
    assert [rows[act_id].object_id for act_id in waiting] == [f"case-{number}" for number in range(5)]
    for act_id, row in rows.items():
        assert act_id == hashlib.sha256(row.core).hexdigest()
        assert orjson.loads(row.core)["detail_sha256"] == hashlib.sha256(row.detail).hexdigest()


def test_each_of_them_lies_under_the_key_of_its_own_subject(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        uow.record_all([announced(0), announced(1)])
    database.secrets.destroy("holder-0")
    with database.reading() as uow:
        details = {row.subject: row.detail for row in uow.session.scalars(select(LedgerAct))}
    with pytest.raises(ErasedError):
        database.secrets.decrypt(details["holder-0"])
    assert orjson.loads(database.secrets.decrypt(details["holder-1"]))["notes"] == {"number": 1}


def test_acts_that_follow_from_others_know_their_promises_and_wait_behind_them(tmp_path: Path) -> None:
    database = make_database(tmp_path)

    def answers(promises: Sequence[Promise]) -> list[Act]:
        return [replace(announced(7), intent=one.core_sha256) for one in promises]

    with database.writing() as uow:
        promises = uow.record_all([announced(number) for number in range(3)], answers)
    with database.reading() as uow:
        waiting = uow.session.scalars(select(LedgerPending.act_id).order_by(LedgerPending.position)).all()
        intents = {row.act_id: row.intent for row in uow.session.scalars(select(LedgerAct))}
    assert [one.core_sha256 for one in promises] == list(waiting)
    assert [intents[one] for one in waiting] == [None, None, None, *waiting[:3]]


def test_acts_that_follow_are_admitted_by_their_own_kind(tmp_path: Path) -> None:
    class Closed:
        """Lets announcements through and nothing else."""

        def admit(self, kind: ActKind) -> None:
            if kind is not ActKind.CASE_ANNOUNCED:
                raise LedgerClosedError

        def count_refusal(self, session: Session) -> None:
            pass

        def take_refusals(self, session: Session) -> int:
            return 0

    database = make_database(tmp_path, gate=Closed())
    follow = [replace(announced(1), kind=ActKind.PROOF_ANSWERED)]
    with pytest.raises(LedgerClosedError), database.writing() as uow:
        uow.record_all([announced(0)], lambda _promises: follow)
    with database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerAct)) == 0


def test_a_unit_that_fails_leaves_none_of_them_and_recording_none_is_nothing(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with contextlib.suppress(RuntimeError), database.writing() as uow:
        assert uow.record_all([]) == []
        uow.record_all([announced(0), announced(1)])
        raise RuntimeError
    with database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerAct)) == 0
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 0
