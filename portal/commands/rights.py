# SPDX-License-Identifier: Apache-2.0
"""Commands of the second person: see what was asked for, approve it, refuse it, take it back."""

# The command line must answer at once: what a command needs is imported when it runs.

import json

import click

from portal.commands.common import AS, carry, terminal
from storage.identity import Role

_REASON = click.option("--reason", required=True, help="Reason 理由.")
_ID = click.argument("change", metavar="ID")


@click.group()
def right() -> None:
    """权限变更 / Changes of rights: one administrator asks, another decides."""


@right.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
@AS
def right_list(*, as_json: bool, account: str | None) -> None:
    """列出待审批的申请 / List what waits for a decision."""
    with terminal() as here:
        who = here.act_as(Role.SECURITY_ADMIN, account)
        with here.rooms.database.reading() as uow:
            shown = [
                {
                    "id": one.row.id,
                    "kind": one.row.kind,
                    "object": one.row.object_id,
                    "name": one.name,
                    "terms": one.row.terms,
                    "document": list(one.document) if any(one.document) else None,
                    "reason": one.reason,
                    "requested_by": one.row.requested_by,
                    "requested_at": one.row.requested_at.isoformat(),
                    "expires_at": one.row.expires_at.isoformat(),
                }
                for one in here.rooms.rights.open(uow, who)
            ]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for change in shown:
        terms = json.dumps(change["terms"], ensure_ascii=False)
        document = f" 证件 document: {' '.join(change['document'])}" if change["document"] else ""
        click.echo(
            f"{change['id']} {change['kind']:12} {change['name']} {terms}{document}"
            f" 理由 reason: {change['reason']}"
        )
    if not shown:
        click.echo("没有待审批的申请 / nothing waits")


@right.command("approve")
@_ID
@_REASON
@AS
def right_approve(change: str, reason: str, account: str | None) -> None:
    """批准并生效 / Approve a request and carry it out."""
    carry(
        Role.SECURITY_ADMIN, account, lambda rooms, uow, who: rooms.rights.approve(uow, who, change, reason)
    )
    click.echo(f"已批准 / approved: {change}")


@right.command("refuse")
@_ID
@_REASON
@AS
def right_refuse(change: str, reason: str, account: str | None) -> None:
    """驳回 / Refuse a request."""
    carry(Role.SECURITY_ADMIN, account, lambda rooms, uow, who: rooms.rights.refuse(uow, who, change, reason))
    click.echo(f"已驳回 / refused: {change}")


@right.command("withdraw")
@_ID
@_REASON
@AS
def right_withdraw(change: str, reason: str, account: str | None) -> None:
    """撤回 / Take one's own request back."""
    carry(Role.SYSTEM_ADMIN, account, lambda rooms, uow, who: rooms.rights.withdraw(uow, who, change, reason))
    click.echo(f"已撤回 / withdrawn: {change}")
