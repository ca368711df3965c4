# SPDX-License-Identifier: Apache-2.0
"""The command ``cunzheng``: names and exit codes; each command's code is imported only when it runs.

Exit codes: 0 done or valid, 1 invalid, 2 cannot tell, 3 refused with a reason, 64 usage, 70 internal.
"""

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from storage.errors import EXIT_INTERNAL, EXIT_USAGE, CunzhengError

_COMMANDS = {
    "alive": "portal.commands.run:alive",
    "account": "portal.commands.people:account",
    "ask": "portal.commands.asking:ask",
    "backup": "portal.commands.backup:backup",
    "client": "portal.commands.people:client",
    "demo": "portal.commands.demo:demo",
    "doctor": "portal.commands.doctor:doctor",
    "edition": "portal.commands.editions:edition",
    "hold": "portal.commands.holds:hold",
    "identity-provider": "portal.commands.demo:identity_provider",
    "index": "portal.commands.index:index",
    "init": "portal.commands.run:init",
    "intake": "portal.commands.office:intake",
    "ledger": "portal.commands.ledger:ledger",
    "directory": "portal.commands.directory:directory",
    "licence": "portal.commands.holdings:licence",
    "grant": "portal.commands.grants:grant",
    "licence-type": "portal.commands.licence_types:licence_type",
    "proof": "portal.commands.proofs:proof",
    "login-link": "portal.commands.people:login_link",
    "objects": "portal.commands.objects:objects",
    "openapi": "portal.commands.run:openapi",
    "restore": "portal.commands.backup:restore",
    "seal": "portal.commands.holdings:seal",
    "right": "portal.commands.rights:right",
    "search": "portal.commands.office:search",
    "sequencer": "portal.commands.run:sequencer",
    "serve": "portal.commands.run:serve",
    "status": "portal.commands.office:status",
    "step": "portal.commands.steps:step",
    "subscription": "portal.commands.subscriptions:subscription",
    "verify": "portal.commands.verify:verify",
    "worker": "portal.commands.run:worker",
}
_USAGE_ZH = {
    click.exceptions.NoSuchCommand: "：没有这个命令",
    click.NoSuchOption: "：没有这个选项",
    click.MissingParameter: "：缺少参数或选项",
    click.BadParameter: "：参数或选项的值不符合要求",
    click.BadOptionUsage: "：选项缺少值，或多给了值",
}
"""What the library that reads command lines says in English only; its own words follow."""
_LASTING = frozenset({"demo", "identity-provider", "init", "sequencer", "serve", "worker"})


class LazyGroup(click.Group):
    """Looks commands up in ``_COMMANDS`` and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature given
        """Give the names of the commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - signature given
        """Import and give one command."""
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--data",
    envvar="CUNZHENG_DATA",
    type=click.Path(file_okay=False),
    help="Data folder 数据目录 (default ./demo-data).",
)
@click.version_option(package_name="cunzheng", prog_name="cunzheng")
@click.pass_context
def cli(context: click.Context, data: str | None) -> None:
    """Cunzheng 存证: electronic archive, e-seals and electronic licences.

    电子归档、电子印章与电子证照服务。
    """
    if data is not None:
        os.environ["CUNZHENG_DATA"] = data
    if context.invoked_subcommand not in _LASTING:
        # Demonstration parts announce themselves in every lasting process; once is enough.
        logging.getLogger("seals.keys").setLevel(logging.ERROR)


def report(error: CunzhengError) -> None:
    """Tell an error on standard error: Chinese, English, what to do, the stable code."""
    facts = "".join(f" {name}={value}" for name, value in sorted(error.facts.items()))
    click.echo(f"{error.title_zh} / {error.title_en} [{error.code}]{facts}", err=True)
    click.echo(f"→ {error.remedy_zh}\n→ {error.remedy_en}", err=True)


def _told_in_chinese(error: click.ClickException) -> str:
    for kind, zh in _USAGE_ZH.items():
        if isinstance(error, kind):
            return zh
    return ""


def report_usage(error: click.ClickException) -> None:
    """Tell what is wrong with a command line: usage, what, in the library's own words too, what to do."""
    from portal.errors import CommandLineError  # noqa: PLC0415 - only when something is wrong

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"用法 {error.ctx.get_usage()}\n", err=True)
    ours = CommandLineError()
    zh = _told_in_chinese(error)
    click.echo(f"{ours.title_zh}{zh} / {ours.title_en} [{ours.code}]\n  {error.format_message()}", err=True)
    click.echo(f"→ {ours.remedy_zh}\n→ {ours.remedy_en}", err=True)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code."""
    try:
        given = None if arguments is None else list(arguments)
        result: Any = cli.main(args=given, prog_name="cunzheng", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        return EXIT_USAGE
    except click.ClickException as error:
        report_usage(error)
        return EXIT_USAGE
    except CunzhengError as error:
        report(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the boundary: nothing leaves as a traceback with values
        where = traceback.extract_tb(error.__traceback__)[-1]
        click.echo(
            f"系统内部错误 / internal error [{type(error).__name__} {where.name}:{where.lineno}]", err=True
        )
        if os.environ.get("CUNZHENG_TRACEBACK"):
            traceback.print_exc()
        return EXIT_INTERNAL
    return result if isinstance(result, int) else 0


def main() -> None:
    """Enter from the shell."""
    sys.exit(run())


if __name__ == "__main__":
    main()
