# SPDX-License-Identifier: Apache-2.0
"""Gives the text of a PDF, page by page."""

from typing import Any

import pypdfium2

MOST_CHARACTERS = 20_000_000


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Read ``file``; give ``pages``, a list of texts."""
    pages: list[str] = []
    size = 0
    with pypdfium2.PdfDocument(request["file"]) as document:
        for page in document:
            text = page.get_textpage().get_text_bounded()
            size += len(text)
            if size > MOST_CHARACTERS:
                raise MemoryError
            pages.append(text.replace("\r\n", "\n"))
    return {"pages": pages}
