# SPDX-License-Identifier: Apache-2.0
"""Tables that people take away into a spreadsheet program."""

import csv
import io
from collections.abc import Iterable
from typing import Final

# A spreadsheet program takes a table for UTF-8 only if it begins like this, and a text that begins with one
# of the signs for a formula.
_BEGINNING: Final = "\ufeff"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(rows: Iterable[Iterable[object]]) -> bytes:
    """Write rows as CSV that a spreadsheet program reads as text, whatever stands in the cells."""
    text = io.StringIO()
    csv.writer(text).writerows([_plain(str(cell)) for cell in row] for row in rows)
    return (_BEGINNING + text.getvalue()).encode()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
