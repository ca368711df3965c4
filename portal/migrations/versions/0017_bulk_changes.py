# SPDX-License-Identifier: Apache-2.0
"""Changes of many licences at once."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_bulk",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("until_before", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_bulk")),
    )
    op.create_index(op.f("ix_license_bulk_proposed_at"), "license_bulk", ["proposed_at"])
    op.create_table(
        "license_bulk_member",
        sa.Column("bulk_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("license_id", sa.String(length=26), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("bulk_id", "position", name=op.f("pk_license_bulk_member")),
    )
    op.create_index(
        "ix_license_bulk_member_outcome", "license_bulk_member", ["bulk_id", "outcome", "position"]
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("license_bulk_member")
    op.drop_table("license_bulk")
