# SPDX-License-Identifier: Apache-2.0
"""Commands on seals and licences: list, suspend, resume, revoke."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, terminal
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

if TYPE_CHECKING:
    from licenses.models import License
    from licenses.services import Grounds, LicenseService
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
    choose: "Callable[[LicenseService], Callable[[UnitOfWork, Identity, str, Grounds], License]]",
    identifier: str,
    reason: str,
    legal_basis: str,
    account: str | None,
) -> None:
    from licenses.services import Grounds

    with terminal() as here:
        manager = here.act_as(Role.LICENSE_MANAGER, account or _own_manager(here.rooms, identifier))
        change, grounds = choose(here.rooms.licenses), Grounds(reason, legal_basis)
        here.rooms.database.write(lambda uow: change(uow, manager, identifier, grounds))


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


@licence.command("suspend")
@click.argument("identifier")
@_WORDS
@_BASIS
@AS
def licence_suspend(identifier: str, reason: str, legal_basis: str, account: str | None) -> None:
    """暂停证照 / Suspend a licence."""
    _change(lambda licenses: licenses.suspend, identifier, reason, legal_basis, account)
    click.echo("已暂停 suspended")


@licence.command("resume")
@click.argument("identifier")
@_WORDS
@_BASIS
@AS
def licence_resume(identifier: str, reason: str, legal_basis: str, account: str | None) -> None:
    """恢复证照 / End a suspension."""
    _change(lambda licenses: licenses.resume, identifier, reason, legal_basis, account)
    click.echo("已恢复 resumed")


@licence.command("revoke")
@click.argument("identifier")
@_WORDS
@_BASIS
@AS
def licence_revoke(identifier: str, reason: str, legal_basis: str, account: str | None) -> None:
    """吊销证照 / Revoke a licence for good."""
    _change(lambda licenses: licenses.revoke, identifier, reason, legal_basis, account)
    click.echo("已吊销 revoked")
