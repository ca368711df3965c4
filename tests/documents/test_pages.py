# SPDX-License-Identifier: Apache-2.0
"""Pictures of pages: marked in every part, small or large, made in a limited child, a few at a time."""

import io

import pytest
from made_materials import as_file, picture
from PIL import Image

from documents.errors import ChildFailedError, DrawingBusyError
from documents.pages import LIMITS, PageImages, PageWidth
from documents.sandbox import Layer, Sandbox

MARK = ("王演示 · 演示市市场监督管理局", "01J0000000000000000000TEST · 2026-11-29 15:20:31 +08:00")
PARTS = 4


def pdf(*colours: str) -> bytes:
    """Make a PDF with one page of each colour."""
    pages = [Image.new("RGB", (595, 842), colour) for colour in colours]
    return as_file(pages[0], "PDF", save_all=True, append_images=pages[1:])


def drawn(
    sandbox: Sandbox, document: bytes, page: int = 1, width: PageWidth = PageWidth.LARGE
) -> Image.Image:
    data = PageImages(sandbox).draw(document, page, width, MARK)
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    return image


@pytest.fixture(scope="module", params=list(Layer))
def limited(request: pytest.FixtureRequest) -> Sandbox:
    made = Sandbox(LIMITS, bubblewrap=request.param is Layer.BUBBLEWRAP)
    if made.layer is not request.param:
        pytest.skip("missing tool: bwrap")
    return made


@pytest.mark.parametrize("width", list(PageWidth))
def test_a_picture_is_as_wide_as_asked_for_and_as_high_as_the_page(
    limited: Sandbox, width: PageWidth
) -> None:
    image = drawn(limited, pdf("white"), width=width)
    assert image.width == width
    assert image.height == pytest.approx(width * 842 / 595, abs=2)


@pytest.mark.parametrize("colour", ["white", "black"])
@pytest.mark.parametrize("width", list(PageWidth))
def test_every_part_of_every_picture_bears_the_mark(limited: Sandbox, colour: str, width: PageWidth) -> None:
    image = drawn(limited, pdf(colour), width=width).convert("L")
    plain = 255 if colour == "white" else 0
    wide, high = image.width // PARTS, image.height // PARTS
    for row in range(PARTS):
        for column in range(PARTS):
            part = image.crop((column * wide, row * high, (column + 1) * wide, (row + 1) * high))
            marked = sum(part.histogram()[:225] if plain else part.histogram()[40:])
            assert marked > part.width * part.height * 0.01, (row, column)


def test_the_page_stays_legible_under_the_mark(sandbox: Sandbox) -> None:
    image = drawn(sandbox, as_file(picture(), "PDF")).convert("RGB")
    centre = image.getpixel((image.width // 2, int(image.height * 0.16)))
    assert isinstance(centre, tuple)
    red, green, blue = centre[:3]
    assert blue > max(red, green) + 30, "the navy field of the material is still navy"


def test_another_reader_sees_another_mark(sandbox: Sandbox) -> None:
    images, page = PageImages(sandbox), pdf("white")
    mine = images.draw(page, 1, PageWidth.SMALL, MARK)
    assert images.draw(page, 1, PageWidth.SMALL, MARK) == mine
    assert images.draw(page, 1, PageWidth.SMALL, (MARK[0], MARK[1].replace(":31", ":32"))) != mine


def test_each_page_is_its_own_picture(sandbox: Sandbox) -> None:
    document = pdf("white", "black")
    brightness = [
        drawn(sandbox, document, page).convert("L").resize((1, 1)).getpixel((0, 0)) for page in (1, 2)
    ]
    assert brightness[0] > 200  # type: ignore[operator]
    assert brightness[1] < 60  # type: ignore[operator]


@pytest.mark.parametrize("page", [-1, 0, 3])
def test_a_page_that_is_not_there_has_no_picture(sandbox: Sandbox, page: int) -> None:
    with pytest.raises(ChildFailedError):
        drawn(sandbox, pdf("white", "black"), page)


@pytest.mark.parametrize("document", [b"", b"no PDF", b"%PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf_has_no_picture(sandbox: Sandbox, document: bytes) -> None:
    with pytest.raises(ChildFailedError):
        drawn(sandbox, document)


def test_who_would_wait_too_long_is_told_so(sandbox: Sandbox) -> None:
    images = PageImages(sandbox, at_once=0, patience=0)
    with pytest.raises(DrawingBusyError):
        images.draw(pdf("white"), 1, PageWidth.SMALL, MARK)
