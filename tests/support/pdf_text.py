# SPDX-License-Identifier: Apache-2.0
"""What a reader of a PDF sees, read by a library that did not write it."""

import pypdfium2


def text_of(pdf: bytes) -> str:
    """Give the text of all pages."""
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
