# SPDX-License-Identifier: Apache-2.0
"""The licence room's tables. Faces and decisions are encrypted under the holder's key."""

import datetime as dt

from sqlalchemy import Date, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from licenses.stock.folding import folded_number
from storage.base import Base, Instant

_FOLDED = text("folded_number IS NOT NULL")
_CORRECTING = text("change = 'correction'")
"""Few of all licences, which recall the decisions that relied on what they correct."""


def _fold(context: DefaultExecutionContext) -> str:
    given = context.get_current_parameters()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return folded_number(given["number"])


class License(Base):
    """A licence. Its effective status is computed from this row, its events, the clock and its seal.

    Attributes:
        identifier: GB/T 36904 identifier, unique for ever.
        face_cipher: Canonical JSON of the face fields, with name and code of the holder.
        code: The 128-bit verification code of the QR link, 26 characters.
        data_sha256: Keyed digest of the licence data as filed: tells a repetition from a contradiction.
        holder_id: Who holds it; the first of several, who then stand in :class:`LicenseHolder`.
        case_id: The case that gave it; none for stock and for what an office issued by itself.
        previous_id: The licence that this one replaces.
        change: Why it replaces that one: ``renewal``, ``change``, ``reissue``, ``correction``.
        trust: Trust level 可信等级, ``A`` (issued here, sealed) to ``D``.
        origin: ``case``, ``office`` or ``stock``.
        folded_number: The number as an import of stock compares it; none for stock, which has a keyed digest.
        status_index: Its place in the status list, given once and never used again.
        object_sha256: The sealed file, once issued.
        seal_id: The seal that was used.
        sealing_act: Act id of the sealing.
        issue_step: Id of the step that makes the file; steps that need it wait for that one.
    """

    __tablename__ = "license"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(128), unique=True)
    type_code: Mapped[str] = mapped_column(String(21))
    type_version: Mapped[str] = mapped_column(String(16))
    issuer_code: Mapped[str] = mapped_column(String(18))
    issuer_name: Mapped[str] = mapped_column(String(120))
    organisation: Mapped[str] = mapped_column(String(40), index=True)
    holder_id: Mapped[str] = mapped_column(String(26))
    case_id: Mapped[str | None] = mapped_column(String(26), unique=True)
    item_code: Mapped[str | None] = mapped_column(String(64))
    item_edition: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    previous_id: Mapped[str | None] = mapped_column(String(26), index=True)
    change: Mapped[str | None] = mapped_column(String(16))
    trust: Mapped[str] = mapped_column(String(1), server_default="A")
    origin: Mapped[str] = mapped_column(String(8), server_default="case")
    status_index: Mapped[int | None] = mapped_column(Integer, unique=True)
    number: Mapped[str] = mapped_column(String(80))
    folded_number: Mapped[str | None] = mapped_column(String(80), default=_fold)
    issued_on: Mapped[dt.date] = mapped_column(Date)
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_until: Mapped[dt.date | None] = mapped_column(Date)
    face_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    data_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    code: Mapped[str] = mapped_column(String(26), unique=True)
    reserved_at: Mapped[dt.datetime] = mapped_column(Instant)
    issued_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    object_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    object_size: Mapped[int | None] = mapped_column(Integer)
    seal_id: Mapped[str | None] = mapped_column(String(26))
    sealing_act: Mapped[str | None] = mapped_column(String(64))
    issue_step: Mapped[str] = mapped_column(String(26))

    __table_args__ = (
        Index("ix_license_holder_type", "holder_id", "type_code"),
        # Of what is issued here alone: a million licences of stock do not touch it.
        Index("ix_license_folded_number", "folded_number", sqlite_where=_FOLDED, postgresql_where=_FOLDED),
        Index("ix_license_correcting", "previous_id", sqlite_where=_CORRECTING, postgresql_where=_CORRECTING),
    )


_RECALLING = text("kind IN ('suspended', 'withdrawn', 'revoked')")
"""Few of all events: what an index over them holds."""


class LicenseEvent(Base):
    """Something that happened to a licence; never changed, only added to.

    Attributes:
        position: 1, 2, 3 … within the licence; the unique pair makes two racing changes impossible.
        at: When it takes effect: at once, or for ``superseded`` when the next version comes into force.
        process: What is pending from here on, for ``process-opened``; what it was, for ``process-closed``.
        successor_id: The licence that takes its place, for ``superseded``.
        reason: Why, in words; required for everything but the issuing.
        legal_basis: The provision that allows it; likewise.
    """

    __tablename__ = "license_event"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    license_id: Mapped[str] = mapped_column(String(26))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[dt.datetime] = mapped_column(Instant)
    process: Mapped[str | None] = mapped_column(String(16))
    successor_id: Mapped[str | None] = mapped_column(String(26))
    reason: Mapped[str] = mapped_column(String(200))
    legal_basis: Mapped[str] = mapped_column(String(200))
    actor_id: Mapped[str] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40))

    __table_args__ = (
        UniqueConstraint("license_id", "position"),
        Index("ix_license_event_recalling", "at", sqlite_where=_RECALLING, postgresql_where=_RECALLING),
    )


class LicenseHolder(Base):
    """One of several holders of a licence 共有; a licence with one holder has no such rows.

    Attributes:
        position: 1, 2, 3 … in the order of the licence.
        share: The share as the licence states it, such as ``1/2`` or ``50%``; none where it states none.
    """

    __tablename__ = "license_holder"

    license_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    share: Mapped[str | None] = mapped_column(String(20))


