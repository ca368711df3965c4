# SPDX-License-Identifier: Apache-2.0
"""Tables of the ladder: rungs that were taken, what happened to them, and what departments answered."""

import datetime as dt

from sqlalchemy import Boolean, Date, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class LadderRung(Base):
    """A rung that was taken for a requirement of a case; each kind once, an expired question again.

    Attributes:
        kind: ``commitment``, ``cooperation``, ``supply_later`` or ``citizen_upload``.
        round: 1, 2 … of its kind for the requirement.
        requirement: Id of the requirement in the rule.
        material: Code of the material that it is about.
        decision_id: The answer that offered it.
        rule_digest: The rule that the answer applied.
        organisation: Department that handles the case.
        asked: Department that is asked, for a cooperation.
        predicate: Code of what it is asked.
        state: The newest state, so that lists need no events; the events decide.
        due: The running deadline, if there is one.
        wake_at: When the clock has to look again; none when it has nothing to do.
        form_sha256: The sealed form of a commitment, once made.
    """

    __tablename__ = "ladder_rung"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(26), index=True)
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    item_code: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    requirement: Mapped[str] = mapped_column(String(10))
    material: Mapped[str] = mapped_column(String(64))
    decision_id: Mapped[str] = mapped_column(String(26))
    rule_digest: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(40))
    organisation: Mapped[str] = mapped_column(String(40))
    asked: Mapped[str | None] = mapped_column(String(40))
    predicate: Mapped[str | None] = mapped_column(String(60))
    taken_by: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[dt.datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16))
    due: Mapped[dt.datetime | None] = mapped_column(Instant)
    wake_at: Mapped[dt.datetime | None] = mapped_column(Instant, index=True)
    form_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    form_size: Mapped[int | None] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    __table_args__ = (
        UniqueConstraint("case_id", "requirement", "kind", "round", name="uq_ladder_rung_round"),
        Index("ix_ladder_rung_organisation_state", "organisation", "state"),
        Index("ix_ladder_rung_asked_state", "asked", "state"),
        Index("ix_ladder_rung_kind_taken", "kind", "taken_at"),
    )


class LadderEvent(Base):
    """Something that happened to a rung; never changed, only added to.

    Attributes:
        position: 1, 2, 3 … within the rung; the unique pair makes two racing events impossible.
        due: The deadline from here on; none where it stays.
        words_cipher: What was said, under the holder's key.
    """

    __tablename__ = "ladder_event"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    rung_id: Mapped[str] = mapped_column(String(26))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[dt.datetime] = mapped_column(Instant)
    due: Mapped[dt.datetime | None] = mapped_column(Instant)
    actor_id: Mapped[str] = mapped_column(String(64))
    operator: Mapped[str | None] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40))
    words_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (UniqueConstraint("rung_id", "position"),)


class DepartmentAssertion(Base):
    """What a department answered about a holder; it serves every other department until its last day.

    Attributes:
        rung_id: The cooperation that asked for it.
        predicate: Code of what was asked.
        department: Code of the department that answered.
        holds: Whether it said yes.
        valid_until: Last legal date on which it serves.
        replaces: The mistaken answer that it corrects; each is corrected once, and the correction if need be.
    """

    __tablename__ = "ladder_assertion"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    rung_id: Mapped[str] = mapped_column(String(26), index=True)
    holder_id: Mapped[str] = mapped_column(String(26))
    predicate: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(40))
    holds: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[dt.datetime] = mapped_column(Instant)
    valid_until: Mapped[dt.date] = mapped_column(Date)
    replaces: Mapped[str | None] = mapped_column(String(26))

    __table_args__ = (
        UniqueConstraint("replaces", name="uq_ladder_assertion_replaces"),
        Index("ix_ladder_assertion_holder_predicate", "holder_id", "predicate"),
    )


class RungRequest(Base):
    """What a system signed when it said what happened to a rung: beside our statement, its own signature.

    Attributes:
        kid: Key that signed it.
        base_sha256: Digest of the signature base, which our statement names.
        call_cipher: Base, signature, body and public key
            (:meth:`licenses.requests.SignedRequest.kept_with_key`), under the holder's key.
    """

    __tablename__ = "ladder_request"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(26), unique=True)
    rung_id: Mapped[str] = mapped_column(String(26), index=True)
    client_id: Mapped[str] = mapped_column(String(26))
    kid: Mapped[str] = mapped_column(String(43))
    base_sha256: Mapped[str] = mapped_column(String(64))
    call_cipher: Mapped[bytes] = mapped_column(LargeBinary)


class RungStatement(Base):
    """A signed statement of a rung after one of its events, as it left.

    It holds the promise, so no act's detail holds it, and it is not rebuilt from the ledger.
    """

    __tablename__ = "ladder_statement"

    event_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    rung_id: Mapped[str] = mapped_column(String(26), index=True)
    act_id: Mapped[str] = mapped_column(String(64), unique=True)
    jws_cipher: Mapped[bytes] = mapped_column(LargeBinary)
