# SPDX-License-Identifier: Apache-2.0
"""Unusual queries that were found beside the requests; acts by kind, outcome and time."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "pattern_look",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("looked_at", Instant(), nullable=False),
        sa.Column("queries", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pattern_look")),
    )
    op.create_table(
        "unusual_query",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pattern", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=True),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_unusual_query")),
    )
    op.create_index(op.f("ix_unusual_query_organisation"), "unusual_query", ["organisation"])
    op.drop_index(op.f("ix_ledger_act_kind"), table_name="ledger_act")
    op.create_index("ix_ledger_act_kind", "ledger_act", ["kind", "recorded_at"])
    op.create_index("ix_ledger_act_outcome", "ledger_act", ["outcome", "recorded_at"])
    op.create_index("ix_ledger_act_recorded_at", "ledger_act", ["recorded_at", "organisation"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("ix_ledger_act_recorded_at", table_name="ledger_act")
    op.drop_index("ix_ledger_act_outcome", table_name="ledger_act")
    op.drop_index("ix_ledger_act_kind", table_name="ledger_act")
    op.create_index(op.f("ix_ledger_act_kind"), "ledger_act", ["kind"])
    op.drop_index(op.f("ix_unusual_query_organisation"), table_name="unusual_query")
    op.drop_table("unusual_query")
    op.drop_table("pattern_look")
