# SPDX-License-Identifier: Apache-2.0
"""Events of rungs have a place in the feed, and a subscription may be about the client's own decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "ladder_change",
        sa.Column("event_id", sa.String(length=26), nullable=False),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_ladder_change")),
        sa.UniqueConstraint("act_id", "place", name=op.f("uq_ladder_change_act_id")),
    )
    with op.batch_alter_table("subscription") as batch_op:
        batch_op.add_column(
            sa.Column("about", sa.String(length=10), server_default="licences", nullable=False)
        )
    with op.batch_alter_table("subscription_delivery") as batch_op:
        batch_op.alter_column("license_id", new_column_name="object_id")


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("subscription_delivery") as batch_op:
        batch_op.alter_column("object_id", new_column_name="license_id")
    # Without the column it would be one about every licence.
    op.execute("UPDATE subscription SET state = 'ended' WHERE about <> 'licences'")
    with op.batch_alter_table("subscription") as batch_op:
        batch_op.drop_column("about")
    op.drop_table("ladder_change")
