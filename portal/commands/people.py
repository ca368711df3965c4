# SPDX-License-Identifier: Apache-2.0
"""Commands on persons and systems: accounts, API clients, login links."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import datetime as dt

import click

from portal.commands.common import terminal
from storage.identity import Role

_PERSONS = [str(role) for role in Role if role not in {Role.CLIENT, Role.SYSTEM, Role.PUBLIC}]
_ACTING = click.option("--as", "account", help="Acting account 操作账号 (needed when several hold the role).")


@click.group()
def account() -> None:
    """账号 / Accounts of persons."""


@account.command("add")
@click.option("--name", required=True, help="Name 姓名.")
@click.option("--organisation", required=True, help="Department code 部门代码.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(_PERSONS), help="Role 角色.")
@_ACTING
def account_add(name: str, organisation: str, roles: tuple[str, ...], account: str | None) -> None:
    """新增账号 / Add an account and print its id."""
    from portal.accounts.services import NewAccount

    new = NewAccount(name=name, organisation=organisation, roles=frozenset(map(Role, roles)))
    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        added = here.rooms.database.write(
            lambda uow: here.rooms.accounts.add_account(uow, administrator, new)
        )
    click.echo(added.id)


@click.group()
def client() -> None:
    """调用方 / API clients."""


@client.command("add")
@click.option("--name", required=True, help="Name of the system 系统名称.")
@click.option("--organisation", required=True, help="Department code 部门代码.")
@click.option("--source", "sources", multiple=True, help="Source of cases it may name 来源系统代码.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="announce, file, ask, read, verify or audit 权限范围.",
)
@click.option("--item", "items", multiple=True, help="Item code it may ask about 事项代码.")
@click.option("--operator", "operators", multiple=True, help="Account id of a person it may name 经办人账号.")
@click.option(
    "--days", default=365, show_default=True, type=click.IntRange(1, 1100), help="Days valid 有效天数."
)
@_ACTING
def client_add(
    name: str,
    organisation: str,
    sources: tuple[str, ...],
    scopes: tuple[str, ...],
    items: tuple[str, ...],
    operators: tuple[str, ...],
    days: int,
    account: str | None,
) -> None:
    """新增调用方 / Add a client; its key is printed once and never again."""
    from portal.accounts.services import NewClient

    with terminal() as here:
        new = NewClient(
            name=name,
            organisation=organisation,
            sources=frozenset(sources),
            scopes=frozenset(scopes),
            items=frozenset(items),
            operators=frozenset(operators),
            expires_at=here.rooms.clock.now() + dt.timedelta(days=days),
        )
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        added, key = here.rooms.database.write(
            lambda uow: here.rooms.accounts.add_client(uow, administrator, new)
        )
    click.echo(f"{added.id} {key}")


@click.command("login-link")
@click.argument("role", type=click.Choice(_PERSONS))
@click.option("--account", "wanted", help="Account id 账号 (needed when several hold the role).")
@_ACTING
def login_link(role: str, wanted: str | None, account: str | None) -> None:
    """生成一次性登录链接 / Print a one-time login link for the account with ROLE."""
    from portal.address import served_at

    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        person = here.holder(Role(role), wanted)
        token = here.rooms.database.write(
            lambda uow: here.rooms.accounts.login_link(uow, administrator, person.id)
        )
    click.echo(f"{served_at(here.settings)}/sign-in/{token}")
