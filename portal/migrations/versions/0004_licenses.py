# SPDX-License-Identifier: Apache-2.0
"""First tables of licenses."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    "license",
    "license_answer",
    "license_decision",
    "license_event",
    "license_usage",
)


def upgrade() -> None:
    """Create the tables."""
    _create_license()
    _create_license_answer()
    _create_license_decision()
    _create_license_event()
    _create_license_usage()


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_license() -> None:
    op.create_table(
        "license",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("type_version", sa.String(length=16), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("issuer_name", sa.String(length=120), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("item_code", sa.String(length=64), nullable=False),
        sa.Column("item_edition", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.String(length=26), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("face_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("data_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code", sa.String(length=26), nullable=False),
        sa.Column("reserved_at", Instant(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=True),
        sa.Column("object_sha256", sa.String(length=64), nullable=True),
        sa.Column("object_size", sa.Integer(), nullable=True),
        sa.Column("seal_id", sa.String(length=26), nullable=True),
        sa.Column("sealing_act", sa.String(length=64), nullable=True),
        sa.Column("issue_step", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license")),
        sa.UniqueConstraint("case_id", name=op.f("uq_license_case_id")),
        sa.UniqueConstraint("code", name=op.f("uq_license_code")),
        sa.UniqueConstraint("identifier", name=op.f("uq_license_identifier")),
    )
    with op.batch_alter_table("license", schema=None) as batch_op:
        batch_op.create_index("ix_license_holder_type", ["holder_id", "type_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_license_object_sha256"), ["object_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_license_organisation"), ["organisation"], unique=False)


def _create_license_answer() -> None:
    op.create_table(
        "license_answer",
        sa.Column("decision_id", sa.String(length=26), nullable=False),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("jws_cipher", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_license_answer")),
        sa.UniqueConstraint("act_id", name=op.f("uq_license_answer_act_id")),
    )


def _create_license_decision() -> None:
    op.create_table(
        "license_decision",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("item_code", sa.String(length=64), nullable=False),
        sa.Column("item_edition", sa.String(length=16), nullable=False),
        sa.Column("rule_id", sa.String(length=64), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("rule_digest", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("body_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_decision")),
    )
    with op.batch_alter_table("license_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_license_decision_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_license_decision_holder_id"), ["holder_id"], unique=False)


def _create_license_event() -> None:
    op.create_table(
        "license_event",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("license_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_event")),
        sa.UniqueConstraint("license_id", "position", name=op.f("uq_license_event_license_id")),
    )


def _create_license_usage() -> None:
    op.create_table(
        "license_usage",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("license_id", sa.String(length=26), nullable=True),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("item_code", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=True),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.String(length=200), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("decision_id", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_usage")),
    )
    with op.batch_alter_table("license_usage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_license_usage_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_license_usage_holder_at", ["holder_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_license_usage_license_id"), ["license_id"], unique=False)
