# SPDX-License-Identifier: Apache-2.0
"""Who is barred from commitments makes none, also where one was offered before.

All commitments of a holder are locked, in one order, before one of them changes: of two units that change
two of them one meets the other and runs again on what the other wrote (:mod:`storage.database`).
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from licenses.ladder.errors import CommitmentBarredError
from licenses.ladder.events import act_of
from licenses.ladder.models import LadderRung
from licenses.ladder.states import BAD_CREDIT, RungEventKind
from licenses.ladder.terms import LadderTerms
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Outcome
from storage.ledger.kinds import ActKind

BARRABLE: Final = (RungEventKind.COMMITTED, RungEventKind.ACCEPTED)
"""What nobody who is barred does, and what nobody does for them."""
BAD: Final = "commitment-untrue"
"""Reason of a refusal: an earlier commitment of the holder bars."""
EXCLUDED: Final = "commitment-excluded"
"""Reason of a refusal: the item bars."""
_KIND: Final = "commitment"


def lock(uow: UnitOfWork, row: LadderRung) -> Sequence[LadderRung]:
    """Lock a rung that changes, a commitment with every other of its holder; gives what was locked."""
    together = (
        (LadderRung.holder_id == row.holder_id) & (LadderRung.kind == _KIND)
        if row.kind == _KIND
        else LadderRung.id == row.id
    )
    query = select(LadderRung).where(together).order_by(LadderRung.id).with_for_update()
    return uow.session.scalars(query.execution_options(populate_existing=True)).all()


def demand_not_barred(who: Identity, row: LadderRung, locked: Sequence[LadderRung]) -> None:
    """Refuse a commitment that may not be made or accepted any more.

    Args:
        who: Who says that it was, on the basis of its case.
        row: The commitment.
        locked: Every commitment of its holder.

    Raises:
        CommitmentBarredError: An earlier one was false and not made good, or none is taken for the item.
    """
    reasons = [BAD] if any(one.state in BAD_CREDIT for one in locked) else []
    if row.item_code in LadderTerms.load().excluded:
        reasons.append(EXCLUDED)
    if reasons:
        raise CommitmentBarredError(
            act_of(ActKind.ACCESS_REFUSED, who, row, (), reasons, outcome=Outcome.REFUSED)
        )
