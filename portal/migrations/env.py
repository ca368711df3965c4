# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: runs on the connection that :mod:`portal.migrations.upgrading` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from portal.tables import all_tables
from storage.base import Instant


def _render(kind: str, thing: Any, autogen: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - signature given
    if kind == "type" and isinstance(thing, Instant):
        autogen.imports.add("from storage.base import Instant")
        return "Instant()"
    return False


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        render_item=_render,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


_run()
