# SPDX-License-Identifier: Apache-2.0
"""The visible seal as pure vector outlines, so that the sealed file carries no font and stays PDF/A.

A demonstration seal cannot be mistaken for a real one: it is violet, has no star, and says 演示专用
inside the ring. Colour is DeviceRGB, which the document's sRGB output intent covers.
"""

import math
import threading
import zlib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTCollection, TTFont
from noto_cjk_sans_otc import FONT_PATH

from seals.presealing import UnsealableError

SIZE = 1000
"""Side of the square in which the seal is drawn; the widget's rectangle gives its size on paper."""

_FACE = "Noto Sans CJK SC"
_VIOLET = b"0.45 0.16 0.62"
_DEMO = "演示专用"
_CENTRE = SIZE / 2
_RING = 470.0
_BASELINE = 372.0
_ARC = math.radians(250)
_KAPPA = 0.5522847498


class _Outline(BasePen):  # type: ignore[misc]  # fontTools publishes no types
    """Writes a glyph as PDF path operators under an affine matrix."""

    def __init__(self, glyphs: object, matrix: tuple[float, float, float, float, float, float]) -> None:
        super().__init__(glyphs)
        self._matrix = matrix
        self.operators: list[str] = []

    def _at(self, *points: tuple[float, float]) -> str:
        a, b, c, d, e, f = self._matrix
        return " ".join(f"{a * x + c * y + e:.1f} {b * x + d * y + f:.1f}" for x, y in points)

    def _moveTo(self, pt: tuple[float, float]) -> None:  # noqa: N802 - fontTools' protocol
        self.operators.append(f"{self._at(pt)} m")

    def _lineTo(self, pt: tuple[float, float]) -> None:  # noqa: N802 - fontTools' protocol
        self.operators.append(f"{self._at(pt)} l")

    def _curveToOne(  # noqa: N802 - fontTools' protocol
        self, pt1: tuple[float, float], pt2: tuple[float, float], pt3: tuple[float, float]
    ) -> None:
        self.operators.append(f"{self._at(pt1, pt2, pt3)} c")

    def _closePath(self) -> None:  # noqa: N802 - fontTools' protocol
        self.operators.append("h")


# The font reads its tables when they are first used, from one file position: one thread at a time.
_drawing = threading.Lock()


@cache
def _font() -> TTFont:
    collection = TTCollection(Path(str(FONT_PATH)), lazy=True)
    return next(font for font in collection.fonts if font["name"].getDebugName(1) == _FACE)


def _glyph(character: str, size: float, x: float, y: float, turn: float) -> list[str]:
    font = _font()
    name = font.getBestCmap().get(ord(character))
    if name is None:
        raise UnsealableError("glyph-missing")
    scale = size / font["head"].unitsPerEm
    cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
    glyphs = font.getGlyphSet()
    half = glyphs[name].width / 2
    pen = _Outline(glyphs, (cos, sin, -sin, cos, x - half * cos, y - half * sin))
    glyphs[name].draw(pen)
    return pen.operators


def _circle(radius: float) -> str:
    k, c, r = _KAPPA * radius, _CENTRE, radius
    return (
        f"{c + r:.1f} {c:.1f} m "
        f"{c + r:.1f} {c + k:.1f} {c + k:.1f} {c + r:.1f} {c:.1f} {c + r:.1f} c "
        f"{c - k:.1f} {c + r:.1f} {c - r:.1f} {c + k:.1f} {c - r:.1f} {c:.1f} c "
        f"{c - r:.1f} {c - k:.1f} {c - k:.1f} {c - r:.1f} {c:.1f} {c - r:.1f} c "
        f"{c + k:.1f} {c - r:.1f} {c + r:.1f} {c - k:.1f} {c + r:.1f} {c:.1f} c h"
    )


def _arc_text(name: str) -> Iterable[str]:
    """Set the name clockwise over the upper arc, each character upright on its radius."""
    step = min(_ARC / max(len(name) - 1, 1), math.radians(36))
    size = min(118.0, step * _BASELINE * 0.98)
    for index, character in enumerate(name):
        angle = math.pi / 2 - (index - (len(name) - 1) / 2) * step
        x, y = _CENTRE + _BASELINE * math.cos(angle), _CENTRE + _BASELINE * math.sin(angle)
        yield from _glyph(character, size, x, y, angle - math.pi / 2)


def _line(text: str, size: float, y: float) -> Iterable[str]:
    for index, character in enumerate(text):
        x = _CENTRE + (index - (len(text) - 1) / 2) * size * 1.06
        yield from _glyph(character, size, x, y, 0.0)


@lru_cache(maxsize=256)
def demo_seal(name: str) -> bytes:
    """Give the deflated content stream of a demonstration seal, drawn in a square of ``SIZE``.

    Args:
        name: The department's Chinese name, 2–30 characters.

    Raises:
        UnsealableError: The font lacks a character of the name, or the name does not fit the ring.
    """
    if not 2 <= len(name) <= 30:
        raise UnsealableError("name-length")
    with _drawing:
        glyphs = [*_arc_text(name), *_line(_DEMO, 132.0, 470.0), *_line("电子印章", 78.0, 300.0)]
    stream = "\n".join(
        [
            "q",
            f"{_VIOLET.decode()} RG {_VIOLET.decode()} rg 26 w",
            _circle(_RING) + " S",
            *glyphs,
            "f",
            "Q",
        ]
    )
    return zlib.compress(stream.encode("ascii"), 9)
