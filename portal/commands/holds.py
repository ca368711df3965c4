# SPDX-License-Identifier: Apache-2.0
"""Commands on legal holds: place, lift, list, and make the bucket follow the records."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, Terminal, terminal
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.identity import Role

if TYPE_CHECKING:
    from portal.holding import Done, HoldKeeper, Standing

_REASON = click.option("--reason", required=True, help="Why 理由; no personal data.")
_BASIS = click.option("--legal-basis", required=True, help="Provision or order 法律依据.")
_FOLDER = (
    "对象在本地目录：已登记，系统不删除其中对象 / "
    "objects lie in a folder: recorded, and the product removes nothing there"
)


@click.group()
def hold() -> None:
    """法律保全 / Legal holds on dossiers."""


def _keeper(here: Terminal) -> "HoldKeeper":
    from portal.keepers import hold_keeper

    return hold_keeper(here.settings, here.rooms)


def _say(keeper: "HoldKeeper", done: "Done", word: str) -> int:
    click.echo(f"{word} {done.hold}; 存证承诺 promise {done.promise.core_sha256}")
    if done.in_store is not None:
        click.echo(f"存储桶对象 objects in the bucket: {done.in_store}")
    elif keeper.in_bucket:
        click.echo(
            "已登记，存储桶尚未执行；恢复后运行 cunzheng hold apply / recorded, not done in the bucket yet"
        )
        return EXIT_INVALID
    else:
        click.echo(_FOLDER)
    return EXIT_DONE


@hold.command("place")
@click.argument("dossier")
@_REASON
@_BASIS
@AS
def place(dossier: str, reason: str, legal_basis: str, account: str | None) -> int:
    """保全 / Hold a dossier, by id or archival number: supervision. Never refused for a ledger that lags.

    Exit code 1 when it is recorded and the bucket could not be told yet.
    """
    from archive.holds import HoldGrounds

    with terminal() as here:
        supervisor = here.act_as(Role.SUPERVISOR, account)
        keeper = _keeper(here)
        done = keeper.place(supervisor, dossier, HoldGrounds(reason, legal_basis))
    return _say(keeper, done, "已保全 held")


@hold.command("lift")
@click.argument("hold_id")
@_REASON
@_BASIS
@AS
def lift(hold_id: str, reason: str, legal_basis: str, account: str | None) -> int:
    """解除保全 / Lift a hold: security administration, which never places any.

    Exit code 1 when it is recorded and the bucket could not be told yet.
    """
    from archive.holds import HoldGrounds

    with terminal() as here:
        administrator = here.act_as(Role.SECURITY_ADMIN, account)
        keeper = _keeper(here)
        done = keeper.lift(administrator, hold_id, HoldGrounds(reason, legal_basis))
    return _say(keeper, done, "已解除 lifted")


@hold.command("list")
@AS
def list_(account: str | None) -> int:
    """列出有效保全 / List the holds that stand, and how much of each the bucket holds."""
    with terminal() as here:
        supervisor = here.act_as(Role.SUPERVISOR, account)
        keeper = _keeper(here)
        standing = keeper.standing(supervisor)
    return _show(keeper, standing)


@hold.command("apply")
@AS
def apply(account: str | None) -> int:
    """补执行 / Make the bucket follow the records, after it was away or got new versions."""
    with terminal() as here:
        supervisor = here.act_as(Role.SUPERVISOR, account)
        keeper = _keeper(here)
        standing = keeper.apply(supervisor)
    return _show(keeper, standing)


def _show(keeper: "HoldKeeper", standing: "list[Standing]") -> int:
    for one in standing:
        row, dossier = one.held.hold, one.held.dossier
        told = "" if one.in_store is None else f"  {one.in_store}/{one.objects}"
        click.echo(
            f"{row.id}  {row.placed_at:%Y-%m-%d}  {dossier.archival_number}{told}"
            f"  {row.reason} · {row.legal_basis}"
        )
    if not keeper.in_bucket:
        click.echo(_FOLDER)
        return EXIT_DONE
    return EXIT_DONE if all(one.in_store == one.objects for one in standing) else EXIT_INVALID
