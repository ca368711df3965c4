# SPDX-License-Identifier: Apache-2.0
"""Tables of grants 用证授权: what other systems may ask of the library, and how much of it is used."""

import datetime as dt

from sqlalchemy import JSON, Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class LicenseGrant(Base):
    """What the systems of an organisation may ask; never altered, only ended.

    Attributes:
        client_id: The one system that it is for; every system of the organisation when ``None``.
        items: ``code`` of each item and its ``edition``, ``None`` for every edition.
        requirements: Ids of the requirements that it is for; all of the items' rules when empty.
        purposes: Published codes, at least one.
        ceiling: ``predicate``, ``fields`` or ``document``: the most that it discloses.
        quota: How often a legal day.
        valid_until: Last legal date.
        origin: ``asked`` for by one person and approved by another, or ``migrated`` from what a system was
            allowed before there were grants: nobody ever approved that.
    """

    __tablename__ = "license_grant"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    client_id: Mapped[str | None] = mapped_column(String(26))
    items: Mapped[list[dict[str, str | None]]] = mapped_column(JSON)
    requirements: Mapped[list[str]] = mapped_column(JSON)
    purposes: Mapped[list[str]] = mapped_column(JSON)
    ceiling: Mapped[str] = mapped_column(String(16))
    quota: Mapped[int] = mapped_column(Integer)
    valid_from: Mapped[dt.date] = mapped_column(Date)
    valid_until: Mapped[dt.date] = mapped_column(Date)
    legal_basis: Mapped[str] = mapped_column(String(200))
    origin: Mapped[str] = mapped_column(String(16))
    requested_by: Mapped[str | None] = mapped_column(String(64))
    decided_by: Mapped[str | None] = mapped_column(String(64))
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class LicenseGrantUse(Base):
    """How often a grant was used on a legal day, counted in several places so that calls do not queue.

    Each place has a share of the quota of its own (:mod:`licenses.grants.quota`).
    """

    __tablename__ = "license_grant_use"

    grant_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    used: Mapped[int] = mapped_column(Integer)
