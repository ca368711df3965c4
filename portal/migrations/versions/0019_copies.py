# SPDX-License-Identifier: Apache-2.0
"""Annotated copies of licences, and the links by which they are handed out once."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_copy",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("license_id", sa.String(length=26), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("code", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("item_code", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=True),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("ordered_at", Instant(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("made_at", Instant(), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("object_sha256", sa.String(length=64), nullable=True),
        sa.Column("object_size", sa.Integer(), nullable=True),
        sa.Column("seal_id", sa.String(length=26), nullable=True),
        sa.Column("sealing_act", sa.String(length=64), nullable=True),
        sa.Column("usage_id", sa.String(length=26), nullable=False),
        sa.Column("step", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_copy")),
        sa.UniqueConstraint("code", name=op.f("uq_license_copy_code")),
    )
    for column in ("license_id", "holder_id", "case_id", "object_sha256"):
        op.create_index(op.f(f"ix_license_copy_{column}"), "license_copy", [column])
    op.create_table(
        "license_copy_link",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("copy_id", sa.String(length=26), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_copy_link")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_license_copy_link_secret_hash")),
    )
    op.create_index(op.f("ix_license_copy_link_copy_id"), "license_copy_link", ["copy_id"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("license_copy_link")
    op.drop_table("license_copy")
