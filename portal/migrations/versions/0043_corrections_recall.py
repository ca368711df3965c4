# SPDX-License-Identifier: Apache-2.0
"""Finds the versions whose face was corrected: an index over the few licences that correct another."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None
_CORRECTING = sa.text("change = 'correction'")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index(
        "ix_license_correcting",
        "license",
        ["previous_id"],
        sqlite_where=_CORRECTING,
        postgresql_where=_CORRECTING,
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("ix_license_correcting", "license")
