# SPDX-License-Identifier: Apache-2.0
"""Disputes of strangers: how somebody without account is reached, under a key of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision; nobody was a stranger before."""
    with op.batch_alter_table("license_objection", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contact_cipher", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("license_objection", schema=None) as batch_op:
        batch_op.drop_column("contact_cipher")
