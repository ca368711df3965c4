# SPDX-License-Identifier: Apache-2.0
"""Figures of a period are found by instants: of uses, of rungs, of the closing of cases."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
_INDEXES = (
    ("ix_license_usage_at", "license_usage", ["at"]),
    ("ix_ladder_rung_kind_taken", "ladder_rung", ["kind", "taken_at"]),
    ("ix_case_record_closed", "case_record", ["closed_at", "item_code"]),
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table)
