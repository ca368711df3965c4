# SPDX-License-Identifier: Apache-2.0
"""Changes of rights that one person asks for and another decides."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "right_change",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("object_id", sa.String(length=26), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("name_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by", sa.String(length=26), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decision_cipher", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_right_change")),
    )
    with op.batch_alter_table("right_change", schema=None) as batch_op:
        for column in ("object_id", "requested_by", "state"):
            batch_op.create_index(batch_op.f(f"ix_right_change_{column}"), [column], unique=False)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("right_change", schema=None) as batch_op:
        for column in ("object_id", "requested_by", "state"):
            batch_op.drop_index(batch_op.f(f"ix_right_change_{column}"))
    op.drop_table("right_change")
