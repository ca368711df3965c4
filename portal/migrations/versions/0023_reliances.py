# SPDX-License-Identifier: Apache-2.0
"""What each answer of a decision rests on; decisions that were made before have no such rows."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_reliance",
        sa.Column("decision_id", sa.String(length=26), nullable=False),
        sa.Column("requirement", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object_id", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint(
            "decision_id", "requirement", "kind", "object_id", name="pk_license_reliance"
        ),
    )
    op.create_index("ix_license_reliance_object", "license_reliance", ["object_id", "kind"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("license_reliance")
