# SPDX-License-Identifier: Apache-2.0
"""Dossiers that officials and calling systems opened, by their acts: no use of a licence tells of them."""

import datetime as dt
import json
from typing import Final

from sqlalchemy import select

from archive.unusual import LookUp
from portal.patterns.look_ups import MOST, Looked, named
from storage.database import UnitOfWork
from storage.identity import Role
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

_READ: Final = (ActKind.DOSSIER_PAGES_READ, ActKind.DOSSIER_READ)


def dossier_look_ups(uow: UnitOfWork, since: dt.datetime) -> list[Looked]:
    """Give who opened a dossier of whom, in order of time; the newest acts of :data:`MOST` at most."""
    newest = (
        select(LedgerAct.act_id, LedgerAct.recorded_at, LedgerAct.case_id, LedgerAct.subject, LedgerAct.core)
        .where(LedgerAct.kind.in_(_READ), LedgerAct.recorded_at >= since)
        .order_by(LedgerAct.recorded_at.desc(), LedgerAct.act_id.desc())
        .limit(MOST)
        .execution_options(yield_per=1000)
    )
    found = []
    for act_id, at, case, holder, core in uow.session.execute(newest):
        actor = json.loads(core)["actor"]
        if actor["kind"] == "person" or actor.get("roles") == str(Role.CLIENT):
            one = LookUp(
                at, *named(actor["id"], actor.get("operator")), actor.get("org", ""), case, act=act_id
            )
            found.append(Looked(one, holder, None))
    return found[::-1]
