# SPDX-License-Identifier: Apache-2.0
"""The ladder: rungs that were taken for requirements, what happened to them, and departments' answers."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "ladder_rung",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("case_id", sa.String(26), nullable=False, index=True),
        sa.Column("holder_id", sa.String(26), nullable=False, index=True),
        sa.Column("item_code", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("requirement", sa.String(10), nullable=False),
        sa.Column("material", sa.String(64), nullable=False),
        sa.Column("decision_id", sa.String(26), nullable=False),
        sa.Column("rule_digest", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("asked", sa.String(40), nullable=True),
        sa.Column("predicate", sa.String(60), nullable=True),
        sa.Column("taken_by", sa.String(64), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due", Instant(), nullable=True),
        sa.Column("wake_at", Instant(), nullable=True, index=True),
        sa.Column("form_sha256", sa.String(64), nullable=True, index=True),
        sa.Column("form_size", sa.Integer(), nullable=True),
        sa.UniqueConstraint("case_id", "requirement", "kind"),
    )
    op.create_index("ix_ladder_rung_organisation_state", "ladder_rung", ["organisation", "state"])
    op.create_index("ix_ladder_rung_asked_state", "ladder_rung", ["asked", "state"])
    op.create_table(
        "ladder_event",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("rung_id", sa.String(26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("due", Instant(), nullable=True),
        sa.Column("actor_id", sa.String(64), nullable=False),
        sa.Column("operator", sa.String(64), nullable=True),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("words_cipher", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("rung_id", "position"),
    )
    op.create_table(
        "ladder_assertion",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("rung_id", sa.String(26), nullable=False, unique=True),
        sa.Column("holder_id", sa.String(26), nullable=False),
        sa.Column("predicate", sa.String(60), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
    )
    op.create_index("ix_ladder_assertion_holder_predicate", "ladder_assertion", ["holder_id", "predicate"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("ladder_assertion")
    op.drop_table("ladder_event")
    op.drop_table("ladder_rung")
