# SPDX-License-Identifier: Apache-2.0
"""Commands on stored objects: list what no record needs, and remove it as far as locks allow."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json

import click

from portal.commands.common import AS, terminal
from storage.identity import Role

_WORDS = {
    "orphan": "无记录指向 orphan",
    "superseded": "已被取代 superseded",
    "canary": "探测残留 canary",
    "stranger": "来历不明 stranger",
}


@click.group()
def objects() -> None:
    """存储对象 / Stored objects."""


@objects.command("leftovers")
@AS
def leftovers(account: str | None) -> None:
    """列出残留 / List versions older than a day that no record needs; changes nothing."""
    from portal.keepers import object_keeper

    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        for kind, one in object_keeper(here.settings, here.rooms).survey(administrator):
            click.echo(
                f"{_WORDS[kind]}  {one.at:%Y-%m-%dT%H:%M:%SZ}  {one.size}  {one.key}  {one.version_id}"
            )


@objects.command("sweep")
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
@AS
def sweep(*, as_json: bool, account: str | None) -> None:
    """清理残留 / Give up what no record names, remove what was given up a day ago; locks decide.

    Without the destroyer's key nothing is removed. What was given up is no longer renewed.
    """
    from portal.keepers import object_keeper

    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        swept = object_keeper(here.settings, here.rooms).sweep(administrator)
    if as_json:
        shown = {name: value for name, value in vars(swept).items() if name != "found"}
        click.echo(json.dumps(shown | {str(kind): number for kind, number in swept.found.items()}, indent=2))
        return
    for kind, number in sorted(swept.found.items()):
        click.echo(f"{_WORDS[kind]}  {number}")
    click.echo(
        f"在用 needed {swept.needed}，未满一日 recent {swept.recent}，放弃 given up {swept.given_up}，"
        f"删除 removed {swept.removed}，仍锁定 still locked {swept.locked}"
    )
