# SPDX-License-Identifier: Apache-2.0
"""Use of seals: intent, sealing, outcome; every attempt leaves a record, refusals included.

``plan`` and ``record`` run inside the caller's transaction; ``perform`` runs outside any. A sealed
document leaves ``perform`` only after it was re-read and judged valid by our own verification and still
fulfils the rules of PDF/A that sealing could break.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seals import cms, presealing, signer
from seals.changes import Structure
from seals.containers import find
from seals.errors import NotSealableError, SealingFailedError, SealRefusedError, TokenRefusedError
from seals.keys import KeyStore
from seals.lifecycle import SealState
from seals.models import Seal, Sealing
from seals.orders import SealedDocument, SealFacts, SealOrder, SealRequest
from seals.register import events_of, state_of
from seals.tokens import TimestampAuthority, TokenInfo, verify_token
from seals.trust import RegisteredSeal, Revocation, StateChange, TrustList
from seals.verdicts import State, Verdict
from seals.verification import verify_detached, verify_pdf
from storage.clock import Clock
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role, system_identity
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.kinds import ActKind
from storage.steps import Later

REFUSED_RETRY_SECONDS = 3600.0
"""A step that was refused a seal is woken when a seal is enabled or resumed; this is for what no event
announces."""

_REASONS = {
    "catalogue": "归档 Archival filing",
    "rendition": "归档 Archival filing",
    "licence": "电子证照签发 Licence issued",
    "copy": "制作加注件 Annotated copy",
    "manifest": "归档 Archival filing",
    "decision": "核验结论 Decision",
    "commitment": "受理告知承诺 Commitment accepted",
}
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class SealingService:
    """Seals documents with registered seals.

    Args:
        keys: Where the seals' keys live.
        authority: Who stamps the time.
        trust: Gives anchors and current revocation lists; the register is not needed here.
        clock: The time.
    """

    def __init__(
        self, keys: KeyStore, authority: TimestampAuthority, trust: Callable[[], TrustList], clock: Clock
    ) -> None:
        self._keys = keys
        self._authority = authority
        self._trust = trust
        self._clock = clock
        self._signatories: dict[str, cms.Signatory] = {}

    def plan(self, uow: UnitOfWork, identity: Identity, request: SealRequest) -> SealOrder:
        """Choose a seal and record the intent to use it.

        Raises:
            NotPermittedError: Only the product's own processes use seals; who manages them does not.
            SealRefusedError: No enabled seal covers the request. The refusal is recorded in this
                transaction, so the caller must let it commit.
        """
        if not identity.has(Role.SYSTEM):
            raise NotPermittedError
        seal, reason = _choose(uow.session, request)
        if seal is None:
            self._refuse(uow, identity, request, reason)
            raise SealRefusedError(reason=reason)
        row = _sealing_row(uow, identity, request, seal.id, "intended")
        promise = uow.record(
            _act(
                ActKind.SEALING_INTENDED,
                identity,
                row,
                request.subject,
                Outcome.INTENDED,
                notes={"seal": seal.id},
            )
        )
        return SealOrder(
            sealing=row.id,
            intent=promise.core_sha256,
            seal=seal.id,
            name=seal.name,
            department=seal.department,
            key=seal.key_reference,
            certificate=seal.certificate,
            document_type=request.document_type,
            case=request.case,
            object_id=request.object_id,
            subject=request.subject,
            stamp=request.stamp,
        )

    def plan_all(
        self, uow: UnitOfWork, identity: Identity, requests: Sequence[SealRequest]
    ) -> list[SealOrder] | Later:
        """Record the intent of every request, or none: what a step's ``plan`` does with its seals.

        When one is refused, the refusal stands in the ledger with this transaction, the intents before it
        are closed as abandoned, and the step waits.

        Raises:
            NotPermittedError: As :meth:`plan`.
        """
        orders: list[SealOrder] = []
        try:
            for request in requests:
                orders.append(self.plan(uow, identity, request))
        except SealRefusedError as refusal:
            for order in orders:
                self.abandon(uow, identity, order)
            return Later(refusal.code, REFUSED_RETRY_SECONDS)
        return orders

    def _refuse(self, uow: UnitOfWork, identity: Identity, request: SealRequest, reason: str) -> None:
        row = _sealing_row(uow, identity, request, None, "refused")
        act = _act(ActKind.SEALING_REFUSED, identity, row, request.subject, Outcome.REFUSED)
        uow.record(dataclasses.replace(act, reasons=(reason,)))

    def perform(self, order: SealOrder, pdf: bytes) -> SealedDocument:
        """Seal a PDF: certified P=2, PAdES B-T; no transaction may be open.

        Raises:
            NotSealableError: The document must not be sealed (``reason`` says why).
            TokenRefusedError: The time-stamp token does not hold; nothing was embedded.
            SealingFailedError: The result did not pass our own check.
        """
        try:
            return self._seal(order, pdf)
        except presealing.UnsealableError as error:
            raise NotSealableError(error.reason, _refusal_of(order, error.reason)) from error

    def _seal(self, order: SealOrder, pdf: bytes) -> SealedDocument:
        presealing.demand_sealable(pdf)
        # PDF/A wants a line end between the last line of the file and what is appended (6.1.9).
        base = pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"
        trust = self._trust()
        signatory = self._signatory(order)
        tokens: list[TokenInfo] = []
        prepared = signer.prepare(
            base,
            signatory,
            at=self._clock.now(),
            name=order.name,
            reason=_REASONS[order.document_type],
            stamp=order.stamp,
        )
        signature = cms.sign(signatory, digest=prepared.digest, stamp=self._stamper(trust, tokens))
        sealed = prepared.fill(signature)
        self._check(order, pdf, sealed, trust)
        return _document(pdf, sealed, prepared.digest, signature, tokens[0])

    def perform_detached(self, order: SealOrder, data: bytes) -> SealedDocument:
        """Seal any bytes beside the file (CAdES B-T); ``data`` of the result is the ``.p7s``.

        Raises:
            TokenRefusedError: The time-stamp token does not hold.
            SealingFailedError: The result did not pass our own check.
        """
        trust = self._trust()
        signatory = self._signatory(order)
        tokens: list[TokenInfo] = []
        digest = hashlib.sha256(data).digest()
        signature = cms.sign(
            signatory, digest=digest, signing_time=self._clock.now(), stamp=self._stamper(trust, tokens)
        )
        _demand_valid(verify_detached(data, signature, _with(order, trust), self._clock.now()))
        return _document(data, signature, digest, signature, tokens[0])

    def record(
        self, uow: UnitOfWork, identity: Identity, order: SealOrder, sealed: SealedDocument | SealFacts
    ) -> Promise:
        """Record the outcome of an intent."""
        facts = sealed.facts if isinstance(sealed, SealedDocument) else sealed
        row = uow.session.get_one(Sealing, order.sealing)
        row.state = "sealed"
        row.before_sha256 = facts.before_sha256
        row.after_sha256 = facts.after_sha256
        row.after_sm3 = facts.after_sm3
        row.signed_sha256 = facts.signed_sha256
        row.cms_sha256 = facts.cms_sha256
        row.token_serial = facts.token_serial
        row.sealed_at = facts.sealed_at
        row.finished_at = uow.clock.now()
        act = _act(ActKind.SEALING_SEALED, identity, row, order.subject, Outcome.DONE)
        return uow.record(dataclasses.replace(act, object_sha256=facts.after_sha256, intent=order.intent))

    def abandon(self, uow: UnitOfWork, identity: Identity, order: SealOrder) -> Promise:
        """Close an intent whose outcome was lost, or that failed; never refused."""
        row = uow.session.get_one(Sealing, order.sealing)
        return close_abandoned(uow, identity, row, order.subject, order.intent)

    def _signatory(self, order: SealOrder) -> cms.Signatory:
        known = self._signatories.get(order.seal)
        if known is None or known.certificate != order.certificate:
            known = cms.Signatory.of(order.certificate, order.key, self._keys)
            self._signatories[order.seal] = known
        return known

    def _stamper(self, trust: TrustList, tokens: list[TokenInfo]) -> Callable[[bytes], bytes]:
        def stamp(imprint: bytes) -> bytes:
            token = self._authority.stamp(imprint)
            info = verify_token(token, imprint, trust, now=self._clock.now())
            if info.revocation is not Revocation.GOOD:
                raise TokenRefusedError(reason=str(info.revocation))
            tokens.append(info)
            return token

        return stamp

    def _check(self, order: SealOrder, before: bytes, sealed: bytes, trust: TrustList) -> None:
        _demand_valid(verify_pdf(sealed, _with(order, trust), None, self._clock.now()))
        if not sealed.startswith(before):
            raise SealingFailedError(reason="content-rewritten")
        findings = Structure(sealed, find(sealed)).pdfa_findings()
        if findings:
            raise SealingFailedError(reason=findings[0])


def _with(order: SealOrder, trust: TrustList) -> TrustList:
    enabled = (StateChange(_EPOCH, SealState.ENABLED),)
    return trust.with_seals(
        [RegisteredSeal(order.seal, order.name, order.department, order.certificate, enabled)]
    )


def _demand_valid(verdict: Verdict) -> None:
    if verdict.state is not State.VALID:
        raise SealingFailedError(reason=verdict.reasons[0])


def _document(
    before: bytes, after: bytes, signed: bytes, signature: bytes, token: TokenInfo
) -> SealedDocument:
    facts = SealFacts(
        before_sha256=hashlib.sha256(before).hexdigest(),
        after_sha256=hashlib.sha256(after).hexdigest(),
        after_sm3=_sm3(after),
        signed_sha256=signed.hex(),
        cms_sha256=hashlib.sha256(signature).hexdigest(),
        sealed_at=token.gen_time,
        token_serial=str(token.serial),
        size=len(after),
    )
    return SealedDocument(after, facts)


def _sm3(data: bytes) -> str | None:
    try:
        return hashlib.new("sm3", data).hexdigest()
    except ValueError:
        return None


def _choose(session: Session, request: SealRequest) -> tuple[Seal | None, str]:
    reason = "no-seal"
    for seal in session.scalars(select(Seal).order_by(Seal.registered_at, Seal.id)):
        if request.department not in seal.scope["departments"]:
            continue
        if not _covers(seal.scope, request):
            reason = "out-of-scope" if reason == "no-seal" else reason
            continue
        state = state_of(events_of(session, seal.id))
        if state is SealState.ENABLED:
            return seal, ""
        reason = f"seal-{state}"
    return None, reason


def _covers(scope: dict[str, list[str]], request: SealRequest) -> bool:
    items, documents = scope["items"], scope["document_types"]
    return ("*" in items or request.item in items) and request.document_type in documents


def _sealing_row(
    uow: UnitOfWork, identity: Identity, request: SealRequest, seal_id: str | None, state: str
) -> Sealing:
    now = uow.clock.now()
    row = Sealing(
        id=uow.ids.new_id(),
        seal_id=seal_id,
        state=state,
        department=request.department,
        item=request.item,
        document_type=request.document_type,
        object_id=request.object_id,
        case_id=request.case,
        requested_by=identity.id,
        requested_at=now,
        stamp=None if request.stamp is None else request.stamp.as_json(),
        finished_at=now if state == "refused" else None,
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def close_abandoned(uow: UnitOfWork, identity: Identity, row: Sealing, subject: str, intent: str) -> Promise:
    """Close an intended use of a seal as abandoned.

    Args:
        uow: The unit of work.
        identity: Who closes it.
        row: The use.
        subject: Whose data its act holds.
        intent: Act of the intent.
    """
    row.state = "abandoned"
    row.finished_at = uow.clock.now()
    act = _act(ActKind.SEALING_ABANDONED, identity, row, subject, Outcome.ABANDONED)
    return uow.record(dataclasses.replace(act, intent=intent))


def _act(
    kind: ActKind,
    identity: Identity,
    row: Sealing,
    subject: str,
    outcome: Outcome,
    notes: dict[str, str] | None = None,
) -> Act:
    return Act(
        kind=kind,
        actor=identity,
        object_type="sealing",
        object_id=row.id,
        outcome=outcome,
        case=row.case_id,
        subject=subject,
        rows=(row,),
        notes={"document_type": row.document_type, "object": row.object_id, **(notes or {})},
    )


def _refusal_of(order: SealOrder, reason: str) -> Act:
    return Act(
        kind=ActKind.SEALING_REFUSED,
        actor=system_identity("worker", order.department),
        object_type="sealing",
        object_id=order.sealing,
        outcome=Outcome.REFUSED,
        case=order.case,
        subject=order.subject,
        rows=(),
        notes={"document_type": order.document_type, "object": order.object_id, "seal": order.seal},
        reasons=(reason,),
    )
