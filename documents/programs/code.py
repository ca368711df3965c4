# SPDX-License-Identifier: Apache-2.0
"""Reads the QR codes that a photo shows."""

from typing import Any

import zxingcpp
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
MOST_PIXELS = 120_000_000
MOST_SIDE = 4096  # pixels: a larger photo is read smaller
MOST_CODES = 8
MOST_CHARACTERS = 2048


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Give ``codes``: what the QR codes in ``file`` say; of a code that is too long, nothing."""
    with Image.open(request["file"], formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise MemoryError
        # JPEG is decoded smaller at once: a photo of a hundred megapixels needs no hundred megabytes.
        image.draft("L", (MOST_SIDE, MOST_SIDE))
        gray = image.convert("L")
    gray.thumbnail((MOST_SIDE, MOST_SIDE))
    found = zxingcpp.read_barcodes(gray, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    texts = [code.text for code in found[:MOST_CODES] if len(code.text) <= MOST_CHARACTERS]
    return {"codes": texts}