class LicenseUsage(Base):
    """One use of a holder's data 用证记录, refused ones too; what the holder and supervision see.

    Values of the face never stand here: only what was asked and how it ended.

    Attributes:
        action: ``ask``, ``read``, ``find``, ``public-check``, ``called-up``, ``copy``, ``copy-out``,
            ``reveal``.
        license_id: The licence concerned; none when a question met none.
        basis: Kind of access basis.
        asked: Requirement id and predicates for a question; empty otherwise.
        result: ``MET``, ``NOT_MET``, ``UNKNOWN``, ``READ``, ``ORDERED``, ``COPIED``, ``REFUSED``.
        reason: Stable reason code, if any.
    """

    __tablename__ = "license_usage"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Instant)
    action: Mapped[str] = mapped_column(String(16))
    holder_id: Mapped[str] = mapped_column(String(26))
    license_id: Mapped[str | None] = mapped_column(String(26), index=True)
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    item_code: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str | None] = mapped_column(String(40))
    basis: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    operator: Mapped[str | None] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40))
    asked: Mapped[str] = mapped_column(String(200))
    result: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(40))
    decision_id: Mapped[str | None] = mapped_column(String(26))

    __table_args__ = (
        Index("ix_license_usage_holder_at", "holder_id", "at"),
        Index("ix_license_usage_at", "at"),
    )


class Decision(Base):
    """A conclusion 核验结论 on the proofs of a case, replayable byte for byte.

    Attributes:
        rule_digest: SHA-256 of the rule that was evaluated.
        body_cipher: The decision as it was answered, canonical JSON, under the holder's key.
        body_sha256: Digest of that JSON.
    """

    __tablename__ = "license_decision"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(26), index=True)
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    item_code: Mapped[str] = mapped_column(String(64))
    item_edition: Mapped[str] = mapped_column(String(16))
    rule_id: Mapped[str] = mapped_column(String(64))
    rule_version: Mapped[int] = mapped_column(Integer)
    rule_digest: Mapped[str] = mapped_column(String(64))
    result: Mapped[str] = mapped_column(String(12))
    purpose: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str] = mapped_column(String(64))
    operator: Mapped[str] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40))
    at: Mapped[dt.datetime] = mapped_column(Instant)
    body_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    body_sha256: Mapped[str] = mapped_column(String(64))


class DecisionReliance(Base):
    """What an answer to a requirement rests on; so a licence that ends leads to the decisions that used it.

    Attributes:
        kind: ``licence``, ``case``, ``assertion``, or the kind of a rung.
        object_id: Its opaque id.
    """

    __tablename__ = "license_reliance"

    decision_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    requirement: Mapped[str] = mapped_column(String(10), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(26), primary_key=True)

    __table_args__ = (Index("ix_license_reliance_object", "object_id", "kind"),)


class SignedAnswer(Base):
    """The signed answer that left for a decision. It holds the promise, so no act's detail holds it.

    It is not rebuilt from the ledger: the decision is, and can be signed anew.
    """

    __tablename__ = "license_answer"

    decision_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    act_id: Mapped[str] = mapped_column(String(64), unique=True)
    jws_cipher: Mapped[bytes] = mapped_column(LargeBinary)


class LicenseRequest(Base):
    """What a client signed when it asked: beside our signed answer, its own signature.

    Attributes:
        kid: Key that signed it.
        call_cipher: Signature base, signature and body (:meth:`licenses.requests.SignedRequest.kept`).
    """

    __tablename__ = "license_request"

    decision_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(26))
    kid: Mapped[str] = mapped_column(String(43))
    call_cipher: Mapped[bytes] = mapped_column(LargeBinary)


class Objection(Base):
    """An objection 异议 of a holder against a use of what is held of them, or against a licence.

    Whether it is overdue is computed from ``due_on``; it is never stored.

    Attributes:
        about: ``use``, ``licence``, or ``dispute``: a licence that another office contests.
        object_id: Row of the use, or of the licence.
        position: 1, 2, 3 … of objections against the same thing; the unique triple makes two racing ones
            impossible.
        organisation: Who must answer: the department that used the data or issued the licence.
        case_id: Case of the use or of the licence.
        words_cipher: What the holder says, under the holder's key.
        due_on: Last legal date on which it is answered in time.
        state: ``open``, ``upheld`` or ``declined``.
        answer_cipher: What the department answers, under the holder's key.
        raised_by: The client or person of the other office that disputes; none where the holder objects.
        reason: Why it disputes, a published code.
        remedy: What an upheld dispute leads to: ``correction``, ``suspend`` or ``withdraw``.
        contact_cipher: How a stranger without account who disputes is reached, under the objection's own
            key, empty once it was forgotten; ``raised_by`` is then the digest of the key that reads the
            answer.
    """

    __tablename__ = "license_objection"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    about: Mapped[str] = mapped_column(String(8))
    object_id: Mapped[str] = mapped_column(String(26))
    position: Mapped[int] = mapped_column(Integer)
    organisation: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[str | None] = mapped_column(String(26))
    words_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[dt.datetime] = mapped_column(Instant)
    due_on: Mapped[dt.date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8))
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    answer_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    raised_by: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(40))
    remedy: Mapped[str | None] = mapped_column(String(12))
    contact_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("about", "object_id", "position"),
        Index("ix_license_objection_state_organisation", "state", "organisation"),
    )
