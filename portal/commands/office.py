# SPDX-License-Identifier: Apache-2.0
"""Commands of the office: file cases from folders, see what became of them, search."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, terminal
from storage.errors import EXIT_DONE, EXIT_REFUSED, CunzhengError
from storage.identity import AccessBasis, Basis, Identity, Role

if TYPE_CHECKING:
    from portal.rooms import Rooms

_METADATA = "case.json"


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--supplement", is_flag=True, help="Further material for cases whose dossiers are filed 补充归档."
)
@AS
def intake(paths: Sequence[Path], *, supplement: bool, account: str | None) -> int:
    """归档 / File closed cases: each PATH is a case folder (case.json and its files) or a folder of them.

    Exit code 3 when any case was refused; the others are filed all the same.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    folders = list(_case_folders(paths))
    columns = (TextColumn("归档 filing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    refused = 0
    with terminal() as here, Progress(*columns, console=Console(stderr=True)) as progress:
        archivist = here.act_as(Role.ARCHIVIST, account)
        batch = here.rooms.ids.new_id()
        task = progress.add_task("", total=len(folders))
        for folder in folders:
            try:
                line = _file(here.rooms, archivist, folder, batch, supplement=supplement)
            except CunzhengError as error:
                here.record_refusal(error)
                refused += 1
                line = f"✕ {folder.name}: {error.title_zh} / {error.title_en} [{error}]"
            progress.console.print(line, highlight=False, markup=False)
            progress.advance(task)
    click.echo(f"收到 received {len(folders) - refused}，拒绝 refused {refused}，批次 batch {batch}")
    return EXIT_REFUSED if refused else EXIT_DONE


def _case_folders(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if (path / _METADATA).exists():
            yield path
        else:
            yield from sorted(found.parent for found in path.glob(f"*/{_METADATA}"))


def _file(rooms: "Rooms", archivist: Identity, folder: Path, batch: str, *, supplement: bool) -> str:
    from archive.staging import read_folder

    arrival = replace(read_folder(folder), supplement=supplement)
    identity = archivist.on(AccessBasis(Basis.FILING))
    with rooms.database.reading() as uow:
        received = rooms.intake.admit(uow, identity, arrival)
    if received is None:
        stored = rooms.intake.store(arrival)
        received = rooms.database.write(lambda uow: rooms.intake.receive(uow, identity, stored, batch=batch))
    receipt = json.loads(received.receipt)["receipt"]
    if supplement:
        return f"● {folder.name}: 补充归档 supplement，收件回执 receipt {receipt}"
    return f"● {folder.name}: 收件回执 receipt {receipt}，第 {received.attempt} 次 attempt {received.attempt}"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
def status(*, as_json: bool) -> None:
    """状态 / What became of everything received, unfinished steps, the ledger."""
    from portal.rooms import all_seeing
    from storage.ledger.reading import read_status
    from storage.steps import unfinished

    with terminal() as here, here.rooms.database.reading() as uow:
        counts = here.rooms.filings.counts(uow, all_seeing())
        steps = unfinished(uow.session)
        log = read_status(uow.session)
    figures = {
        "received": counts.received,
        "filed": counts.filed,
        "returned": counts.returned,
        "quarantined": counts.quarantined,
        "in_progress": counts.in_progress,
        "original_only": counts.original_only,
        "steps": steps,
        "entries": log.size,
        "pending": log.pending,
        "checkpoint": log.checkpoint_size,
        "anchored": log.anchored_size,
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(
        f"收到 received {counts.received} = 已归档 filed {counts.filed} + 退回 returned {counts.returned}"
        f" + 隔离 quarantined {counts.quarantined} + 处理中 in progress {counts.in_progress}"
    )
    click.echo(f"仅存原件 original-only dossiers {counts.original_only}")
    click.echo(
        f"未完成步骤 unfinished steps {sum(steps.values())}，"
        f"其中等待 waiting {steps.get('waiting', 0)}，停滞 stuck {steps.get('stuck', 0)}"
    )
    click.echo(
        f"审计链 ledger: {log.size} 条 entries，未定序 pending {log.pending}，"
        f"检查点 checkpoint {log.checkpoint_size}，已锚定 anchored {log.anchored_size}"
    )


@click.command()
@click.argument("text")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200), help="Hits 条数.")
@click.option("--ended", is_flag=True, help="Licences that are not valid now, too 含当前无效的证照.")
@AS
def search(text: str, limit: int, account: str | None, *, ended: bool) -> None:
    """检索 / Find dossiers, and licences that are valid now, of the archivist's department by TEXT."""
    from cases.organisations import reach
    from indexer.query import Query
    from portal.finding import judged_now

    with terminal() as here:
        archivist = here.act_as(Role.ARCHIVIST, account)
        judged = judged_now(here.rooms, ended=ended)
        page = here.rooms.index.search(Query(text, reach(archivist), limit=limit, judged=judged))
    for hit in page.hits:
        ended_mark = "" if hit.valid is not False else "  当前无效 not valid now"
        level = f"  {hit.trust} 级 level {hit.trust}" if hit.trust else ""
        click.echo(f"{hit.number}  {hit.title.text}{level}{ended_mark}")
    up_to = page.indexed_up_to.isoformat(timespec="seconds") if page.indexed_up_to else "—"
    click.echo(f"共 {page.total} 条 hits，索引截至 indexed up to {up_to}")
