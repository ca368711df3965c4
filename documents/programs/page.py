# SPDX-License-Identifier: Apache-2.0
"""Draws one page of a PDF as PNG."""

from typing import Any

import pypdfium2

MOST_PIXELS = 40_000_000


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Draw page number ``page`` (from 0) of ``file`` at ``dpi`` into ``out``; give the number of pages."""
    with pypdfium2.PdfDocument(request["file"]) as document:
        if document.get_formtype():
            document.init_forms()
        pages = len(document)
        if not 0 <= request["page"] < pages:
            return {"pages": pages, "width": 0, "height": 0}
        page = document[request["page"]]
        scale = request["dpi"] / 72
        width, height = page.get_size()
        if width * height * scale * scale > MOST_PIXELS:
            raise MemoryError
        image = page.render(scale=scale).to_pil()
        image.save(request["out"], "PNG")
    return {"pages": pages, "width": image.width, "height": image.height}
