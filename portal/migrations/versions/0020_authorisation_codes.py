# SPDX-License-Identifier: Apache-2.0
"""Authorisation codes 用证码."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_code",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("license_id", sa.String(length=26), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("item_code", sa.String(length=64), nullable=True),
        sa.Column("delegate_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=True),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_code")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_license_code_secret_hash")),
    )
    op.create_index(op.f("ix_license_code_holder_id"), "license_code", ["holder_id"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("license_code")
