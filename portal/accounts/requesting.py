# SPDX-License-Identifier: Apache-2.0
"""Requests for rights, and what is recorded of them; reasons lie under the key of whom they concern."""

from typing import Any, Final

from portal.accounts.carrying import ChangeKind
from portal.accounts.models import RightChange
from portal.accounts.reasons import encrypted_reason
from portal.accounts.second_person import OPEN_FOR, DecisionState
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT

_OF_PERSONS: Final = frozenset(
    {
        ChangeKind.ACCOUNT_ADD,
        ChangeKind.ACCOUNT_POST,
        ChangeKind.ACCOUNT_END,
        ChangeKind.ACCOUNT_DOCUMENT,
        ChangeKind.ACCOUNT_DOCUMENT_END,
    }
)
_ACTS: Final = {
    DecisionState.APPROVED: ActKind.RIGHT_APPROVED,
    DecisionState.REFUSED: ActKind.RIGHT_REFUSED,
    DecisionState.WITHDRAWN: ActKind.RIGHT_WITHDRAWN,
}


def new_request(
    uow: UnitOfWork,
    identity: Identity,
    kind: ChangeKind,
    object_id: str,
    terms: dict[str, Any],
    reason: str,
) -> RightChange:
    """Make the row of a request; who calls completes and then records it.

    Raises:
        NotPermittedError: The caller is no system administrator.
        InvalidInputError: The reason is none.
    """
    identity.demand(Role.SYSTEM_ADMIN)
    now = uow.clock.now()
    return RightChange(
        id=uow.ids.new_id(),
        kind=kind,
        state=DecisionState.OPEN,
        object_id=object_id,
        organisation=terms["organisation"],
        terms=terms,
        reason_cipher=encrypted_reason(uow, _subject(kind, object_id), reason),
        requested_by=identity.id,
        requested_at=now,
        expires_at=now + OPEN_FOR,
    )


def record_request(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    """Store and record a request."""
    uow.session.add(change)
    uow.session.flush()
    uow.record(_act(ActKind.RIGHT_REQUESTED, identity, change))


def record_decision(
    uow: UnitOfWork, identity: Identity, change: RightChange, state: DecisionState, reason: str
) -> Promise:
    """Store and record a decision; what nobody approved is forgotten of an identity document.

    Raises:
        InvalidInputError: The reason is none.
    """
    change.state = state
    change.decided_by = identity.id
    change.decided_at = uow.clock.now()
    subject = _subject(ChangeKind(change.kind), change.object_id)
    change.decision_cipher = encrypted_reason(uow, subject, reason)
    if state is not DecisionState.APPROVED:
        change.document_cipher = None
    uow.session.flush()
    return uow.record(_act(_ACTS[state], identity, change))


def _subject(kind: ChangeKind, object_id: str) -> str:
    return object_id if kind in _OF_PERSONS else SYSTEM_SUBJECT


def _act(kind: ActKind, identity: Identity, change: RightChange) -> Act:
    return Act(
        kind=kind,
        actor=identity,
        object_type="right-change",
        object_id=change.id,
        subject=_subject(ChangeKind(change.kind), change.object_id),
        reasons=[change.kind],
        rows=[change],
    )
