# SPDX-License-Identifier: Apache-2.0
"""Sessions of holders."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "holder_session",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("flow_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("elder", sa.Boolean(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_session")),
        sa.UniqueConstraint("flow_hash", name=op.f("uq_holder_session_flow_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_holder_session_token_hash")),
    )
    with op.batch_alter_table("holder_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holder_session_holder_id"), ["holder_id"], unique=False)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("holder_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holder_session_holder_id"))

    op.drop_table("holder_session")
