# SPDX-License-Identifier: Apache-2.0
"""Commands on the search index: make it anew, compare it with the records and repair it."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, terminal
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.identity import Role

if TYPE_CHECKING:
    from portal.index_keeping import IndexKeeper
    from portal.rooms import Rooms

_WORDS = {
    "missing": "缺失 missing",
    "outdated": "过期 outdated",
    "ahead": "超前 ahead",
    "surplus": "多余 surplus",
    "refused": "引擎拒收 refused by the engine",
}


@click.group()
def index() -> None:
    """检索索引 / The search index."""


def _keeper(rooms: "Rooms") -> "IndexKeeper":
    from portal.index_keeping import IndexKeeper

    return IndexKeeper(rooms.database, rooms.index, rooms.holdings)


@index.command("rebuild")
@AS
def rebuild(account: str | None) -> int:
    """重建索引 / Make the index anew from the records; searches are answered and filing goes on.

    Exit code 1 when the engine could not hold some documents.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from portal.index_keeping import recorded_count

    columns = (TextColumn("重建 rebuild"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with terminal() as here, Progress(*columns, console=Console(stderr=True)) as progress:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        with here.rooms.database.reading() as uow:
            task = progress.add_task("", total=recorded_count(uow))
        written = _keeper(here.rooms).rebuild(administrator, lambda count: progress.advance(task, count))
        held, engine = here.rooms.index.count(), here.rooms.index.engine
    click.echo(f"索引已重建 rebuilt: {engine}，收录 holds {held}，拒收 refused {len(written.refused)}")
    return EXIT_INVALID if written.refused else EXIT_DONE


@index.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
@AS
def reconcile(*, as_json: bool, account: str | None) -> int:
    """核对索引 / Compare records and index and repair the index; workers do so every night.

    Exit code 1 when the engine could not hold some documents.
    """
    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        repair = _keeper(here.rooms).reconcile(administrator)
        held, engine = here.rooms.index.count(), here.rooms.index.engine
    found = {**{way: getattr(repair.difference, way) for way in repair.counts}, "refused": repair.refused}
    if as_json:
        click.echo(json.dumps({"engine": engine, "holds": held, "counts": repair.counts, **found}, indent=2))
    else:
        for name, ids in found.items():
            for one in ids:
                click.echo(f"{_WORDS[name]}  {one}")
        repaired = sum(repair.counts.values()) - len(repair.refused)
        click.echo(f"已修复 repaired {repaired}，收录 holds {held}")
    return EXIT_INVALID if repair.refused else EXIT_DONE
