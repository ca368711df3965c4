# SPDX-License-Identifier: Apache-2.0
"""Of one file one import is under way at most, on servers that run units of work side by side, too."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
_UNDER_WAY = sa.text("state IN ('arriving', 'open') AND NOT trial")


def upgrade() -> None:
    """Bring the schema to this revision; of several runs of a file that are open the oldest goes on."""
    run = sa.table("stock_run", *map(sa.column, ("id", "organisation", "file_sha256", "state", "trial")))
    same = run.alias()
    older = sa.exists().where(
        same.c.organisation == run.c.organisation,
        same.c.file_sha256 == run.c.file_sha256,
        same.c.state == "open",
        sa.not_(sa.cast(same.c.trial, sa.Boolean)),
        same.c.id < run.c.id,
    )
    op.execute(
        sa.update(run)
        .where(run.c.state == "open", sa.not_(sa.cast(run.c.trial, sa.Boolean)), older)
        .values(state="failed")
    )
    op.create_index(
        "uq_stock_run_under_way",
        "stock_run",
        ["organisation", "file_sha256"],
        unique=True,
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("uq_stock_run_under_way", table_name="stock_run")
