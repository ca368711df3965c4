# SPDX-License-Identifier: Apache-2.0
"""Public keys of calling systems, and what they may send once."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision; a client that has no public key yet keeps its shared one."""
    op.create_table(
        "client_key",
        sa.Column("kid", sa.String(43), primary_key=True),
        sa.Column("client_id", sa.String(26), nullable=False, index=True),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
    )
    op.create_table(
        "client_nonce",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires_at", Instant(), nullable=False, index=True),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("client_nonce")
    op.drop_table("client_key")
