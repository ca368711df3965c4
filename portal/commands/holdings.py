# SPDX-License-Identifier: Apache-2.0
"""Commands on seals and licences: what an office decides about them."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, terminal
from portal.commands.stock import licence_import
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

if TYPE_CHECKING:
    from portal.rooms import Rooms
    from seals.services import SealService
    from storage.database import UnitOfWork
    from storage.ledger.acts import Promise

_REASON = click.option(
    "--reason", required=True, help="Short code, such as audit, lost, superseded 原因代码."
)


@click.group()
def seal() -> None:
    """印章 / The seal register."""


@seal.command("list")
@AS
def seal_list(account: str | None) -> None:
    """列出印章 / List every seal with its effective state."""
    with terminal() as here:
        manager = here.act_as(Role.SEAL_MANAGER, account)
        with here.rooms.database.reading() as uow:
            views = here.rooms.seals.list(uow, manager)
    for view in views:
        click.echo(f"{view.id}  {view.state:10} {view.department:8} {view.name}")


def _change_seal(
    choose: "Callable[[SealService], Callable[[UnitOfWork, Identity, str, str], Promise]]",
    seal_id: str,
    reason: str,
    account: str | None,
    done: str,
) -> None:
    with terminal() as here:
        manager = here.act_as(Role.SEAL_MANAGER, account)
        change = choose(here.rooms.seals)
        promise = here.rooms.database.write(lambda uow: change(uow, manager, seal_id, reason))
    click.echo(f"{done}; 存证承诺 promise {promise.core_sha256}")


@seal.command("suspend")
@click.argument("seal_id")
@_REASON
@AS
def seal_suspend(seal_id: str, reason: str, account: str | None) -> None:
    """停用印章 / Stop new use of a seal at once."""
    _change_seal(lambda seals: seals.suspend, seal_id, reason, account, "已停用 suspended")


@seal.command("resume")
@click.argument("seal_id")
@_REASON
@AS
def seal_resume(seal_id: str, reason: str, account: str | None) -> None:
    """恢复印章 / Allow use of a suspended seal again; what waited for it goes on."""
    _change_seal(lambda seals: seals.resume, seal_id, reason, account, "已恢复 resumed")


@seal.command("revoke")
@click.argument("seal_id")
@_REASON
@AS
def seal_revoke(seal_id: str, reason: str, account: str | None) -> None:
    """注销印章 / End a seal for ever and publish the revocation list."""
    from portal.revocation import revoke_seal

    with terminal() as here:
        manager = here.act_as(Role.SEAL_MANAGER, account)
        promise = revoke_seal(here.rooms, manager, seal_id, reason)
    click.echo(f"已注销 revoked; 存证承诺 promise {promise.core_sha256}")


@click.group()
def licence() -> None:
    """电子证照 / Licences."""


def _change(
    kind: str,
    identifier: str,
    reason: str,
    legal_basis: str,
    account: str | None,
    process: str | None = None,
) -> None:
    from licenses.events import Grounds
    from licenses.lifecycle import EventKind, Process

    with terminal() as here:
        manager = here.act_as(Role.LICENSE_MANAGER, account or _own_manager(here.rooms, identifier))
        grounds, pending = Grounds(reason, legal_basis), Process(process) if process else None
        here.rooms.database.write(
            lambda uow: here.rooms.licenses.change(
                uow, manager, identifier, EventKind(kind), grounds, pending
            )
        )


def _own_manager(rooms: "Rooms", identifier: str) -> str | None:
    """Give the licence's only manager; ``None`` when its department has several, who must be chosen from."""
    from sqlalchemy import select

    from cases.organisations import covers
    from licenses.models import License
    from portal.accounts.posts import identity_with

    with rooms.database.reading() as uow:
        found = uow.session.scalars(select(License).where(License.identifier == identifier)).first()
        managers = rooms.accounts.with_role(uow, Role.LICENSE_MANAGER)
    posts = ((one.id, identity_with(one, Role.LICENSE_MANAGER)) for one in managers)
    own = [one for one, who in posts if found and who and covers(who, found.organisation)]
    if not own:
        raise NotPermittedError(role=str(Role.LICENSE_MANAGER))
    return own[0] if len(own) == 1 else None


_WORDS = click.option("--reason", required=True, help="Why, in words 理由.")
_BASIS = click.option("--legal-basis", required=True, help="The provision that allows it 法律依据.")


_CHANGES = (
    ("suspend", "suspended", "暂停证照 / Suspend a licence.", "已暂停 suspended"),
    ("resume", "resumed", "恢复证照 / End a suspension.", "已恢复 resumed"),
    (
        "cancel",
        "cancelled",
        "注销证照 / Cancel a licence whose purpose is over.",
        "已注销 cancelled",
    ),
    (
        "withdraw",
        "withdrawn",
        "撤销证照 / Withdraw what should not have been given.",
        "已撤销 withdrawn",
    ),
    ("revoke", "revoked", "吊销证照 / Revoke a licence for good, as a sanction.", "已吊销 revoked"),
    ("check", "checked", "年检通过 / Note that a licence passed its annual check.", "年检通过 checked"),
    ("lapse", "lapsed", "年检作废 / Void a licence after its annual check.", "年检作废 lapsed"),
)


def _add_change(name: str, kind: str, words: str, done: str) -> None:
    @licence.command(name, help=words)
    @click.argument("identifier")
    @_WORDS
    @_BASIS
    @AS
    def run(identifier: str, reason: str, legal_basis: str, account: str | None) -> None:
        _change(kind, identifier, reason, legal_basis, account)
        click.echo(done)


for _each in _CHANGES:
    _add_change(*_each)


_PROCESS = click.option(
    "--process",
    required=True,
    type=click.Choice(["annual-check", "cancellation"]),
    help="What is under way 办理事项.",
)


@licence.command("open")
@click.argument("identifier")
@_PROCESS
@_WORDS
@_BASIS
@AS
def licence_open(identifier: str, process: str, reason: str, legal_basis: str, account: str | None) -> None:
    """开始办理 / Note that something is under way on a licence; it stays as valid as it is."""
    _change("process-opened", identifier, reason, legal_basis, account, process)
    click.echo("已开始办理 opened")


@licence.command("close")
@click.argument("identifier")
@_PROCESS
@_WORDS
@_BASIS
@AS
def licence_close(identifier: str, process: str, reason: str, legal_basis: str, account: str | None) -> None:
    """结束办理 / Note that what was under way on a licence ended without a change."""
    _change("process-closed", identifier, reason, legal_basis, account, process)
    click.echo("已结束办理 closed")


licence.add_command(licence_import)
