# SPDX-License-Identifier: Apache-2.0
"""Draws one page of a PDF as a picture, with a mark of who looks at it all over its pixels.

The mark is drawn after the page, in every part of it, so that no crop of a screen picture is without one. Its
letters are dark with a light edge: they show on white paper and on a dark photograph, and both stay legible.
"""

import math
from typing import Any

import pypdfium2
from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageDraw, ImageFont

MOST_SIDE = 4000  # pixels: a very long page is drawn smaller
QUALITY = 85
_FACE = "Noto Sans CJK SC"
_FACES = 10  # in the collection
_TURN = 24  # degrees
_DARK, _LIGHT = (60, 66, 74, 76), (255, 255, 255, 90)


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Draw page ``page`` (the first is 1) of ``file``, ``width`` pixels wide, with ``mark``, as JPEG ``out``.

    Gives ``width`` and ``height``. A page that is not there raises IndexError.
    """
    with pypdfium2.PdfDocument(request["file"]) as document:
        if not 1 <= request["page"] <= len(document):
            raise IndexError
        if document.get_formtype():
            # A visible seal is a form field: without its form it is not drawn.
            document.init_forms()
        image = _draw(document[request["page"] - 1], request["width"])
    image = _marked(image, request["mark"])
    image.save(request["out"], "JPEG", quality=QUALITY, optimize=True)
    return {"width": image.width, "height": image.height}


def _draw(page: pypdfium2.PdfPage, wanted: int) -> Image.Image:
    width, height = page.get_size()
    scale = min(wanted / max(width, 1), MOST_SIDE / max(width, height, 1))
    image: Image.Image = page.render(scale=scale).to_pil()
    return image.convert("RGB")


def _marked(image: Image.Image, lines: list[str]) -> Image.Image:
    tile = _tile(lines, max(11, image.width // 34))
    side = math.ceil(math.hypot(image.width, image.height)) + max(tile.size)
    sheet = Image.new("RGBA", (side, side))
    for row, top in enumerate(range(0, side, tile.height)):
        # Each row begins elsewhere, so that no straight gap is left between the columns.
        for left in range(-(row % 3) * tile.width // 3, side, tile.width):
            sheet.paste(tile, (left, top))
    sheet = sheet.rotate(_TURN, Image.Resampling.BICUBIC)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    sheet = sheet.crop((left, top, left + image.width, top + image.height))
    return Image.alpha_composite(image.convert("RGBA"), sheet).convert("RGB")


def _tile(lines: list[str], size: int) -> Image.Image:
    font, text = _font(size), "\n".join(lines)
    edge = max(1, size // 16)
    box = ImageDraw.Draw(Image.new("RGBA", (1, 1))).multiline_textbbox((0, 0), text, font, stroke_width=edge)
    wide, high = math.ceil(box[2] - box[0]), math.ceil(box[3] - box[1])
    tile = Image.new("RGBA", (wide + 4 * size, high + 4 * size))
    ImageDraw.Draw(tile).multiline_text(
        (2 * size - box[0], 2 * size - box[1]),
        text,
        _DARK,
        font,
        stroke_width=edge,
        stroke_fill=_LIGHT,
    )
    return tile


def _font(size: int) -> ImageFont.FreeTypeFont:
    faces = (ImageFont.truetype(str(FONT_PATH), size, index=index) for index in range(_FACES))
    return next(face for face in faces if face.getname()[0] == _FACE)
