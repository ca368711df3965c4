# SPDX-License-Identifier: Apache-2.0
"""Turns clean page images into what scanners and telephones give."""

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

_TURNED = 0x0112  # EXIF: how the camera was held
_HELD_UPRIGHT = 6  # the sensor lies on its side
_DESK = (150, 128, 104)


def scan(page: Path, out: Path, seed: str) -> None:
    """Give what a flatbed scanner gives: skewed, shaded, noisy, gray JPEG at 150 dpi."""
    chance = random.Random(seed)  # noqa: S311 - noise, not a secret
    with Image.open(page) as opened:
        image = opened.convert("L").filter(ImageFilter.GaussianBlur(0.6))
    image = image.rotate(0.6, resample=Image.Resampling.BICUBIC, fillcolor=246)
    shade = Image.linear_gradient("L").resize(image.size).point(lambda value: 238 + value // 16)
    noise = Image.frombytes("L", image.size, chance.randbytes(image.width * image.height))
    noise = noise.point(lambda value: 128 + (value - 128) // 18)
    image = ImageChops.add(ImageChops.multiply(image, shade), noise, scale=1, offset=-128)
    image.save(out, "JPEG", quality=72, dpi=(150, 150))


def fax(pages: Sequence[Path], out: Path) -> None:
    """Give what an office scanner gives for a pile of paper: one bilevel TIFF with a page for each sheet."""
    images = []
    for page in pages:
        with Image.open(page) as opened:
            images.append(opened.convert("L").point(lambda value: 255 if value > 150 else 0).convert("1"))
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], compression="group4", dpi=(150, 150))


def photograph(page: Path, out: Path, seed: str) -> None:
    """Give what a telephone gives: paper on a desk, askew, lit from one side, stored lying on its side."""
    chance = random.Random(seed)  # noqa: S311 - a little difference between pictures, not a secret
    with Image.open(page) as opened:
        paper = opened.convert("RGB").resize((900, 1273), Image.Resampling.LANCZOS)
    desk = Image.new("RGB", (1080, 1440), _DESK)
    angle = chance.uniform(-3.0, 3.0)
    mask = Image.new("L", paper.size, 255).rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    desk.paste(paper.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC), (60, 60), mask)
    light = Image.linear_gradient("L").rotate(90).resize(desk.size).point(lambda value: 190 + value // 4)
    lit = ImageChops.multiply(desk, light.convert("RGB")).filter(ImageFilter.GaussianBlur(0.7))
    exif = Image.Exif()
    exif[_TURNED] = _HELD_UPRIGHT
    # The sensor sees the upright picture turned to the left.
    lit.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=70, dpi=(72, 72), exif=exif)
