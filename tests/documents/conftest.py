# SPDX-License-Identifier: Apache-2.0
"""What the suites of this room share: a sandbox, and small materials made on the spot."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from documents.sandbox import Layer, Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(scope="session", params=list(Layer))
def each_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    made = Sandbox(bubblewrap=request.param is Layer.BUBBLEWRAP)
    if made.layer is not request.param:
        pytest.skip("bubblewrap does not work here")
    return made


def picture(mode: str = "RGB", size: tuple[int, int] = (400, 560)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 40, 360, 140), fill="navy")
    pen.ellipse((80, 220, 300, 440), outline="red", width=12)
    return image.convert(mode)


def as_file(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]  # Pillow types its options one by one
    return out.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "material") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
