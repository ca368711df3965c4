# SPDX-License-Identifier: Apache-2.0
"""Calls that clients signed when they said what happened to a rung, beside the event."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision; what was signed before was not kept."""
    op.create_table(
        "ladder_request",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("event_id", sa.String(26), nullable=False),
        sa.Column("rung_id", sa.String(26), nullable=False),
        sa.Column("client_id", sa.String(26), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("base_sha256", sa.String(64), nullable=False),
        sa.Column("call_cipher", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("event_id"),
    )
    op.create_index("ix_ladder_request_rung_id", "ladder_request", ["rung_id"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("ladder_request")
