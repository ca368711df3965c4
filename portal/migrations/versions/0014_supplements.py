# SPDX-License-Identifier: Apache-2.0
"""Supplements: a case has one dossier, and one of each supplement to it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
_OF_CASE = sa.text("supplement IS NULL")


def upgrade() -> None:
    """Bring the schema to this revision."""
    with op.batch_alter_table("filing", schema=None) as batch_op:
        batch_op.add_column(sa.Column("supplement", sa.Integer(), nullable=True))
    with op.batch_alter_table("dossier", schema=None) as batch_op:
        batch_op.add_column(sa.Column("supplement", sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_dossier_case_id"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_dossier_case_id"), ["case_id", "supplement"])
    op.create_index(
        "ix_dossier_of_case",
        "dossier",
        ["case_id"],
        unique=True,
        sqlite_where=_OF_CASE,
        postgresql_where=_OF_CASE,
    )


def downgrade() -> None:
    """Take the schema back to the revision before; refused by the database where there are supplements."""
    op.drop_index("ix_dossier_of_case", table_name="dossier")
    with op.batch_alter_table("dossier", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_dossier_case_id"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_dossier_case_id"), ["case_id"])
        batch_op.drop_column("supplement")
    with op.batch_alter_table("filing", schema=None) as batch_op:
        batch_op.drop_column("supplement")
