# SPDX-License-Identifier: Apache-2.0
"""Version chains, pending processes, several holders, trust levels and places in the status list."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
_PLACED = """
UPDATE license SET status_index = (
    SELECT placed.place
    FROM (SELECT id, row_number() OVER (ORDER BY reserved_at, id) - 1 AS place FROM license) AS placed
    WHERE placed.id = license.id
)
"""


def upgrade() -> None:
    """Bring the schema to this revision; licences that exist take the first places of the status list."""
    with op.batch_alter_table("license", schema=None) as batch_op:
        for column, length in (("case_id", 26), ("item_code", 64), ("item_edition", 16)):
            batch_op.alter_column(column, existing_type=sa.String(length=length), nullable=True)
        batch_op.add_column(sa.Column("change", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("trust", sa.String(length=1), server_default="A", nullable=False))
        batch_op.add_column(sa.Column("origin", sa.String(length=8), server_default="case", nullable=False))
        batch_op.add_column(sa.Column("status_index", sa.Integer(), nullable=True))
    op.execute(_PLACED)
    with op.batch_alter_table("license", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_license_previous_id"), ["previous_id"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_license_status_index"), ["status_index"])
    with op.batch_alter_table("license_event", schema=None) as batch_op:
        batch_op.alter_column("kind", existing_type=sa.String(length=12), type_=sa.String(length=16))
        batch_op.add_column(sa.Column("process", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("successor_id", sa.String(length=26), nullable=True))
    op.create_table(
        "license_holder",
        sa.Column("license_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("share", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("license_id", "position", name=op.f("pk_license_holder")),
    )
    op.create_index(op.f("ix_license_holder_holder_id"), "license_holder", ["holder_id"])


def downgrade() -> None:
    """Take the schema back to the revision before; refused where a licence has no case."""
    op.drop_table("license_holder")
    with op.batch_alter_table("license_event", schema=None) as batch_op:
        batch_op.drop_column("successor_id")
        batch_op.drop_column("process")
        batch_op.alter_column("kind", existing_type=sa.String(length=16), type_=sa.String(length=12))
    with op.batch_alter_table("license", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_license_status_index"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_license_previous_id"))
        for column in ("status_index", "origin", "trust", "change"):
            batch_op.drop_column(column)
        for column, length in (("case_id", 26), ("item_code", 64), ("item_edition", 16)):
            batch_op.alter_column(column, existing_type=sa.String(length=length), nullable=False)
