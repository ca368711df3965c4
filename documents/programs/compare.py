# SPDX-License-Identifier: Apache-2.0
"""The equivalence gate: does the rendition show what its source shows?

Same number and boxes of pages, no Han or Latin character lost (after NFKC), no page visibly different at low
resolution, no page gone blank. Operations: ``pdf`` against PDF, ``image`` against the image itself, ``text``
against the text of a document that has no pages of its own, ``cells`` against what each cell of a workbook
shows, ``none`` where both are the same file.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageChops, ImageOps

DPI = 43
MOST_SIDE = 3000  # pixels: a page drawn larger is drawn smaller
DIFFERENT = 64  # of 255: below it is antialiasing
MOST_DIFFERENT = 0.0005  # of the pixels of a page, when the same renderer draws the same content
MOST_DIFFERENT_IMAGE = 0.02  # when resampling differs
BOX_TOLERANCE = 0.5  # points
MOST_CHARACTERS = 20_000_000
MOST_PLACES = 400_000_000  # at which the text of a cell is looked for
FEW_TEXTS = 16  # are looked for one by one
_BLANK_SPREAD = 8  # of 255


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Compare ``after`` (the rendition) with ``before``; give ``problem``, ``pages`` and ``text``."""
    operations = {
        "pdf": _with_pdf,
        "image": _with_image,
        "text": _with_text,
        "cells": _with_cells,
        "none": _with_none,
    }
    with pypdfium2.PdfDocument(request["after"]) as after:
        problem = operations[request["do"]](request, after)
        texts = [] if problem else list(_texts(after))
        return {"problem": problem, "pages": len(after), "text": "\f".join(texts)}


def _with_pdf(request: dict[str, Any], after: pypdfium2.PdfDocument) -> str | None:
    with pypdfium2.PdfDocument(request["before"]) as before:
        if before.get_formtype():
            before.init_forms()
        if len(before) != len(after):
            return "page-count"
        blank = True
        for old, new in zip(before, after, strict=True):
            if not _same_box(old, new):
                return "page-box"
            wanted, found = _text(old), _text(new)
            if wanted != found and _lost(_letters(wanted, digits=True), _letters(found, digits=True)):
                return "text-lost"
            drawn = _draw(old)
            problem = _pixels(drawn, _draw(new), MOST_DIFFERENT)
            if problem:
                return problem
            blank = blank and _blank(drawn)
        return "blank" if blank else None


