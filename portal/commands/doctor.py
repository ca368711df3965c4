# SPDX-License-Identifier: Apache-2.0
"""Look at every part of the installation and say what to do."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from portal.commands.common import open_installation
from portal.errors import KeysForeignError, KeysMissingError, MigrationNeededError, NotInitialisedError
from storage.errors import EXIT_DONE, EXIT_INVALID

if TYPE_CHECKING:
    from portal.findings import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
def doctor(*, as_json: bool) -> int:
    """体检 / Look at tools, keys, store, ledger, clock; exit code 1 when something needed is not well.

    Without an installation it looks at the machine's tools and says what to do; exit code 3.
    """
    from portal.health import examine, examine_machine
    from storage.engines import RecordsUnavailableError

    try:
        rooms, settings = open_installation()
    except (NotInitialisedError, MigrationNeededError) as absent:
        _show(list(examine_machine("installation", absent)), as_json=as_json)
        return absent.exit_code
    except (KeysMissingError, KeysForeignError) as others:
        _show(list(examine_machine("keys", others)), as_json=as_json)
        return others.exit_code
    except RecordsUnavailableError as away:
        _show(list(examine_machine("database", away)), as_json=as_json)
        return EXIT_INVALID
    findings = list(examine(rooms, settings))
    rooms.close()
    _show(findings, as_json=as_json)
    return EXIT_INVALID if any(one.needed and not one.well for one in findings) else EXIT_DONE


def _show(findings: "Sequence[Finding]", *, as_json: bool) -> None:
    if as_json:
        shown = [
            {
                "part": one.part,
                "well": one.well,
                "needed": one.needed,
                "state": {"zh": one.state[0], "en": one.state[1]},
                "affects": None if one.well else {"zh": one.affects[0], "en": one.affects[1]},
                "remedy": None if one.well else {"zh": one.remedy[0], "en": one.remedy[1]},
            }
            for one in findings
        ]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        for one in findings:
            mark = "●" if one.well else ("✕" if one.needed else "▲")
            click.echo(f"{mark} {one.part:22} {one.state[0]} / {one.state[1]}")
            if not one.well:
                click.echo(f"    影响 affects: {one.affects[0]} / {one.affects[1]}")
            if not one.well and one.remedy[0]:
                click.echo(f"    → {one.remedy[0]} / {one.remedy[1]}")
