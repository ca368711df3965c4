# SPDX-License-Identifier: Apache-2.0
"""Officials' identity documents by keyed hash; unusual queries name relations, and are looked for again."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "account_document",
        sa.Column("account_id", sa.String(length=26), nullable=False),
        sa.Column("scheme", sa.String(length=3), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("set_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_document")),
    )
    with op.batch_alter_table("right_change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("document_cipher", sa.LargeBinary(), nullable=True))
    op.execute("DELETE FROM unusual_query")
    with op.batch_alter_table("unusual_query", schema=None) as batch_op:
        batch_op.add_column(sa.Column("relations", sa.JSON(), nullable=False))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("unusual_query", schema=None) as batch_op:
        batch_op.drop_column("relations")
    with op.batch_alter_table("right_change", schema=None) as batch_op:
        batch_op.drop_column("document_cipher")
    op.drop_table("account_document")