def _with_image(request: dict[str, Any], after: pypdfium2.PdfDocument) -> str | None:
    blank = True
    with Image.open(request["before"], formats=["JPEG", "PNG", "TIFF"]) as image:
        if len(after) != getattr(image, "n_frames", 1):
            return "page-count"
        for number, page in enumerate(after):
            image.seek(number)
            drawn = _draw(page)
            source = _shown(image, drawn.size)
            # pdfium and Pillow shrink images differently: blur both, compare what remains.
            small = (max(drawn.width // 2, 1), max(drawn.height // 2, 1))
            shrunk = [one.resize(small, Image.Resampling.BOX) for one in (source, drawn)]
            problem = _pixels(shrunk[0], shrunk[1], MOST_DIFFERENT_IMAGE)
            if problem:
                return problem
            blank = blank and _blank(source)
    return "blank" if blank else None


def _shown(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Give what an image shows, in gray on white paper, at the size in which its page was drawn."""
    image.draft("RGB", (size[0] * 4, size[1] * 4))
    turned: Image.Image = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):
        turned = turned.point(lambda value: value / 257).convert("L")
    if "A" in turned.getbands() or "transparency" in turned.info:
        turned = turned.convert("RGBA")
        turned = Image.alpha_composite(Image.new("RGBA", turned.size, "white"), turned)
    return turned.convert("L").resize(size, Image.Resampling.BOX)


def _with_text(request: dict[str, Any], after: pypdfium2.PdfDocument) -> str | None:
    if not len(after):
        return "page-count"
    wanted = _letters(Path(request["before"]).read_text("utf-8"))
    if _lost(wanted, _letters("".join(_texts(after)))):
        return "text-lost"
    return _pictures(request, after)


def _pictures(request: dict[str, Any], after: pypdfium2.PdfDocument) -> str | None:
    if _images(after) < request["images"]:
        return "images-lost"
    if all(_blank(_draw(page)) for page in after):
        return "blank"
    return None


def _with_cells(request: dict[str, Any], after: pypdfium2.PdfDocument) -> str | None:
    if not len(after):
        return "page-count"
    cells = json.loads(Path(request["before"]).read_text("utf-8"))
    if _missing(cells, _characters("".join(_texts(after)))):
        return "cells-lost"
    return _pictures(request, after)


def _characters(text: str) -> str:
    """Give what can be seen of a text: breaks and gaps are the layout's."""
    # pdfium has a sign of its own for a hyphen at the end of a line.
    plain = unicodedata.normalize("NFKC", text.replace("\x02", "-").replace("\ufffe", "-"))
    return "".join(one for one in plain if unicodedata.category(one)[0] != "Z" and not _unseen(one))


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf"}


def _missing(cells: Sequence[Sequence[str]], shown: str) -> bool:
    """Tell whether a text does not stand as often as cells show it, or characters are too few for all cells.

    The first alone would find a lost ``1`` in some ``2021``, the second alone would miss that 12 became 21.
    """
    needed = Counter(
        tuple(dict.fromkeys(map(_characters, ways))) for ways in cells if any(map(_characters, ways))
    )
    characters: Counter[str] = Counter()
    by_length: dict[int, set[str]] = {}
    for ways, times in needed.items():
        for character, number in _common(ways).items():
            characters[character] += number * times
        for text in ways:
            by_length.setdefault(len(text), set()).add(text)
    if characters - Counter(shown):
        return True
    if len(by_length) * len(shown) > MOST_PLACES:
        raise MemoryError
    found: Counter[str] = Counter()
    for length, texts in by_length.items():
        found += _occurrences(texts, length, shown)
    for ways, times in needed.items():
        # Cells that can be written in one way only need their share first.
        wanted = times if len(ways) == 1 else times + sum(needed[(text,)] for text in ways)
        if sum(found[text] for text in ways) < wanted:
            return True
    return False


def _common(ways: Sequence[str]) -> Counter[str]:
    common = Counter(ways[0])
    for text in ways[1:]:
        common &= Counter(text)
    return common


def _occurrences(texts: Iterable[str], length: int, shown: str) -> Counter[str]:
    wanted = frozenset(texts)
    if len(wanted) > FEW_TEXTS:
        windows = (shown[at : at + length] for at in range(len(shown) - length + 1))
        return Counter(window for window in windows if window in wanted)
    found: Counter[str] = Counter()
    for text in wanted:
        at = shown.find(text)
        while at >= 0:
            found[text] += 1
            at = shown.find(text, at + 1)
    return found


def _with_none(_: dict[str, Any], after: pypdfium2.PdfDocument) -> str | None:
    return "blank" if all(_blank(_draw(page)) for page in after) else None


def _same_box(old: pypdfium2.PdfPage, new: pypdfium2.PdfPage) -> bool:
    sizes = zip(old.get_size(), new.get_size(), strict=True)
    return all(abs(one - two) <= BOX_TOLERANCE for one, two in sizes)


def _text(page: pypdfium2.PdfPage) -> str:
    return str(page.get_textpage().get_text_bounded())


def _texts(document: pypdfium2.PdfDocument) -> Iterator[str]:
    size = 0
    for page in document:
        text = _text(page)
        size += len(text)
        if size > MOST_CHARACTERS:
            raise MemoryError
        yield text.replace("\r\n", "\n")


def _letters(text: str, *, digits: bool = False) -> Counter[str]:
    """Count letters: NFKC makes Kangxi radicals, full width and ligatures comparable, case may be styled."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return Counter(
        character for character in plain if character.isalpha() or (digits and character.isdigit())
    )


def _lost(wanted: Counter[str], found: Counter[str]) -> int:
    return sum((wanted - found).values())


def _images(document: pypdfium2.PdfDocument) -> int:
    kind = pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
    return sum(1 for page in document for _ in page.get_objects(filter=[kind], max_depth=8))


def _draw(page: pypdfium2.PdfPage) -> Image.Image:
    width, height = page.get_size()
    scale = min(DPI / 72, MOST_SIDE / max(width, height, 1))
    image: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
    return image.convert("L")


def _blank(image: Image.Image) -> bool:
    low, high = image.getextrema()
    return bool(high - low <= _BLANK_SPREAD)  # type: ignore[operator]  # one band: two numbers


def _pixels(old: Image.Image, new: Image.Image, most: float) -> str | None:
    if old.size != new.size:
        return "page-box"
    if _blank(new) and not _blank(old):
        return "page-blank"
    counts = ImageChops.difference(old, new).histogram()
    if sum(counts[DIFFERENT:]) > most * old.width * old.height:
        return "page-different"
    return None
