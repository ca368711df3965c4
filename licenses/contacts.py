# SPDX-License-Identifier: Apache-2.0
"""How strangers who disputed are reached is forgotten once nobody needs it: a term after the answer.

The column is emptied, and the dispute's own key destroyed by a step: what the ledger keeps of the row is then
unreadable, too. The dispute, its words and its answer stay.
"""

import datetime as dt
import json
from functools import cache
from importlib import resources
from typing import Final

from sqlalchemy import func, select

from licenses.contesting import act_of
from licenses.models import Objection
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.kinds import ActKind

CONTACT_FORGET_STEP: Final = "contact.forget"
_AT_ONCE: Final = 100


@cache
def contact_days() -> int:
    """Give how many days a contact is kept after the answer, as ``data/disputes.json`` says."""
    raw = json.loads(resources.files("licenses").joinpath("data/disputes.json").read_bytes())
    return int(raw["contact_days"])


def forget_contacts(uow: UnitOfWork, identity: Identity) -> bool:
    """Forget the contacts whose term is over, some at a time; tells whether there were any.

    Args:
        uow: A writing unit of work.
        identity: The part of the installation that looks.
    """
    before = uow.clock.now() - dt.timedelta(days=contact_days())
    due = (
        select(Objection)
        .where(Objection.answered_at <= before, func.length(Objection.contact_cipher) > 0)
        .order_by(Objection.answered_at)
        .limit(_AT_ONCE)
    )
    rows = uow.session.scalars(due).all()
    for row in rows:
        # Empty, not missing: that a stranger disputed decides who may read the answer.
        row.contact_cipher = b""
        uow.add_step(CONTACT_FORGET_STEP, row.id)
        uow.record(act_of(ActKind.OBJECTION_CONTACT_FORGOTTEN, identity, row, rows=[row]))
    return bool(rows)
