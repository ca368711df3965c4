# SPDX-License-Identifier: Apache-2.0
"""Places in lists that are ordered by an instant and an id, as opaque texts that a caller hands back."""

import base64
import binascii
import datetime as dt

from storage.clock import parse_rfc3339, rfc3339
from storage.errors import InvalidInputError


class CursorError(InvalidInputError):
    """The cursor was not given out by this list."""

    code = "cursor"
    title_zh = "翻页标记无效"
    title_en = "The cursor is not valid"
    remedy_zh = "请从第一页重新读取。"
    remedy_en = "Start again from the first page."


def write_cursor(at: dt.datetime, row_id: str) -> str:
    """Write the place of a row."""
    return base64.urlsafe_b64encode(f"{rfc3339(at)} {row_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[dt.datetime, str]:
    """Give instant and id of the row that a cursor points to.

    Raises:
        CursorError: No list gave this text.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        instant, _, row_id = base64.b64decode(padded, b"-_", validate=True).decode("ascii").partition(" ")
        return parse_rfc3339(instant), row_id
    except (ValueError, binascii.Error) as error:
        raise CursorError from error
