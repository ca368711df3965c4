# SPDX-License-Identifier: Apache-2.0
"""Commands on no-proof decisions: replay one, check a rule before it is proposed."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
import sys
from collections import Counter
from pathlib import Path

import click

from portal.commands.common import AS, terminal
from storage.errors import EXIT_CANNOT_TELL, EXIT_INVALID
from storage.identity import Role


@click.group()
def proof() -> None:
    """免证核验 / No-proof decisions."""


@proof.command("replay")
@click.argument("decision_id")
@AS
@click.pass_context
def proof_replay(context: click.Context, decision_id: str, account: str | None) -> None:
    """复算核验结论 / Replay a decision with the facts and the rule of its instant.

    Exit code 0: it comes out byte for byte; 1: it does not; 2: it cannot be replayed.
    """
    from licenses.replay import ReplayState

    with terminal() as here:
        supervisor = here.act_as(Role.SUPERVISOR, account)
        found = here.rooms.database.write(lambda uow: here.rooms.replays.replay(uow, supervisor, decision_id))
    words = {
        ReplayState.SAME: "✓ 复算一致，逐字节相同 / replayed: the same, byte for byte",
        ReplayState.DIFFERENT: "✕ 复算不一致 / replayed: it differs at",
        ReplayState.CANNOT: "? 无法复算 / cannot be replayed",
    }
    click.echo(words[found.state] + (f": {found.reason}" if found.reason else ""))
    for path in found.differences:
        click.echo(f"  {path}")
    codes = {ReplayState.SAME: 0, ReplayState.DIFFERENT: EXIT_INVALID, ReplayState.CANNOT: EXIT_CANNOT_TELL}
    context.exit(codes[found.state])


@proof.command("simulate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
@AS
def proof_simulate(file: Path, *, as_json: bool, account: str | None) -> None:
    """仿真免证规则 / Evaluate the closed cases of an item by a draft rule (YAML or JSON).

    Prints the share of each outcome, by the draft and by the rule of each case's day.
    """
    from licenses.rules import read_rule
    from licenses.simulation import Outcome

    draft = read_rule(file.read_bytes(), file.name)
    with terminal() as here:
        who = here.act_as_any((Role.SUPERVISOR, Role.SYSTEM_ADMIN), Role.SUPERVISOR, account)
        simulations, database = here.rooms.simulations, here.rooms.database
        with database.reading() as uow:
            found = simulations.simulate(uow, who, draft, _tell)
        database.write(lambda uow: simulations.record(uow, who, draft, found.as_json()))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    click.echo(f"办结件 closed cases: {found.cases}；已销毁 erased: {found.erased}")
    titles = {
        Outcome.MET: "免证 met",
        Outcome.NOT_MET: "不符 not met",
        Outcome.PROVISIONAL: "承诺或容缺 provisional",
        Outcome.PENDING: "协查 pending",
        Outcome.UPLOAD: "收取 upload",
    }
    if found.replaced:
        # What the figures rest on must not be taken for cases of the edition itself.
        click.echo(
            "本版本尚无办结件，按其所替代版本的办结件仿真 no closed case of this edition, "
            f"evaluated those that it replaces: {', '.join(found.replaced)}"
        )
    for name in sorted({*found.draft, *found.in_force}):
        counts = found.draft.get(name, Counter())
        click.echo(f"{name} 不再要求 no longer asked" if name in found.dropped else name)
        before = found.in_force.get(name, Counter())
        for outcome, title in titles.items():
            if counts[outcome] or before[outcome]:
                then = _share(before[outcome], found.cases)
                click.echo(
                    f"  {title:28} {_share(counts[outcome], found.cases):>7}  （现行 in force {then}）"
                )
    click.echo(
        f"无需提交任何证明 nothing asked: {_share(found.nothing_asked, found.cases)}"
        f"（现行 in force {_share(found.nothing_asked_before, found.cases)}）；"
        f"结论不同的办件 differing: {found.differing}"
    )


def _tell(done: int) -> None:
    """Show how far it came, where somebody looks on."""
    if sys.stderr.isatty():
        click.echo(f"\r{done:,}", err=True, nl=False)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
