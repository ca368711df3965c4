# SPDX-License-Identifier: Apache-2.0
"""A holder's own commitments: which there are, and the one that is read and made.

The machine is the office's own (:mod:`licenses.ladder.services`): a holder commits, or drops it, and nothing
else; the office accepts, and its acceptance makes the form as it does at the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from cases.models import Case
from licenses.ladder.errors import RungEventError, RungUnknownError
from licenses.ladder.models import LadderRung
from licenses.ladder.services import Happening, LadderService, RungView
from licenses.ladder.states import RungEventKind
from licenses.rule_definition import Requirement
from storage.database import UnitOfWork
from storage.identity import Identity, Role

MOST: Final = 50
OWN_EVENTS: Final = (RungEventKind.COMMITTED, RungEventKind.DROPPED)
"""What a holder may say of a commitment."""
_KIND: Final = "commitment"


@dataclass(frozen=True, slots=True)
class OwnCommitment:
    """A commitment as a list shows it to its holder.

    Attributes:
        requirement: What it is to establish; none where its rule is not held.
    """

    row: LadderRung
    case: Case
    requirement: Requirement | None


class OwnCommitments:
    """What a holder sees of own commitments, and does to them.

    Args:
        ladder: Whose machine it is.
    """

    def __init__(self, ladder: LadderService) -> None:
        self._ladder = ladder

    def listed(self, uow: UnitOfWork, identity: Identity) -> Sequence[OwnCommitment]:
        """Give the newest commitments for own cases, the last first.

        Raises:
            NotPermittedError: The caller is no holder.
        """
        identity.demand(Role.HOLDER)
        query = (
            select(LadderRung, Case)
            .join(Case, Case.id == LadderRung.case_id)
            .where(LadderRung.holder_id == identity.id, LadderRung.kind == _KIND)
            .order_by(LadderRung.taken_at.desc(), LadderRung.id.desc())
            .limit(MOST)
        )
        return [OwnCommitment(row, case, self._requirement(row)) for row, case in uow.session.execute(query)]

    def view(self, uow: UnitOfWork, identity: Identity, rung_id: str) -> RungView:
        """Give an own commitment; the look is recorded.

        Raises:
            RungUnknownError: Unknown, no commitment, or somebody else's.
        """
        self._demand(uow, identity, rung_id)
        return self._ladder.view(uow, identity, rung_id)

    def happen(self, uow: UnitOfWork, identity: Identity, rung_id: str, kind: RungEventKind) -> None:
        """Commit, or say that the proof is brought instead; the act is the holder's.

        Raises:
            RungUnknownError: See :meth:`view`.
            RungEventError: Not possible in its state, or none of :data:`OWN_EVENTS`.
            CommitmentBarredError: The holder is barred from commitments since it was offered.
        """
        self._demand(uow, identity, rung_id)
        if kind not in OWN_EVENTS:
            raise RungEventError
        words = "本人不作承诺" if kind is RungEventKind.DROPPED else ""
        self._ladder.happen(uow, identity, rung_id, Happening(kind, words))

    def _requirement(self, row: LadderRung) -> Requirement | None:
        try:
            return self._ladder.requirement(row)
        except RungUnknownError:
            return None

    def _demand(self, uow: UnitOfWork, identity: Identity, rung_id: str) -> None:
        identity.demand(Role.HOLDER)
        row = uow.session.get(LadderRung, rung_id)
        if row is None or row.holder_id != identity.id or row.kind != _KIND:
            raise RungUnknownError
