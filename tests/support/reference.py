# SPDX-License-Identifier: Apache-2.0
"""Writes ``docs/reference.md`` from what the code declares: ``make reference``; a guard compares."""

from collections.abc import Iterator

import click
from inventory import error_classes
from pydantic_core import PydanticUndefined
from tooling import ROOT

from portal.cli import cli
from portal.settings import Settings
from portal.verifier import _parser as verifier_parser
from storage.ledger.kinds import NOT_REBUILT, TITLES

PAGE = ROOT / "docs" / "reference.md"

_HEAD = """# Reference

Written by `make reference` from the code; a test compares. Do not edit.
"""


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _row(*cells: object) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _settings() -> Iterator[str]:
    yield "## Settings\n\nEach is an environment variable.\n"
    yield _row("Variable", "Default", "Means")
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined else field.default
        shown = f"`{default}`" if str(default) not in {"", "()", "None"} else "none"
        yield _row(f"`CUNZHENG_{name.upper()}`", shown, field.description or "")


def _commands(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[str]:
    context = click.Context(
        command, parent=parent, info_name=path.rpartition(" ")[2], **command.context_settings
    )
    context.max_content_width = context.terminal_width = 100
    yield f"\n### `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _commands(inner, f"{path} {name}", context)


def _verifier() -> Iterator[str]:
    # Its parts, not its help text: the layout of that differs between versions of Python.
    parser = verifier_parser()
    yield f"\n### `{parser.prog}`\n\n{parser.description}\n"
    yield _row("Argument", "Means")
    yield "|---|---|"
    for action in parser._actions:
        name = ", ".join(action.option_strings) or str(action.metavar)
        value = f" {action.metavar}" if action.option_strings and action.metavar else ""
        yield _row(f"`{name}{value}`", action.help or "")
    yield f"\n{parser.epilog}"


def _errors() -> Iterator[str]:
    yield "\n## Errors\n"
    yield _row("Code", "Status", "Exit", "标题", "Title", "What to do")
    yield "|---|---|---|---|---|---|"
    for cls in error_classes():
        yield _row(f"`{cls.code}`", cls.status, cls.exit_code, cls.title_zh, cls.title_en, cls.remedy_en)


def _acts() -> Iterator[str]:
    yield "\n## Kinds of act\n"
    yield _row("Kind", "名称", "Title", "Rebuilt from details")
    yield "|---|---|---|---|"
    for kind, (zh, en) in sorted(TITLES.items()):
        yield _row(f"`{kind}`", zh, en, f"no: {NOT_REBUILT[kind]}" if kind in NOT_REBUILT else "yes")


def render() -> str:
    """Give the whole page."""
    lines = [
        _HEAD,
        *_settings(),
        "\n## Commands",
        *_commands(cli, "cunzheng"),
        *_verifier(),
        *_errors(),
        *_acts(),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
