# SPDX-License-Identifier: Apache-2.0
"""The command that imports stock: a file of records of another system, by a mapping profile."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portal.commands.common import AS, Terminal, terminal
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.identity import Identity, Role

if TYPE_CHECKING:
    from licenses.stock.profiles import Profile
    from portal.stock.driver import Figures, ImportDriver

_EVERY = 20_000
"""Records between two lines where there is no terminal."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--profile", "profile_id", required=True, help="Mapping profile 映射方案.")
@click.option("--dry-run", is_flag=True, help="Only count, write nothing 试算，不写入.")
@click.option("--resume", is_flag=True, help="Go on with the interrupted run of this file 继续中断的批次.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as JSON 报告文件."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
@AS
def licence_import(
    file: Path,
    profile_id: str,
    *,
    dry_run: bool,
    resume: bool,
    report: Path | None,
    as_json: bool,
    account: str | None,
) -> int:
    """存量导入 / Import licences of another system: CSV, XLSX, a JSON array or JSON lines.

    What cannot be decided is quarantined for a person. Ends with 1 when anything was quarantined or rejected.
    """
    from portal.stock.driver import Figures
    from portal.stock.opening import import_driver

    with terminal() as here, _progress(file) as watch:
        profile = here.rooms.books.profiles.get(profile_id)
        manager = here.act_as(Role.LICENSE_MANAGER, account)
        driver = import_driver(here.rooms, here.settings)
        if dry_run:
            run_id, figures = None, driver.rehearse(manager, file, profile, watch)
        else:
            run_id = _run(here, driver, manager, file, profile, resume=resume)
            figures = Figures.of(driver.work(manager, run_id, file, watch))
    told = as_report(figures, profile.label, run_id)
    if report is not None:
        report.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _tell(told)
    return EXIT_INVALID if figures.quarantined or figures.rejected else EXIT_DONE


def _run(
    here: Terminal, driver: "ImportDriver", manager: Identity, file: Path, profile: "Profile", *, resume: bool
) -> str:
    """Give the run to work on: the interrupted one of this file, or a new one."""
    from licenses.errors import StockRunUnknownError
    from portal.stock.driver import source_file

    source = source_file(file)
    if resume:
        with here.rooms.database.reading() as uow:
            run = driver.runs.open_run(uow, manager, source)
            # Another version of the same profile is told apart, and refused, where the run is gone on with.
            if run is None or run.profile.partition("/")[0] != profile.id:
                raise StockRunUnknownError
            return run.id
    return here.rooms.database.write(lambda uow: driver.runs.start(uow, manager, profile, source).id)


@contextmanager
def _progress(file: Path) -> "Iterator[Callable[[Figures], None]]":
    """Give who is told of progress: a bar on a terminal, now and then a line elsewhere."""
    if not sys.stderr.isatty():
        told = [0]

        def line(figures: "Figures") -> None:
            if figures.read // _EVERY > told[0]:
                told[0] = figures.read // _EVERY
                click.echo(_words(figures), err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("导入 importing", total=_lines(file))
        yield lambda figures: progress.update(task, completed=figures.read, description=_words(figures))


def _lines(file: Path) -> int | None:
    """Give about how many records a file has; ``None`` where lines do not tell."""
    with file.open("rb") as handle:
        start = handle.read(4)
        if start.startswith((b"PK", b"[")):
            return None
        return sum(part.count(b"\n") for part in iter(lambda: handle.read(1 << 20), b""))


def _words(figures: "Figures") -> str:
    return (
        f"已读 read {figures.read:,} = 导入 accepted {figures.accepted:,} + "
        f"隔离 quarantined {figures.quarantined:,} + 拒绝 rejected {figures.rejected:,}"
    )


def as_report(figures: "Figures", profile: str, run_id: str | None) -> dict[str, Any]:
    """Give the report of a run, or of a trial when there is none."""
    from licenses.stock.reasons import stock_reasons

    table = stock_reasons()
    return {
        "run": run_id,
        "profile": profile,
        "read": figures.read,
        "accepted": figures.accepted,
        "quarantined": figures.quarantined,
        "rejected": figures.rejected,
        "duplicates": figures.reasons["duplicate"],
        "reasons": [
            {
                "code": code,
                "count": count,
                "verdict": str(table[code].verdict),
                "kind": table[code].kind,
                "zh": table[code].zh,
                "en": table[code].en,
            }
            for code, count in sorted(figures.reasons.items(), key=lambda one: (-one[1], one[0]))
        ],
        "types": _types(figures),
    }


def _types(figures: "Figures") -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, count in sorted(figures.types.items()):
        code, _, verdict = name.partition(" ")
        found.setdefault(code, {"type": code})[verdict] = count
    return list(found.values())


def _tell(told: dict[str, Any]) -> None:
    click.echo(
        f"已读 read {told['read']} = 导入 accepted {told['accepted']} + "
        f"隔离 quarantined {told['quarantined']} + 拒绝 rejected {told['rejected']}"
    )
    for row in told["reasons"]:
        click.echo(f"{row['count']:>9}  {row['verdict']:11} {row['code']:24} {row['zh']} / {row['en']}")
    for row in told["types"]:
        counts = " ".join(f"{name}={count}" for name, count in row.items() if name != "type")
        click.echo(f"{row['type']}  {counts}")
    click.echo(
        "试算，未写入；重复与同号版本由导入时判定 / dry run, nothing written; duplicates and versions "
        "of one number are told by the import alone"
        if told["run"] is None
        else f"批次 run {told['run']}"
    )
