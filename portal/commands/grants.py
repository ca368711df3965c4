# SPDX-License-Identifier: Apache-2.0
"""Commands on grants of use: which system may ask what, and how much of it was used today."""

# The command line must answer at once: what a command needs is imported when it runs.

import json

import click

from portal.commands.common import AS, BY_ADMINISTRATOR, terminal
from storage.identity import Role


@click.group()
def grant() -> None:
    """用证授权 / Grants of use: asked for on the page of rights, decided by a second person."""


@grant.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON 以 JSON 输出.")
@BY_ADMINISTRATOR
@AS
def grant_list(*, as_json: bool, by: str, account: str | None) -> None:
    """列出用证授权与今日用量 / List grants and how often each was used today."""
    with terminal() as here:
        who = here.act_as(Role(by), account)
        with here.rooms.database.reading() as uow:
            shown = [
                {
                    "id": one.row.id,
                    "organisation": one.row.organisation,
                    "client": one.row.client_id,
                    "items": one.row.items,
                    "requirements": one.row.requirements,
                    "purposes": one.row.purposes,
                    "ceiling": one.row.ceiling,
                    "quota": one.row.quota,
                    "used_today": one.used,
                    "valid_from": one.row.valid_from.isoformat(),
                    "valid_until": one.row.valid_until.isoformat(),
                    "origin": one.row.origin,
                    "ended": one.row.ended_at is not None,
                }
                for one in here.rooms.rights.grants(uow, who)
            ]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in shown:
        ended = "  已终止 / ended" if one["ended"] else ""
        migrated = "  未确认 / never confirmed" if one["origin"] == "migrated" else ""
        click.echo(
            f"{one['id']}  {one['organisation']}/{one['client'] or '*'}  {one['ceiling']}  "
            f"{one['used_today']}/{one['quota']}  {one['valid_from']} – {one['valid_until']}{migrated}{ended}"
        )
    if not shown:
        click.echo("尚无用证授权 / no grant")
