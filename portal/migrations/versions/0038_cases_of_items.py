# SPDX-License-Identifier: Apache-2.0
"""Cases of an item that were closed in a period are found by an index."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index("ix_case_record_item_closed", "case_record", ["item_code", "closed_at"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("ix_case_record_item_closed", "case_record")
