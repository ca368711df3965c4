# SPDX-License-Identifier: Apache-2.0
"""The text of a PDF, for the search index. Parsing happens in a limited child."""

from pathlib import Path
from typing import cast

from documents.errors import ChildFailedError, UnreadableError
from documents.sandbox import Sandbox


def extract_text(path: Path, sandbox: Sandbox) -> str:
    """Give the text of all pages, pages separated by a form feed.

    Raises:
        UnreadableError: The file is no readable PDF, or asks for more than the limits allow.
    """
    try:
        with sandbox.workroom() as room:
            room.put(path, "source")
            pages = room.call("text", file="source")["pages"]
    except ChildFailedError as failure:
        raise UnreadableError(reason=failure.reason) from None
    return "\f".join(cast(list[str], pages))
