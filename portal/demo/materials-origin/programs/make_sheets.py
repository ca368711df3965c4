# SPDX-License-Identifier: Apache-2.0
"""Writes a table as a flat spreadsheet, from which LibreOffice makes a workbook."""

from collections.abc import Mapping
from html import escape
from string import Template
from typing import Any

_NUMBERS = {"whole", "money", "plain"}


def flat_ods(page: Mapping[str, Any], skeleton: str) -> str:
    """Give a page's table as flat ODS text.

    ``page["table"]`` holds ``heads``, ``kinds`` (``text``, ``whole``, ``money``, ``date``, ``plain``),
    ``rows`` and, for the last line, ``function``: what is worked out of each column of numbers.
    """
    table = page["table"]
    kinds, rows = table["kinds"], table["rows"]
    lines = [[_cell("head", page["title"])], [_cell("head", page["signer"])], []]
    lines.append([_cell("head", head) for head in table["heads"]])
    first = len(lines) + 1
    lines += [[_cell(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in rows]
    if table.get("function"):
        last = first + len(rows) - 1
        results = [_cell("head", table["total"])]
        for column, kind in enumerate(kinds[1:], start=1):
            letter = chr(ord("A") + column)
            code = f"of:={table['function']}([.{letter}{first}:.{letter}{last}])"
            results.append(_result(kind, code) if kind in _NUMBERS else "<table:table-cell/>")
        lines.append(results)
    written = "\n".join(
        f"<table:table-row>{''.join(line) or '<table:table-cell/>'}</table:table-row>" for line in lines
    )
    return Template(skeleton).substitute(name=escape(page["title"][:20]), rows=written)


def _cell(kind: str, value: str | float) -> str:
    style = f'<table:table-cell table:style-name="{kind}" office:value-type='
    if kind == "date":
        return f'{style}"date" office:date-value="{value}"/>'
    if kind in _NUMBERS:
        return f'{style}"float" office:value="{value}"/>'
    return f'{style}"string"><text:p>{escape(str(value))}</text:p></table:table-cell>'


def _result(kind: str, code: str) -> str:
    return f'<table:table-cell table:style-name="{kind}" table:formula="{code}" office:value-type="float"/>'
