# SPDX-License-Identifier: Apache-2.0
"""Import of stock: runs, what stood in the source, what is quarantined, what was rejected."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    _runs()
    op.create_table(
        "stock_record",
        sa.Column("license_id", sa.String(length=26), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.String(length=400), nullable=False),
        sa.Column("number_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("original_cipher", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("license_id", name=op.f("pk_stock_record")),
        sa.UniqueConstraint("run_id", "row", name=op.f("uq_stock_record_run_id")),
    )
    op.create_index(op.f("ix_stock_record_number_key"), "stock_record", ["number_key"])
    op.create_table(
        "stock_quarantine",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("reasons", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("original_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("read_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("decision_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("license_id", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_quarantine")),
        sa.UniqueConstraint("run_id", "row", name=op.f("uq_stock_quarantine_run_id")),
    )
    waiting = ["organisation", "state", "reason", "id"]
    op.create_index("ix_stock_quarantine_waiting", "stock_quarantine", waiting)
    op.create_table(
        "stock_rejection",
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "row", name=op.f("pk_stock_rejection")),
    )


def _runs() -> None:
    op.create_table(
        "stock_run",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("profile", sa.String(length=60), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("object_sha256", sa.String(length=64), nullable=True),
        sa.Column("trial", sa.Boolean(), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("trust", sa.String(length=1), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_run")),
    )
    op.create_index("ix_stock_run_organisation", "stock_run", ["organisation", "started_at"])


def downgrade() -> None:
    """Take the schema back to the revision before; licences that were taken over stay."""
    for table in ("stock_rejection", "stock_quarantine", "stock_record", "stock_run"):
        op.drop_table(table)
