# SPDX-License-Identifier: Apache-2.0
"""Tables of sharing changes 信息共享: who is told of what, how far each is told, and what has not arrived.

Holders stand here as keyed hashes only, and only those that a subscription is about.
"""

import datetime as dt
import enum

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class SubscriptionState(enum.StrEnum):
    """How far a subscription is."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


class About(enum.StrEnum):
    """What a subscription is about."""

    LICENCES = "licences"
    PROOFS = "proofs"
    QUESTIONS = "questions"


class DeliveryState(enum.StrEnum):
    """What becomes of a delivery; one that arrived is no row any more."""

    WAITING = "waiting"
    DEAD = "dead"


class LicenseChange(Base):
    """Ties an event of a licence to its act: the act's place in the ledger is the event's place in the feed.

    Attributes:
        place: 0, 1, 2 … among the events of that act.
    """

    __tablename__ = "license_change"

    event_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    act_id: Mapped[str] = mapped_column(String(64))
    place: Mapped[int] = mapped_column(Integer)

    __table_args__ = (UniqueConstraint("act_id", "place"),)


class LadderChange(Base):
    """Ties an event of a rung to its act, as :class:`LicenseChange` does an event of a licence."""

    __tablename__ = "ladder_change"

    event_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    act_id: Mapped[str] = mapped_column(String(64))
    place: Mapped[int] = mapped_column(Integer)

    __table_args__ = (UniqueConstraint("act_id", "place"),)


class Subscription(Base):
    """What another system asked to be told of, and what a second person said to it.

    Attributes:
        about: ``licences``, or ``proofs``: what became of the client's own decisions, or ``questions``: what
            its department is asked.
        types: Codes of licence types; none = every type.
        items: Codes of items; none = every item.
        holders: How many holders it is about; 0 = whoever holds the licence.
        purpose: Code of the published purpose that it serves.
        endpoint: Where events are sent; ``None`` when the client fetches them only.
        secret_cipher: The secret that signs what is sent.
        former_cipher: The secret before, which signs as well until ``former_until``.
        start: Size of the ledger when it was approved: earlier changes are not told.
        ended_because: Code of why it ended.
    """

    __tablename__ = "subscription"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(26), index=True)
    organisation: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    about: Mapped[str] = mapped_column(String(10), server_default="licences")
    types: Mapped[list[str]] = mapped_column(JSON)
    items: Mapped[list[str]] = mapped_column(JSON)
    holders: Mapped[int] = mapped_column(Integer)
    purpose: Mapped[str] = mapped_column(String(40))
    endpoint: Mapped[str | None] = mapped_column(String(500))
    secret_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[dt.datetime | None] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(10), index=True)
    start: Mapped[int | None] = mapped_column(BigInteger)
    reason_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    asked_by: Mapped[str | None] = mapped_column(String(64))
    asked_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    decision_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    ended_by: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    ended_because: Mapped[str | None] = mapped_column(String(20))


class SubscriptionHolder(Base):
    """A holder that a subscription is about, whether we know the holder already or not."""

    __tablename__ = "subscription_holder"

    subscription_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    scheme: Mapped[str] = mapped_column(String(3), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)


class SubscriptionPlace(Base):
    """How far a subscription has come in the feed, and how its endpoint does.

    It is not rebuilt from the ledger: telling starts again where the subscription began, and receivers drop
    what they have by its id.

    Attributes:
        seq: Entry of the ledger up to which changes were taken.
        place: Event of that entry.
        step_id: The step that delivers now; a step that is another one delivers nothing.
        streak: Tries in a row that met an endpoint which does not answer as it should.
        rest_until: Until when it is left alone.
        told: How many events arrived.
        problem: Code of the last failure; ``None`` after a success.
    """

    __tablename__ = "subscription_place"

    subscription_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    place: Mapped[int] = mapped_column(Integer)
    step_id: Mapped[str | None] = mapped_column(String(26))
    streak: Mapped[int] = mapped_column(Integer)
    rest_until: Mapped[dt.datetime | None] = mapped_column(Instant)
    told: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(String(40))
    problem_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class Delivery(Base):
    """An event that one subscription has not been told of yet: it waits, or it is a dead letter 死信.

    Attributes:
        event_id: The event; of a test its own id. It is the id of the message, however often it is sent.
        object_id: Whose events stay in order, a licence or a rung; ``None`` for a test.
        failures: Tries that failed.
        due_at: When it is tried next.
    """

    __tablename__ = "subscription_delivery"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(String(26))
    event_id: Mapped[str] = mapped_column(String(26))
    object_id: Mapped[str | None] = mapped_column(String(26))
    seq: Mapped[int] = mapped_column(BigInteger)
    place: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(8))
    failures: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[dt.datetime] = mapped_column(Instant)
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(String(40))
    dead_at: Mapped[dt.datetime | None] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        Index("ix_subscription_delivery_order", "subscription_id", "state", "seq", "place"),
    )
