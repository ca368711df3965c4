# SPDX-License-Identifier: Apache-2.0
"""Save the signed directory and the status list, for checks where there is no network."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal.commands.common import load_settings, open_installation

if TYPE_CHECKING:
    from portal.offline import OfflineFolder


@click.group()
def directory() -> None:
    """证照目录 / The signed directory of issuers, licence types and keys."""


@directory.command("save")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--from", "address", help="Address of another installation; this one by default 其他安装的地址."
)
def directory_save(folder: Path, address: str | None) -> None:
    """保存目录与状态列表 / Save directory and status list into FOLDER.

    `cunzheng verify FILE --offline FOLDER` needs nothing else. A folder that exists is brought up to date
    only by whoever signed it before.
    """
    from storage.clock import rfc3339

    saved = _fetched(folder, address) if address is not None else _own(folder)
    found = saved.directory
    click.echo(f"发布方 origin     {found.origin}")
    click.echo(
        f"目录 directory    {len(found.issuers)} 个颁发机构 issuers, {len(found.types)} 个证照类型 types"
    )
    click.echo(f"目录有效期至 until {rfc3339(found.until)}")
    if saved.listed is not None:
        click.echo(f"状态列表 list     {rfc3339(saved.listed.at)} — {rfc3339(saved.listed.expires)}")
    for key in found.jwks["keys"]:
        click.echo(f"公钥 key          {key.get('kid', '')}")


def _fetched(folder: Path, address: str) -> "OfflineFolder":
    from portal.offline import fetch_folder
    from portal.sharing.opening import open_fetcher

    return fetch_folder(folder, address, open_fetcher(load_settings()).fetch)


def _own(folder: Path) -> "OfflineFolder":
    import json

    from portal.offline import save_folder
    from portal.publications import Publications

    rooms, settings = open_installation()
    try:
        published = Publications(rooms, settings)
        keys = json.dumps(rooms.keys.jwks).encode()
        return save_folder(
            folder,
            published.directory().token.encode(),
            published.status_list().token.encode(),
            keys,
        )
    finally:
        rooms.close()
