# SPDX-License-Identifier: Apache-2.0
"""Disputes of other offices: who raised an objection, why, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
_COLUMNS = (("raised_by", 64), ("reason", 40), ("remedy", 12))


def upgrade() -> None:
    """Bring the schema to this revision; what holders objected to has none of these."""
    with op.batch_alter_table("license_objection", schema=None) as batch_op:
        for name, length in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.String(length=length), nullable=True))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("license_objection", schema=None) as batch_op:
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)
