# SPDX-License-Identifier: Apache-2.0
"""Commands of subscriptions: see them, decide, end, and send dead letters again."""

# The command line must answer at once: what a command needs is imported when it runs.

import json
from typing import TYPE_CHECKING, Any

import click

from portal.commands.common import AS, carry, terminal
from storage.identity import Role

if TYPE_CHECKING:
    from licenses.sharing.desk import Figures
    from licenses.sharing.services import SubscriptionView

_REASON = click.option("--reason", required=True, help="Reason 理由.")
_ID = click.argument("subscription_id", metavar="ID")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")


@click.group()
def subscription() -> None:
    """变更订阅 / Subscriptions to changes: a system asks, an administrator decides."""


@subscription.command("list")
@_JSON
@AS
def subscription_list(*, as_json: bool, account: str | None) -> None:
    """列出订阅及推送情况 / List subscriptions and how delivering stands; those that wait come first."""
    from licenses.sharing.services import READERS  # noqa: PLC0415 - see above

    with terminal() as here:
        who = here.act_as_any(READERS, Role.SYSTEM_ADMIN, account)
        with here.rooms.database.reading() as uow:
            figures = {one.subscription: one for one in here.rooms.sharing.figures(uow)}
            views = here.rooms.subscriptions.all(uow, who)
            shown = [_summary(one, figures.get(one.row.id)) for one in views]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in shown:
        click.echo(
            f"{one['id']} {one['state']:8} {one['name']} 已推送 told {one['told']}，待推送 waiting "
            f"{one['waiting']}，死信 dead {one['dead']}  {one['problem'] or ''}".rstrip()
        )
    if not shown:
        click.echo("没有订阅 / nobody subscribed")


@subscription.command("approve")
@_ID
@_REASON
@AS
def subscription_approve(subscription_id: str, reason: str, account: str | None) -> None:
    """批准订阅 / Approve a subscription; what changes from now on is told."""
    carry(
        Role.SECURITY_ADMIN,
        account,
        lambda rooms, uow, who: rooms.subscriptions.approve(uow, who, subscription_id, reason),
    )
    click.echo(f"已批准 / approved: {subscription_id}")


@subscription.command("refuse")
@_ID
@_REASON
@AS
def subscription_refuse(subscription_id: str, reason: str, account: str | None) -> None:
    """驳回订阅 / Refuse a subscription."""
    carry(
        Role.SECURITY_ADMIN,
        account,
        lambda rooms, uow, who: rooms.subscriptions.refuse(uow, who, subscription_id, reason),
    )
    click.echo(f"已驳回 / refused: {subscription_id}")


@subscription.command("end")
@_ID
@_REASON
@AS
def subscription_end(subscription_id: str, reason: str, account: str | None) -> None:
    """终止订阅 / End a subscription; nothing more is told."""
    carry(
        Role.SECURITY_ADMIN,
        account,
        lambda rooms, uow, who: rooms.subscriptions.end(uow, who, subscription_id, reason),
    )
    click.echo(f"已终止 / ended: {subscription_id}")


@subscription.command("dead")
@_JSON
@AS
def subscription_dead(*, as_json: bool, account: str | None) -> None:
    """列出死信 / List dead letters, the oldest first."""
    from licenses.sharing.services import READERS  # noqa: PLC0415 - see above

    with terminal() as here:
        who = here.act_as_any(READERS, Role.SYSTEM_ADMIN, account)
        with here.rooms.database.reading() as uow:
            shown: list[dict[str, Any]] = [
                {
                    "id": one.id,
                    "subscription": one.subscription_id,
                    "event": one.event_id,
                    "tries": one.failures,
                    "problem": one.problem,
                    "dead_at": None if one.dead_at is None else one.dead_at.isoformat(),
                }
                for one in here.rooms.sharing.dead(uow, who)
            ]
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    for one in shown:
        click.echo(f"{one['id']} {one['dead_at']} {one['subscription']} {one['problem']}")
    if not shown:
        click.echo("没有死信 / no dead letters")


@subscription.command("resend")
@click.argument("dead_id", metavar="[ID]", required=False)
@click.option("--subscription", "subscription_id", help="All of one subscription 某订阅的全部死信.")
@click.option("--all", "everything", is_flag=True, help="Every dead letter 全部死信.")
@AS
def subscription_resend(
    dead_id: str | None, subscription_id: str | None, *, everything: bool, account: str | None
) -> None:
    """重发死信 / Have dead letters sent again; the act is recorded."""
    if [dead_id is not None, subscription_id is not None, everything].count(True) != 1:
        raise click.UsageError(
            "请给出死信编号、--subscription 或 --all / give an ID, --subscription or --all, one of them"
        )
    with terminal() as here:
        who = here.act_as(Role.SYSTEM_ADMIN, account)
        count, promise = here.rooms.database.write(
            lambda uow: here.rooms.sharing.resend(
                uow, who, delivery_id=dead_id, subscription_id=subscription_id
            )
        )
    click.echo(f"将重发 to be sent again: {count}; 存证承诺 promise {promise.core_sha256}")


@subscription.command("skip")
@_ID
@click.argument("event_id", metavar="EVENT")
@AS
def subscription_skip(subscription_id: str, event_id: str, account: str | None) -> None:
    """跳过一条变更通知 / Give up an event that waits, so that later ones of its licence or answer go on.

    It becomes a dead letter. EVENT is the message's `webhook-id`.
    """
    carry(
        Role.SYSTEM_ADMIN,
        account,
        lambda rooms, uow, who: rooms.sharing.skip(uow, who, subscription_id, event_id),
    )
    click.echo(f"已跳过 / skipped: {event_id}")


def _summary(view: "SubscriptionView", figures: "Figures | None") -> dict[str, Any]:
    row, place = view.row, view.place
    return {
        "id": row.id,
        "client": row.client_id,
        "organisation": row.organisation,
        "name": row.name,
        "state": view.standing,
        "about": row.about,
        "types": row.types,
        "items": row.items,
        "holders": row.holders,
        "purpose": row.purpose,
        "endpoint": row.endpoint,
        "reason": view.reason,
        "decision": view.decision,
        "expires_at": row.expires_at.isoformat(),
        "told": 0 if place is None else place.told,
        "waiting": 0 if figures is None else figures.waiting,
        "dead": 0 if figures is None else figures.dead,
        "problem": None if place is None else place.problem,
    }
