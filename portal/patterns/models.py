# SPDX-License-Identifier: Apache-2.0
"""Tables of the unusual queries that the newest look found, replaced as a whole, and of explanations."""

import datetime as dt

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class PatternLook(Base):
    """The newest look; there is one row.

    Attributes:
        id: Always 1.
        looked_at: When it began.
        queries: How many queries were looked through.
        milliseconds: How long it took.
    """

    __tablename__ = "pattern_look"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    looked_at: Mapped[dt.datetime] = mapped_column(Instant)
    queries: Mapped[int] = mapped_column(Integer)
    milliseconds: Mapped[int] = mapped_column(Integer)


class UnusualQuery(Base):
    """A pattern that it found (:class:`archive.unusual.Unusual`).

    Attributes:
        place: Where it stands in the list, from 0.
        pattern: Which.
        actor: Id of the account or client.
        operator: Id of the person that a client named, if any.
        organisation: For which organisation the last query was.
        count: Queries that make the pattern.
        total: All queries of this person.
        first_at: When the first of them was.
        last_at: When the last was.
        act: Act of the last one; none for most look-ups.
        cases: Ids of the cases that look-ups were for, the last ones.
        relations: Codes of the relations to relatives who were looked up.
    """

    __tablename__ = "unusual_query"

    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    pattern: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(64))
    operator: Mapped[str | None] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40), index=True)
    count: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[dt.datetime] = mapped_column(Instant)
    last_at: Mapped[dt.datetime] = mapped_column(Instant)
    act: Mapped[str | None] = mapped_column(String(64))
    cases: Mapped[list[str]] = mapped_column(JSON)
    relations: Mapped[list[str]] = mapped_column(JSON)


class PatternExplanation(Base):
    """What a supervisor found out about an unusual query; never changed, only added to.

    Attributes:
        pattern: Which.
        actor: Id of the account or client.
        operator: Id of the person that a client named; empty when it named none.
        until: Up to which query it explains; a later one stands unexplained again.
        count: How many queries it explains; none in explanations of releases that did not count them.
        reason: What it was, in words.
    """

    __tablename__ = "pattern_explanation"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    pattern: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(64), index=True)
    operator: Mapped[str] = mapped_column(String(64))
    until: Mapped[dt.datetime] = mapped_column(Instant)
    count: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(200))
    explained_by: Mapped[str] = mapped_column(String(64))
    explained_at: Mapped[dt.datetime] = mapped_column(Instant)
