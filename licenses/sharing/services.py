# SPDX-License-Identifier: Apache-2.0
"""Subscriptions 订阅: a client asks for its organisation, a security administrator decides, either ends it.

Guarantees: nothing is told before a second person approved, and nothing after the end; what was approved is
what is told (terms never change, another wish is another subscription); a secret is told once.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from cases.identifiers import is_plain
from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.sharing.envelope import SECRET_BYTES, new_secret
from licenses.sharing.errors import (
    SubscriptionClosedError,
    SubscriptionNotRunningError,
    SubscriptionsTooManyError,
    SubscriptionUnknownError,
)
from licenses.sharing.feed import feed_end, start_of
from licenses.sharing.models import (
    About,
    Subscription,
    SubscriptionHolder,
    SubscriptionPlace,
    SubscriptionState,
)
from licenses.sharing.ports import Sender
from licenses.sharing.terms import Terms, Wish
from storage.base import Base
from storage.database import UnitOfWork
from storage.errors import InvalidInputError, NotPermittedError
from storage.identity import Identity, Role, system_identity
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT

SCOPE: Final = "subscribe"
NEEDED: Final[Mapping[str, str]] = {About.PROOFS: "ask", About.QUESTIONS: "answer"}
"""By what a subscription is about, the scope without which a client has nothing to be told of."""
OPEN_FOR: Final = dt.timedelta(days=7)
FORMER_SIGNS_FOR: Final = dt.timedelta(hours=24)
"""How long the secret before a rotation signs as well."""
WORKER: Final = system_identity("worker")
MOST_PER_CLIENT: Final = 50
_LONGEST_REASON: Final = 500
READERS: Final = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.SUPERVISOR)
"""Who sees all subscriptions and how delivering stands."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A subscription that waits for its decision; the secret is told this once."""

    subscription: Subscription
    secret: str | None
    promise: Promise


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A subscription as clients and administrators see it.

    Attributes:
        row: The subscription.
        place: How far it is, once something was to be told.
        reason: Why it is wanted.
        decision: What the second person said.
        late: Whether nobody decided in time.
    """

    row: Subscription
    place: SubscriptionPlace | None
    reason: str
    decision: str
    late: bool

    @property
    def standing(self) -> str:
        """Give the word for how it stands."""
        return "late" if self.late else self.row.state


class SubscriptionService:
    """Takes wishes, has them decided, ends them.

    Args:
        types: The catalogue of licence types.
        items: The catalogue of items.
        sender: Knows which addresses may be sent to.
    """

    def __init__(self, types: TypeCatalogue, items: ItemCatalogue, sender: Sender) -> None:
        self._terms = Terms(types, items, sender)

    def ask(self, uow: UnitOfWork, identity: Identity, wish: Wish) -> Asked:
        """Ask for a subscription of the client's own organisation.

        Raises:
            NotPermittedError: The caller is no client that may subscribe, or has nothing to be told of.
            SubscriptionTermsError, EndpointRefusedError: The wish breaks a rule.
            SubscriptionsTooManyError: The client has as many as it may have.
        """
        _demand_client(identity)
        needed = NEEDED.get(wish.about)
        if needed is not None and needed not in identity.scopes:
            raise NotPermittedError
        hashes = self._terms.check(uow, wish)
        standing = select(func.count()).where(
            Subscription.client_id == identity.id,
            Subscription.state.in_((SubscriptionState.OPEN, SubscriptionState.APPROVED)),
        )
        if (uow.session.scalar(standing) or 0) >= MOST_PER_CLIENT:
            raise SubscriptionsTooManyError(most=MOST_PER_CLIENT)
        now = uow.clock.now()
        secret = None if wish.endpoint is None else _fresh_secret(uow)
        row = Subscription(
            id=uow.ids.new_id(),
            client_id=identity.id,
            organisation=identity.organisation,
            name=wish.name,
            about=wish.about,
            types=sorted(set(wish.types)),
            items=sorted(set(wish.items)),
            holders=len(hashes),
            purpose=wish.purpose,
            endpoint=wish.endpoint,
            secret_cipher=None if secret is None else uow.secrets.encrypt(SYSTEM_SUBJECT, secret.encode()),
            state=SubscriptionState.OPEN,
            reason_cipher=_reason(uow, wish.reason),
            asked_by=identity.operator,
            asked_at=now,
            expires_at=now + OPEN_FOR,
        )
        holders = [
            SubscriptionHolder(subscription_id=row.id, scheme=scheme, code_hash=code_hash)
            for scheme, code_hash in hashes
        ]
        uow.session.add_all([row, *holders])
        uow.session.flush()
        promise = uow.record(_act(ActKind.SUBSCRIPTION_REQUESTED, identity, row, [row, *holders]))
        return Asked(row, secret, promise)

    def approve(self, uow: UnitOfWork, identity: Identity, subscription_id: str, reason: str) -> Promise:
        """Approve a subscription: whatever changes from now on is told.

        Raises:
            NotPermittedError: The caller is no security administrator, or the operator who asked.
            SubscriptionUnknownError, SubscriptionClosedError: There is none to decide.
        """
        row = self._to_decide(uow, identity, subscription_id)
        row.start = feed_end(uow)
        return self._decide(uow, identity, row, SubscriptionState.APPROVED, reason)

    def refuse(self, uow: UnitOfWork, identity: Identity, subscription_id: str, reason: str) -> Promise:
        """Refuse a subscription; raises as :meth:`approve`."""
        row = self._to_decide(uow, identity, subscription_id)
        return self._decide(uow, identity, row, SubscriptionState.REFUSED, reason)

    def end(
        self, uow: UnitOfWork, identity: Identity, subscription_id: str, reason: str | None = None
    ) -> Promise:
        """End a subscription, or take the wish for it back: nothing more is told.

        The client ends its own, a system or security administrator any, with a reason.

        Raises:
            InvalidInputError: An administrator gives no reason.
            SubscriptionUnknownError: There is none of the caller's.
            SubscriptionClosedError: It has ended, or was refused.
        """
        if identity.has(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
            row, because = uow.session.get(Subscription, subscription_id), "administrator"
            reason = _plain_reason(reason or "")
        else:
            row, because = self._own(uow, identity, subscription_id), "client"
        if row is None:
            raise SubscriptionUnknownError
        return end_subscription(uow, identity, row, because, reason)

    def rotate(self, uow: UnitOfWork, identity: Identity, subscription_id: str) -> tuple[str, Promise]:
        """Give the client's own subscription a new secret; the one before signs as well for a day.

        Raises:
            SubscriptionUnknownError: There is none of the caller's.
            SubscriptionNotRunningError: Nothing is sent for it.
        """
        row = self._own(uow, identity, subscription_id)
        if row.endpoint is None or row.state not in {SubscriptionState.OPEN, SubscriptionState.APPROVED}:
            raise SubscriptionNotRunningError
        secret = _fresh_secret(uow)
        row.former_cipher, row.former_until = row.secret_cipher, uow.clock.now() + FORMER_SIGNS_FOR
        row.secret_cipher = uow.secrets.encrypt(SYSTEM_SUBJECT, secret.encode())
        uow.session.flush()
        return secret, uow.record(_act(ActKind.SUBSCRIPTION_ROTATED, identity, row, [row]))

    def own(self, uow: UnitOfWork, identity: Identity) -> list[SubscriptionView]:
        """Give the client's own subscriptions, newest first.

        Raises:
            NotPermittedError: The caller is no client that may subscribe.
        """
        _demand_client(identity)
        query = select(Subscription).where(Subscription.client_id == identity.id)
        rows = uow.session.scalars(query.order_by(Subscription.asked_at.desc(), Subscription.id))
        return [view_of(uow, row) for row in rows]

    def own_one(self, uow: UnitOfWork, identity: Identity, subscription_id: str) -> SubscriptionView:
        """Give one of the client's own.

        Raises:
            SubscriptionUnknownError: There is none of the caller's.
        """
        return view_of(uow, self._own(uow, identity, subscription_id))

    def all(self, uow: UnitOfWork, identity: Identity, most: int = 200) -> list[SubscriptionView]:
        """Give every subscription, those that wait first, then the newest.

        Raises:
            NotPermittedError: The caller neither administers nor supervises.
        """
        identity.demand(*READERS)
        waits = Subscription.state == SubscriptionState.OPEN
        order = (waits.desc(), Subscription.asked_at.desc(), Subscription.id)
        rows = uow.session.scalars(select(Subscription).order_by(*order).limit(most))
        return [view_of(uow, row) for row in rows]

    def _own(self, uow: UnitOfWork, identity: Identity, subscription_id: str) -> Subscription:
        _demand_client(identity)
        row = uow.session.get(Subscription, subscription_id)
        if row is None or row.client_id != identity.id:
            raise SubscriptionUnknownError
        return row

    def _to_decide(self, uow: UnitOfWork, identity: Identity, subscription_id: str) -> Subscription:
        identity.demand(Role.SECURITY_ADMIN)
        row = uow.session.get(Subscription, subscription_id)
        if row is None:
            raise SubscriptionUnknownError
        if row.state != SubscriptionState.OPEN or row.expires_at <= uow.clock.now():
            raise SubscriptionClosedError
        if identity.id == row.asked_by:
            raise NotPermittedError
        return row

    def _decide(
        self, uow: UnitOfWork, identity: Identity, row: Subscription, state: SubscriptionState, reason: str
    ) -> Promise:
        row.state, row.decided_by, row.decided_at = state, identity.id, uow.clock.now()
        row.decision_cipher = _reason(uow, reason)
        uow.session.flush()
        approved = state is SubscriptionState.APPROVED
        kind = ActKind.SUBSCRIPTION_APPROVED if approved else ActKind.SUBSCRIPTION_REFUSED
        return uow.record(_act(kind, identity, row, [row]))


def end_subscription(
    uow: UnitOfWork, actor: Identity, row: Subscription, because: str, reason: str | None = None
) -> Promise:
    """End a subscription.

    Args:
        uow: A writing unit of work.
        actor: Who ends it.
        row: The subscription.
        because: ``client``, ``administrator``, ``gone`` (the endpoint said so) or ``client-ended``.
        reason: In an administrator's words.

    Raises:
        SubscriptionClosedError: It has ended, or was refused.
    """
    if row.state not in {SubscriptionState.OPEN, SubscriptionState.APPROVED}:
        raise SubscriptionClosedError
    row.state, row.ended_because = SubscriptionState.ENDED, because
    row.ended_by, row.ended_at = actor.id, uow.clock.now()
    uow.session.flush()
    return uow.record(
        Act(
            kind=ActKind.SUBSCRIPTION_ENDED,
            actor=actor,
            object_type="subscription",
            object_id=row.id,
            reasons=[because],
            rows=[row],
            notes={} if reason is None else {"reason": reason},
        )
    )


def is_told(row: Subscription) -> bool:
    """Tell whether events are sent for a subscription."""
    return row.state == SubscriptionState.APPROVED and row.endpoint is not None


def place_of(uow: UnitOfWork, row: Subscription) -> SubscriptionPlace:
    """Give how far an approved subscription is; one that nothing is known of begins where it was approved."""
    found = uow.session.get(SubscriptionPlace, row.id)
    if found is None:
        start = start_of(row.start or 0)
        found = SubscriptionPlace(subscription_id=row.id, seq=start.seq, place=start.place, streak=0, told=0)
        uow.session.add(found)
        uow.session.flush()
    return found


def view_of(uow: UnitOfWork, row: Subscription) -> SubscriptionView:
    """Give a subscription with what is encrypted of it, in clear."""
    return SubscriptionView(
        row=row,
        place=uow.session.get(SubscriptionPlace, row.id),
        reason=uow.secrets.decrypt(row.reason_cipher).decode(),
        decision="" if row.decision_cipher is None else uow.secrets.decrypt(row.decision_cipher).decode(),
        late=row.state == SubscriptionState.OPEN and row.expires_at <= uow.clock.now(),
    )


def _plain_reason(reason: str) -> str:
    text = reason.strip()
    if not 1 <= len(text) <= _LONGEST_REASON or not is_plain(text):
        raise InvalidInputError(field="reason", rule=f"1 to {_LONGEST_REASON} characters that are seen")
    return text


def _reason(uow: UnitOfWork, reason: str) -> bytes:
    return uow.secrets.encrypt(SYSTEM_SUBJECT, _plain_reason(reason).encode())


def _fresh_secret(uow: UnitOfWork) -> str:
    return new_secret((uow.ids.nonce() + uow.ids.nonce())[:SECRET_BYTES])


def _demand_client(identity: Identity) -> None:
    if not identity.has(Role.CLIENT) or SCOPE not in identity.scopes:
        raise NotPermittedError


def _act(kind: ActKind, actor: Identity, row: Subscription, rows: Sequence[Base]) -> Act:
    return Act(
        kind=kind,
        actor=actor,
        object_type="subscription",
        object_id=row.id,
        rows=rows,
    )
