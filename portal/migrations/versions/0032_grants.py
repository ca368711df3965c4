# SPDX-License-Identifier: Apache-2.0
"""Grants: what other systems may ask of the library; what they were allowed until now becomes one each."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.base import Instant
from storage.clock import RandomIds, SystemClock, legal_date

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_PURPOSES = ["accept", "decide", "examine", "recheck"]


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_grant",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("organisation", sa.String(64), nullable=False, index=True),
        sa.Column("client_id", sa.String(26), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("ceiling", sa.String(16), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("legal_basis", sa.String(200), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=True),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
    )
    op.create_table(
        "license_grant_use",
        sa.Column("grant_id", sa.String(26), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("used", sa.Integer(), nullable=False),
    )
    _grant_what_was_allowed()


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("license_grant_use")
    op.drop_table("license_grant")


def _grant_what_was_allowed() -> None:
    client = sa.table(
        "client",
        sa.column("id", sa.String),
        sa.column("organisation", sa.String),
        sa.column("scopes", sa.JSON),
        sa.column("items", sa.JSON),
        sa.column("expires_at", Instant),
        sa.column("ended_at", Instant),
    )
    names = ("id", "organisation", "client_id", "ceiling", "legal_basis", "origin")
    grant = sa.table(
        "license_grant",
        *(sa.column(name, sa.String) for name in names),
        *(sa.column(name, sa.JSON) for name in ("items", "requirements", "purposes")),
        sa.column("quota", sa.Integer),
        *(sa.column(name, sa.Date) for name in ("valid_from", "valid_until")),
        sa.column("added_at", Instant),
    )
    connection, now, ids = op.get_bind(), SystemClock().now(), RandomIds()
    for row in connection.execute(sa.select(client).where(client.c.ended_at.is_(None))).all():
        if row.expires_at > now and row.items and {"ask", "read"} & set(row.scopes):
            connection.execute(sa.insert(grant).values(_values(row, now) | {"id": ids.new_id()}))


def _values(row: sa.Row[Any], now: dt.datetime) -> dict[str, object]:
    return {
        "organisation": row.organisation,
        "client_id": row.id,
        "items": [{"code": code, "edition": None} for code in row.items],
        "requirements": [],
        "purposes": _PURPOSES,
        "ceiling": "document",
        "quota": 2000,
        "valid_from": legal_date(now),
        "valid_until": legal_date(row.expires_at),
        "legal_basis": "升级前调用方权限转来，尚未确认",
        "origin": "migrated",
        "added_at": now,
    }
