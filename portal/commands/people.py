# SPDX-License-Identifier: Apache-2.0
"""Commands on persons and systems: accounts, API clients, login links."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, BY_ADMINISTRATOR, terminal
from storage.identity import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.accounts.models import RightChange
    from portal.commands.common import Terminal
    from storage.database import UnitOfWork
    from storage.identity import Identity

_PERSONS = [str(role) for role in Role if role not in {Role.CLIENT, Role.SYSTEM, Role.HOLDER, Role.PUBLIC}]

_REASON = click.option("--reason", required=True, help="Reason 申请理由.")
_CODE = click.option("--organisation", required=True, help="Department code 部门代码.")


@click.group()
def account() -> None:
    """账号 / Accounts of persons; a security administrator decides what is asked for here."""


@account.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON 以 JSON 输出.")
@BY_ADMINISTRATOR
@AS
def account_list(*, as_json: bool, by: str, account: str | None) -> None:
    """列出账号 / List accounts: the ids that --as, --account and other commands take, roles, names."""
    from portal.accounts.directory import persons

    with terminal() as here:
        who = here.act_as(Role(by), account)
        with here.rooms.database.reading() as uow:
            found = persons(uow, who, here.rooms.sign_ins)
    posts = {one.id: {at: sorted(map(str, held)) for at, held in one.posts.items()} for one in found}
    if as_json:
        shown = [{"id": one.id, "name": one.name, "posts": posts[one.id]} for one in found]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in found:
        told = "; ".join(f"{at}: {', '.join(held)}" for at, held in posts[one.id].items())
        click.echo(f"{one.id}  {one.name}  {told}")


@account.command("add")
@click.option("--name", required=True, help="Name 姓名.")
@_CODE
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(_PERSONS), help="Role 角色.")
@_REASON
@AS
def account_add(
    name: str, organisation: str, roles: tuple[str, ...], reason: str, account: str | None
) -> None:
    """申请新增账号 / Ask for a new account; prints the ids of the request and of the account to be."""
    from portal.accounts.rights import NewAccount

    new = NewAccount(name=name, organisation=organisation, roles=frozenset(map(Role, roles)))
    _ask(account, lambda here, uow, who: here.rooms.rights.add_account(uow, who, new, reason))


@account.command("post")
@click.argument("account_id", metavar="ID")
@_CODE
@click.option("--role", "roles", multiple=True, type=click.Choice(_PERSONS), help="Role 角色; none = 撤销.")
@_REASON
@AS
def account_post(
    account_id: str, organisation: str, roles: tuple[str, ...], reason: str, account: str | None
) -> None:
    """申请变更角色 / Ask that account ID have exactly these roles in an organisation."""
    held = frozenset(map(Role, roles))
    _ask(
        account,
        lambda here, uow, who: here.rooms.rights.change_post(
            uow, who, account_id, organisation, held, reason
        ),
    )


@account.command("end")
@click.argument("account_id", metavar="ID")
@_REASON
@AS
def account_end(account_id: str, reason: str, account: str | None) -> None:
    """申请停用账号 / Ask that account ID end."""
    _ask(account, lambda here, uow, who: here.rooms.rights.end_account(uow, who, account_id, reason))


@account.command("document")
@click.argument("account_id", metavar="ID")
@click.option("--scheme", default="111", show_default=True, help="Kind of document 证件类型代码.")
@click.option(
    "--number",
    prompt="Number of the document 证件号码",
    hide_input=True,
    help="Number 证件号码; leave it out to be asked for it, unseen 不填则提示输入.",
)
@_REASON
@AS
def account_document(account_id: str, scheme: str, number: str, reason: str, account: str | None) -> None:
    """申请登记本人证件 / Ask that the keyed hash of account ID's identity document be kept."""
    _ask(
        account,
        lambda here, uow, who: here.rooms.rights.state_document(uow, who, account_id, scheme, number, reason),
    )


@account.command("document-end")
@click.argument("account_id", metavar="ID")
@_REASON
@AS
def account_document_end(account_id: str, reason: str, account: str | None) -> None:
    """申请撤销本人证件登记 / Ask that what is kept of account ID's document be removed."""
    _ask(account, lambda here, uow, who: here.rooms.rights.end_document(uow, who, account_id, reason))


@click.group()
def client() -> None:
    """调用方 / API clients; a security administrator decides what is asked for here."""


