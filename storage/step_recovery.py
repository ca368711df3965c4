# SPDX-License-Identifier: Apache-2.0
"""Steps of a restored database: what was under way belongs to processes and files that are gone."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import IdSource
from storage.steps import UNFINISHED, StepRow


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
