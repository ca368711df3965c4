# SPDX-License-Identifier: Apache-2.0
"""Holders sign in, and a session tells who they are. Nothing the provider told is stored or logged.

A holder is found by the keyed hash of the code that the provider vouches for. Somebody of whom we hold
nothing may sign in as well, and sees that.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from cases.holders import HolderService
from cases.models import Holder
from portal.accounts.services import new_secret, secret_hash
from portal.citizens.claims import ClaimNames, Vouched, read_claims, tells_code
from portal.citizens.errors import HolderNameDiffersError, SignInNotAcceptedError
from portal.citizens.flow import Flow
from portal.citizens.models import HolderSession
from portal.citizens.provider import Provider
from storage.clock import Clock, IdSource, legal_date
from storage.database import UnitOfWork
from storage.identity import PUBLIC, AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT


@dataclass(frozen=True, slots=True)
class SignedInHolder:
    """Whose session it is, and how pages look unless the person chose otherwise."""

    identity: Identity
    elder: bool


class CitizenService:
    """Signs holders in and out.

    Args:
        provider: Where they prove who they are.
        names: What that provider calls its claims.
        holders: Finds holders by their codes.
        clock: Where time comes from.
        ids: Where secrets come from.
        life: How long a session lasts.
    """

    def __init__(
        self,
        provider: Provider,
        names: ClaimNames,
        holders: HolderService,
        clock: Clock,
        ids: IdSource,
        life: dt.timedelta,
    ) -> None:
        self.provider = provider
        self._names = names
        self._holders = holders
        self._clock = clock
        self._ids = ids
        self._life = life

    def begin(self, language: str) -> tuple[Flow, str]:
        """Begin a sign-in; give it and where the browser goes.

        Raises:
            ProviderUnavailableError: The provider does not answer.
        """
        flow = Flow.begin(self._ids, self._clock.now())
        return flow, self.provider.authorization_address(flow, language)

    def vouched(self, secret: str, state: str, code: str) -> tuple[Flow, Vouched]:
        """Give who came back from the provider; it is asked, so no unit of work may be open.

        Args:
            secret: What the browser kept of the sign-in.
            state: What came back.
            code: Likewise.

        Raises:
            SignInNotAcceptedError: The sign-in is not this browser's, or the provider does not stand by it.
            ProviderUnavailableError: The provider does not answer.
        """
        flow = Flow.read(secret, self._clock.now())
        if flow is None or not flow.is_mine(state) or not code:
            raise SignInNotAcceptedError
        claims = self.provider.claims(flow, code, lambda found: tells_code(found, self._names))
        return flow, read_claims(claims, self._names)

    def sign_in(self, uow: UnitOfWork, flow: Flow, vouched: Vouched) -> str:
        """Start a session; give its token, which is told this once.

        Raises:
            SignInNotAcceptedError: The sign-in was completed before.
            HolderNameDiffersError: Our records hold the code under another name; the caller records it.
        """
        if uow.session.scalar(select(HolderSession.id).where(HolderSession.flow_hash == flow.digest)):
            raise SignInNotAcceptedError
        holder = self._holder(uow, vouched)
        token, now = new_secret(uow.ids), uow.clock.now()
        started = HolderSession(
            id=uow.ids.new_id(),
            holder_id=holder.id if holder is not None else None,
            token_hash=secret_hash(token),
            flow_hash=flow.digest,
            elder=vouched.is_elder(legal_date(now)),
            started_at=now,
            expires_at=now + self._life,
        )
        uow.session.add(started)
        uow.session.flush()
        who = _identity(started)
        uow.record(
            Act(
                kind=ActKind.HOLDER_SIGNED_IN,
                actor=who,
                object_type="holder",
                object_id=who.id,
                subject=started.holder_id or SYSTEM_SUBJECT,
            )
        )
        return token

    def signed_in(self, uow: UnitOfWork, token: str) -> SignedInHolder | None:
        """Give whose session a token opens, or ``None`` if it is not running."""
        found = uow.session.scalar(
            select(HolderSession).where(HolderSession.token_hash == secret_hash(token))
        )
        if found is None or found.ended_at is not None or found.expires_at <= uow.clock.now():
            return None
        return SignedInHolder(_identity(found), found.elder)

    def sign_out(self, uow: UnitOfWork, identity: Identity) -> None:
        """End the caller's session."""
        found = uow.session.get(HolderSession, identity.session)
        if found is not None and found.ended_at is None:
            found.ended_at = uow.clock.now()

    def _holder(self, uow: UnitOfWork, vouched: Vouched) -> Holder | None:
        holder = self._holders.find(uow, *vouched.holder)
        if holder is not None and not vouched.is_named(self._holders.reveal(uow, holder).name):
            refusal = Act(
                kind=ActKind.ACCESS_REFUSED,
                actor=PUBLIC,
                object_type="holder",
                object_id=holder.id,
                outcome=Outcome.REFUSED,
                subject=holder.id,
                reasons=[HolderNameDiffersError.code],
            )
            raise HolderNameDiffersError(refusal)
        return holder


def _identity(session: HolderSession) -> Identity:
    """Give who a session is; whoever has nothing here is known by the session alone."""
    return Identity(
        "holder",
        session.holder_id or session.id,
        "",
        frozenset({Role.HOLDER}),
        AccessBasis(Basis.HOLDER),
        session=session.id,
    )
