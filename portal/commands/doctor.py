# SPDX-License-Identifier: Apache-2.0
"""Look at every part of the installation and say what to do."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json

import click

from portal.commands.common import open_installation
from storage.errors import EXIT_DONE, EXIT_INVALID


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
def doctor(*, as_json: bool) -> int:
    """体检 / Look at tools, keys, store, ledger, clock; exit code 1 when something needed is not well."""
    from portal.health import examine

    rooms, settings = open_installation()
    findings = list(examine(rooms, settings))
    rooms.close()
    if as_json:
        shown = [
            {
                "part": one.part,
                "well": one.well,
                "needed": one.needed,
                "state": {"zh": one.state[0], "en": one.state[1]},
                "remedy": None if one.well else {"zh": one.remedy[0], "en": one.remedy[1]},
            }
            for one in findings
        ]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        for one in findings:
            mark = "●" if one.well else ("✕" if one.needed else "▲")
            click.echo(f"{mark} {one.part:22} {one.state[0]} / {one.state[1]}")
            if not one.well and one.remedy[0]:
                click.echo(f"    → {one.remedy[0]} / {one.remedy[1]}")
    return EXIT_INVALID if any(one.needed and not one.well for one in findings) else EXIT_DONE
