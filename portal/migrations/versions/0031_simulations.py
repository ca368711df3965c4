# SPDX-License-Identifier: Apache-2.0
"""Simulations of proposed rules, and how far each is."""

import sqlalchemy as sa
from alembic import op

import storage.base

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "rule_simulation",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("edition_id", sa.String(26), nullable=False),
        sa.Column("rule_id", sa.String(80), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("step_id", sa.String(26), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", storage.base.Instant(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("finished_at", storage.base.Instant(), nullable=True),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("differences", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_simulation")),
    )
    op.create_index(op.f("ix_rule_simulation_edition_id"), "rule_simulation", ["edition_id"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index(op.f("ix_rule_simulation_edition_id"), table_name="rule_simulation")
    op.drop_table("rule_simulation")
