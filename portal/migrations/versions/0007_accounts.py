# SPDX-License-Identifier: Apache-2.0
"""Passwords and their lock-out, posts in further organisations, changes of rights for a second person."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and add the columns."""
    _create_password()
    _create_sign_in_lock()
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("posts", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("means", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("acting", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("seen_at", Instant(), nullable=True))


def downgrade() -> None:
    """Remove the columns and drop the tables."""
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_column("seen_at")
        batch_op.drop_column("acting")
        batch_op.drop_column("means")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("posts")
    for table in ("sign_in_lock", "password"):
        op.drop_table(table)


def _create_password() -> None:
    op.create_table(
        "password",
        sa.Column("account_id", sa.String(length=26), nullable=False),
        sa.Column("login_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("login_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("argon2", sa.String(length=200), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("failed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_password")),
        sa.UniqueConstraint("login_hash", name=op.f("uq_password_login_hash")),
    )


def _create_sign_in_lock() -> None:
    op.create_table(
        "sign_in_lock",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locks", sa.Integer(), nullable=False),
        sa.Column("failed_at", Instant(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sign_in_lock")),
    )
    with op.batch_alter_table("sign_in_lock", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_lock_failed_at"), ["failed_at"], unique=False)
