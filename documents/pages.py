# SPDX-License-Identifier: Apache-2.0
"""Page images for people to look at. Drawing happens in a limited child."""

from pathlib import Path

from documents.errors import ChildFailedError, UnreadableError
from documents.sandbox import Sandbox


def render_page(path: Path, page: int, dpi: int, sandbox: Sandbox) -> bytes:
    """Draw one page as PNG.

    Args:
        path: The PDF.
        page: Its number, from 0.
        dpi: Resolution, 10 to 300.
        sandbox: Where it is drawn.

    Raises:
        UnreadableError: No readable PDF, no such page (``no-page``), or more than the limits allow.
    """
    try:
        with sandbox.workroom() as room:
            room.put(path, "source")
            drawn = room.call("page", file="source", page=page, dpi=min(max(dpi, 10), 300), out="page.png")
            if not drawn["width"]:
                raise UnreadableError(reason="no-page")
            return room.read("page.png")
    except ChildFailedError as failure:
        raise UnreadableError(reason=failure.reason) from None
