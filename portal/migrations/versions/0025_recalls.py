# SPDX-License-Identifier: Apache-2.0
"""Finds what befell licences that decisions relied on: an index over the few events that recall."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
_RECALLING = sa.text("kind IN ('suspended', 'withdrawn', 'revoked')")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index(
        "ix_license_event_recalling",
        "license_event",
        ["at"],
        sqlite_where=_RECALLING,
        postgresql_where=_RECALLING,
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("ix_license_event_recalling", "license_event")
