# SPDX-License-Identifier: Apache-2.0
"""Calls that clients signed when they asked, beside the answers."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision; nobody signed before."""
    op.create_table(
        "license_request",
        sa.Column("decision_id", sa.String(26), primary_key=True),
        sa.Column("client_id", sa.String(26), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("call_cipher", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("license_request")
