# SPDX-License-Identifier: Apache-2.0
"""Departments correct answers, and are asked again in the same case once an answer's term is over."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision: every rung so far is the first, no answer replaces another."""
    with op.batch_alter_table("ladder_rung") as batch:
        batch.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
        batch.drop_constraint("uq_ladder_rung_case_id", type_="unique")
        batch.create_unique_constraint("uq_ladder_rung_round", ["case_id", "requirement", "kind", "round"])
    with op.batch_alter_table("ladder_assertion") as batch:
        batch.add_column(sa.Column("replaces", sa.String(26), nullable=True))
        batch.drop_constraint("uq_ladder_assertion_rung_id", type_="unique")
        batch.create_unique_constraint("uq_ladder_assertion_replaces", ["replaces"])
    op.create_index("ix_ladder_assertion_rung_id", "ladder_assertion", ["rung_id"])


def downgrade() -> None:
    """Take the schema back to the revision before; refused where a rung or an answer has a second one."""
    op.drop_index("ix_ladder_assertion_rung_id", "ladder_assertion")
    with op.batch_alter_table("ladder_assertion") as batch:
        batch.drop_constraint("uq_ladder_assertion_replaces", type_="unique")
        batch.create_unique_constraint("uq_ladder_assertion_rung_id", ["rung_id"])
        batch.drop_column("replaces")
    with op.batch_alter_table("ladder_rung") as batch:
        batch.drop_constraint("uq_ladder_rung_round", type_="unique")
        batch.create_unique_constraint("uq_ladder_rung_case_id", ["case_id", "requirement", "kind"])
        batch.drop_column("round")
