# SPDX-License-Identifier: Apache-2.0
"""Subscriptions to changes of licences, and what of them has not arrived."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_change",
        sa.Column("event_id", sa.String(length=26), nullable=False),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_license_change")),
        sa.UniqueConstraint("act_id", "place", name=op.f("uq_license_change_act_id")),
    )
    _subscriptions()
    op.create_table(
        "subscription_place",
        sa.Column("subscription_id", sa.String(length=26), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(length=26), nullable=True),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("rest_until", Instant(), nullable=True),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("problem_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_subscription_place")),
    )
    op.create_table(
        "subscription_delivery",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("subscription_id", sa.String(length=26), nullable=False),
        sa.Column("event_id", sa.String(length=26), nullable=False),
        sa.Column("license_id", sa.String(length=26), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("dead_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_delivery")),
        sa.UniqueConstraint(
            "subscription_id", "event_id", name=op.f("uq_subscription_delivery_subscription_id")
        ),
    )
    with op.batch_alter_table("subscription_delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_subscription_delivery_order", ["subscription_id", "state", "seq", "place"], unique=False
        )


def _subscriptions() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("client_id", sa.String(length=26), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("holders", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("endpoint", sa.String(length=500), nullable=True),
        sa.Column("secret_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("former_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", Instant(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=True),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decision_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_because", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscription_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_subscription_state"), ["state"], unique=False)
    op.create_table(
        "subscription_holder",
        sa.Column("subscription_id", sa.String(length=26), nullable=False),
        sa.Column("scheme", sa.String(length=3), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint(
            "subscription_id", "scheme", "code_hash", name=op.f("pk_subscription_holder")
        ),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("subscription_delivery")
    op.drop_table("subscription_place")
    op.drop_table("subscription_holder")
    op.drop_table("subscription")
    op.drop_table("license_change")
