# SPDX-License-Identifier: Apache-2.0
"""Uses of seals whose outcome a restore has lost: their intents are closed as abandoned."""

from sqlalchemy import select

from seals.models import Sealing
from seals.sealing import close_abandoned
from storage.database import UnitOfWork
from storage.identity import system_identity
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct


def abandon_open(uow: UnitOfWork) -> int:
    """Close every intended use of a seal, in the name of the department concerned; give their number.

    No process may be at work on them.
    """
    rows = uow.session.scalars(select(Sealing).where(Sealing.state == "intended")).all()
    for row in rows:
        intent = uow.session.scalars(
            select(LedgerAct).where(
                LedgerAct.object_type == "sealing",
                LedgerAct.object_id == row.id,
                LedgerAct.kind == str(ActKind.SEALING_INTENDED),
            )
        ).one()
        identity = system_identity("restore", row.department)
        close_abandoned(uow, identity, row, intent.subject, intent.act_id)
    return len(rows)