@client.command("add")
@click.option("--name", required=True, help="Name of the system 系统名称.")
@_CODE
@click.option("--source", "sources", multiple=True, help="Source of cases it may name 来源系统代码.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="announce, file, ask, read or audit 权限范围.",
)
@click.option("--item", "items", multiple=True, help="Item code it may ask about 事项代码.")
@click.option("--operator", "operators", multiple=True, help="Account id of a person it may name 经办人账号.")
@click.option(
    "--days", default=365, show_default=True, type=click.IntRange(1, 1100), help="Days valid 有效天数."
)
@_REASON
@AS
def client_add(
    name: str,
    organisation: str,
    sources: tuple[str, ...],
    scopes: tuple[str, ...],
    items: tuple[str, ...],
    operators: tuple[str, ...],
    days: int,
    reason: str,
    account: str | None,
) -> None:
    """申请新增调用方 / Ask for a new client; its key is printed once, and opens nothing before approval."""
    from portal.accounts.rights import NewClient

    def ask(here: "Terminal", uow: "UnitOfWork", who: "Identity") -> "RightChange":
        new = NewClient(
            name=name,
            organisation=organisation,
            sources=frozenset(sources),
            scopes=frozenset(scopes),
            items=frozenset(items),
            operators=frozenset(operators),
            expires_at=here.rooms.clock.now() + dt.timedelta(days=days),
        )
        change, told["key"] = here.rooms.rights.add_client(uow, who, new, reason)
        return change

    told: dict[str, str] = {}
    _ask(account, ask)
    click.echo(told["key"])


@client.command("end")
@click.argument("client_id", metavar="ID")
@_REASON
@AS
def client_end(client_id: str, reason: str, account: str | None) -> None:
    """申请停用调用方 / Ask that client ID end."""
    _ask(account, lambda here, uow, who: here.rooms.rights.end_client(uow, who, client_id, reason))


@client.command("key-add")
@click.argument("client_id", metavar="ID")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_REASON
@AS
def client_key_add(client_id: str, file: Path, reason: str, account: str | None) -> None:
    """申请登记公钥 / Ask that the public key (JWK) in FILE be registered for client ID."""
    from portal.accounts.carrying import ChangeKind

    stated, kind = file.read_text("utf-8", "replace"), ChangeKind.CLIENT_KEY_ADD
    _ask(
        account,
        lambda here, uow, who: here.rooms.rights.change_key(uow, who, kind, client_id, stated, reason),
    )


# A thumbprint is base64url and may begin with a hyphen: what is no long option by name is an argument here.
_THUMBPRINT = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@client.command("key-end", context_settings=_THUMBPRINT)
@click.argument("client_id", metavar="ID")
@click.argument("key", metavar="KEY")
@_REASON
@AS
def client_key_end(client_id: str, key: str, reason: str, account: str | None) -> None:
    """申请停用公钥 / Ask that the public key KEY (its thumbprint) of client ID end."""
    from portal.accounts.carrying import ChangeKind

    kind = ChangeKind.CLIENT_KEY_END
    _ask(account, lambda here, uow, who: here.rooms.rights.change_key(uow, who, kind, client_id, key, reason))


@client.command("make-key")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--curve", type=click.Choice(("P-256", "Ed25519")), default="P-256", show_default=True)
def client_make_key(folder: Path, curve: str) -> None:
    """生成密钥对 / Make a pair of keys for a calling system: FOLDER/private.jwk and FOLDER/public.jwk."""
    from portal.asking.signing import CallerKey
    from storage.files import create_once

    pair = CallerKey.make(curve)
    folder.mkdir(parents=True, exist_ok=True)
    create_once(folder / "private.jwk", json.dumps(pair.private()).encode(), 0o400)
    create_once(folder / "public.jwk", json.dumps(pair.public()).encode(), 0o444)
    click.echo(f"{pair.kid}  {folder / 'public.jwk'}")


def _ask(account: str | None, ask: "Callable[[Terminal, UnitOfWork, Identity], RightChange]") -> None:
    with terminal() as here:
        who = here.act_as(Role.SYSTEM_ADMIN, account)

        def asked(uow: "UnitOfWork") -> tuple[str, str]:
            change = ask(here, uow, who)
            return change.id, change.object_id

        change, concerned = here.rooms.database.write(asked)
    click.echo(f"申请 / request {change} → {concerned}")
    click.echo(f"待安全管理员审批 / a security administrator decides: cunzheng right approve {change}")


@click.command("login-link")
@click.argument("role", type=click.Choice(_PERSONS))
@click.option("--account", "wanted", help="Account id 账号 (needed when several hold the role).")
@AS
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
