# SPDX-License-Identifier: Apache-2.0
"""Commands on the catalogue of licence types: what it holds, and samples of licences."""

# The command line must answer at once: what a command needs is imported when it runs.

import json
from pathlib import Path

import click

from portal.commands.common import terminal

_CODE = click.argument("code", metavar="CODE")


@click.group("licence-type")
def licence_type() -> None:
    """证照类型 / The catalogue of licence types; it changes by editions (cunzheng edition)."""


@licence_type.command("list")
def licence_type_list() -> None:
    """列出证照类型 / List every type in its newest version."""
    with terminal() as here:
        types = here.rooms.license_types.all()
    for kind in types:
        mark = "暂定 provisional" if kind.provisional else ""
        click.echo(f"{kind.code}  {kind.version:10} {kind.state:11} {kind.zh}  {mark}".rstrip())


@licence_type.command("show")
@_CODE
@click.option("--version", help="Version 版本 (the newest when missing).")
def licence_type_show(code: str, version: str | None) -> None:
    """查看类型定义 / Print the definition of a type as JSON."""
    with terminal() as here:
        kind = here.rooms.license_types.get(code, version)
    stated = kind.model_dump(mode="json", exclude_defaults=True)
    click.echo(json.dumps(stated, ensure_ascii=False, indent=2))


@licence_type.command("preview")
@_CODE
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write 输出文件.",
)
@click.option("--version", help="Version 版本 (the newest when missing).")
@click.option("--division", default="", help="Division code whose template is wanted 行政区划代码.")
def licence_type_preview(code: str, target: Path, version: str | None, division: str) -> None:
    """制作样例 / Write a sample of a licence as PDF; the same type gives the same bytes."""
    from licenses.preview import preview  # noqa: PLC0415 - see above

    with terminal() as here:
        kind = here.rooms.license_types.get(code, version)
        made = preview(kind, here.rooms.typesetter, division)
    target.write_bytes(made)
    click.echo(f"已制作样例，非证照 / sample, not a licence: {target}")
