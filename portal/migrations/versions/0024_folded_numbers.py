# SPDX-License-Identifier: Apache-2.0
"""Numbers of what was issued here, as an import of stock compares them."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TOGETHER = 1_000
_SIGNS = str.maketrans(
    dict.fromkeys("〔【［[﹝｢《<{", "(")
    | dict.fromkeys("〕】］]﹞｣》>}", ")")
    | dict.fromkeys("—–‐‑−－", "-")
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("license", sa.Column("folded_number", sa.String(length=80), nullable=True))
    where = sa.text("folded_number IS NOT NULL")
    op.create_index(
        "ix_license_folded_number", "license", ["folded_number"], sqlite_where=where, postgresql_where=where
    )
    _fill()


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("ix_license_folded_number", "license")
    with op.batch_alter_table("license") as batch:
        batch.drop_column("folded_number")


def _fill() -> None:
    table = sa.table(
        "license", sa.column("id"), sa.column("number"), sa.column("origin"), sa.column("folded_number")
    )
    connection, after = op.get_bind(), ""
    query = sa.select(table.c.id, table.c.number).order_by(table.c.id).limit(_TOGETHER)
    while rows := connection.execute(query.where(table.c.id > after, table.c.origin != "stock")).all():
        for license_id, number in rows:
            change = sa.update(table).where(table.c.id == license_id)
            connection.execute(change.values(folded_number=_folded(number)))
        after = rows[-1][0]


def _folded(text: str) -> str:
    # As licenses.stock.folding did at this revision.
    once = None
    while once != text:
        once = text
        text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(_SIGNS).upper())
    return text
