# SPDX-License-Identifier: Apache-2.0
"""Commands on no-proof decisions: replay one, check a rule before it is proposed."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

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
