# SPDX-License-Identifier: Apache-2.0
"""QR codes in photos: read as telephones take them, and nothing of what is no photo gets through."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import segno
from made_materials import as_file
from PIL import Image, ImageFilter

from documents.codes import LIMITS, read_codes
from documents.errors import UnreadableError
from documents.sandbox import Layer, Sandbox

Place = Callable[..., Path]
ADDRESS = "https://zhengzhao.example.invalid/v/0123456789abcdefghjkmnpqrs"


def code(text: str = ADDRESS, scale: int = 6) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="png", border=4, scale=scale)
    return Image.open(out).convert("L")


def photo(*codes: Image.Image, turn: float = 0, size: tuple[int, int] = (1600, 1200)) -> Image.Image:
    """A sheet on a gray table with codes on it, a little blurred, in the light of a lamp."""
    sheet = Image.new("L", size, 190)
    for place, one in enumerate(codes):
        turned = one.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        sheet.paste(turned, (120 + place * 700, 160))
    light = Image.linear_gradient("L").resize(size).point(lambda value: 150 + value // 4)
    lit = Image.composite(sheet, light, sheet.point(lambda value: 255 if value < 128 else 150))
    return lit.filter(ImageFilter.GaussianBlur(1.2)).convert("RGB")


@pytest.fixture(scope="module", params=list(Layer))
def limited(request: pytest.FixtureRequest) -> Sandbox:
    made = Sandbox(LIMITS, bubblewrap=request.param is Layer.BUBBLEWRAP)
    if made.layer is not request.param:
        pytest.skip("missing tool: bwrap")
    return made


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_of_any_usual_kind_is_read(place: Place, limited: Sandbox, kind: str) -> None:
    assert read_codes(place(as_file(photo(code()), kind)), limited) == [ADDRESS]


@pytest.mark.parametrize("turn", [0, 17, 90, 133, 180, 271])
def test_the_paper_may_lie_as_it_likes(place: Place, limited: Sandbox, turn: float) -> None:
    assert read_codes(place(as_file(photo(code(), turn=turn), "JPEG", quality=70)), limited) == [ADDRESS]


def test_a_large_photo_is_read_smaller(place: Place, limited: Sandbox) -> None:
    big = photo(code(scale=24), size=(9000, 6000))
    assert read_codes(place(as_file(big, "JPEG", quality=70)), limited) == [ADDRESS]


def test_every_code_of_a_photo_is_given(place: Place, sandbox: Sandbox) -> None:
    found = read_codes(place(as_file(photo(code(), code("second")), "PNG")), sandbox)
    assert sorted(found) == sorted([ADDRESS, "second"])


def test_a_photo_without_a_code_gives_none(place: Place, sandbox: Sandbox) -> None:
    assert read_codes(place(as_file(photo(), "PNG")), sandbox) == []


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0" + bytes(64)])
def test_what_is_no_photo_is_unreadable(place: Place, sandbox: Sandbox, data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_codes(place(data), sandbox)


def test_a_bomb_of_pixels_is_unreadable(place: Place, sandbox: Sandbox) -> None:
    bomb = as_file(Image.new("1", (12_000, 12_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableError):
        read_codes(place(bomb), sandbox)
