# SPDX-License-Identifier: Apache-2.0
"""Steps that lost their process: their worker died, or the database was restored."""

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import IdSource
from storage.steps import UNFINISHED, StepRow

_DEATHS_AT_ONCE = 3
_LONGEST_PAUSE_SECONDS = 300


def pause_after(deaths: int) -> dt.timedelta:
    """Give how long a step rests after so many deaths of its worker: not at all, then 2 s doubling to 300 s.

    A step that ends its worker, or that each worker is ended at, leaves the next life to other steps, and
    what ends the workers has time to pass before the step runs out of tries.
    """
    doubled = max(0, deaths - _DEATHS_AT_ONCE)
    return dt.timedelta(seconds=min(2**doubled, _LONGEST_PAUSE_SECONDS) if doubled else 0)


def release(session: Session, owner: str, now: dt.datetime) -> int:
    """End the leases of an owner that is known to be dead; give their number."""
    rows = session.scalars(
        select(StepRow).where(StepRow.state == "running", StepRow.lease_owner == owner).with_for_update()
    ).all()
    for row in rows:
        row.state, row.lease_owner, row.lease_until = "ready", None, None
        row.deaths += 1
        if pause := pause_after(row.deaths):
            row.run_after = now + pause
    session.flush()
    return len(rows)


def forget_tries(session: Session, ids: IdSource) -> int:
    """Let every unfinished step be planned anew, stuck ones too; give their number.

    A plan made before the restore may name intents that are closed, and staged output may belong to work
    that was recorded since: neither may be taken up. What has been done meanwhile, planning finds out.
    """
    rows = session.scalars(select(StepRow).where(UNFINISHED)).all()
    for row in rows:
        row.state, row.attempts, row.deaths = "ready", 0, 0
        row.lease_owner = row.lease_until = row.plan = None
        row.job = ids.new_id()
    session.flush()
    return len(rows)


def without_step(session: Session, wanted: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Give those of the wanted steps, kind by subject, that no unfinished step stands for."""
    rows = session.execute(select(StepRow.subject, StepRow.kind).where(UNFINISHED))
    standing = {(subject, kind) for subject, kind in rows}
    return [pair for pair in wanted.items() if pair not in standing]
