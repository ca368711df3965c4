# SPDX-License-Identifier: Apache-2.0
"""Commands on steps: what does not go on, and trying a stuck one again."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json

import click

from portal.commands.common import AS, terminal
from storage.clock import rfc3339
from storage.errors import title_of
from storage.identity import Role

_MARKS = {"stuck": ("✕", "停滞"), "waiting": ("▲", "等待"), "running": ("●", "运行"), "ready": ("●", "就绪")}


@click.group()
def step() -> None:
    """步骤 / Steps of filing and issuing."""


@step.command("list")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Rows 行数.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
@AS
def step_list(limit: int, *, as_json: bool, account: str | None) -> None:
    """列出未完成步骤 / List unfinished steps: the stuck ones first, then those that wait.

    A waiting step goes on by itself; a stuck one waits for `cunzheng step retry`.
    """
    from portal.steps import StepDesk

    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        with here.rooms.database.reading() as uow:
            views = StepDesk().list(uow, administrator, limit)
    if as_json:
        shown = [
            {
                "id": one.id,
                "kind": one.kind,
                "state": one.state,
                "problem": one.problem,
                "since": rfc3339(one.since),
                "attempts": one.attempts,
                "next_at": rfc3339(one.next_at) if one.next_at else None,
            }
            for one in views
        ]
        click.echo(json.dumps(shown, indent=2))
        return
    for one in views:
        mark, word = _MARKS[one.state]
        since = one.since.isoformat(timespec="seconds")
        zh, en = title_of(one.problem) if one.problem else ("", "")
        why = f"  {one.problem} {zh} / {en}" if one.problem else ""
        click.echo(f"{mark} {one.id}  {word} {one.state:7}  {one.kind:16} {since}{why}")
    if not views:
        click.echo("没有未完成的步骤 / every step is done")


@step.command("retry")
@click.argument("step_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every stuck step 全部停滞步骤.")
@AS
def step_retry(step_id: str | None, *, everything: bool, account: str | None) -> None:
    """重试停滞步骤 / Try a stuck step again, or all of them, with fresh attempts; the act is recorded."""
    from portal.steps import StepDesk

    if everything == (step_id is not None):
        raise click.UsageError("请给出步骤编号或 --all / give the step's ID or --all, one of them")
    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        write = here.rooms.database.write
        if step_id is None:
            told = f": {len(write(lambda uow: StepDesk().retry_all(uow, administrator)))}"
        else:
            promise = write(lambda uow: StepDesk().retry(uow, administrator, step_id))
            told = f"; 存证承诺 promise {promise.core_sha256}"
    click.echo(f"已重试 tried again{told}")
