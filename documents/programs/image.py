# SPDX-License-Identifier: Apache-2.0
"""Looks at a JPEG, PNG or TIFF, and embeds it in a PDF: one page, or one for each page of a TIFF.

Operations: ``examine``; ``embed`` (the image's own bytes where PDF/A can hold them: nothing is decoded);
``reencode`` (pixels as lossless 8-bit sRGB, for what the first way cannot hold).
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import img2pdf
import pikepdf
from PIL import Image, ImageCms, ImageOps

MOST_PIXELS = 100_000_000
MOST_PAGES = 500
MOST_PIXELS_TOGETHER = 1_000_000_000
A4 = (595.276, 841.890)
_LARGEST, _SMALLEST = 14_400.0, 3.0  # points: ISO 19005-3, 6.1.13
_GATED = ("L", "RGB", "1", "P", "LA", "RGBA", "PA", "I;16", "I", "I;16B")
_GATED_PAGES = ("L", "RGB", "1", "P", "LA", "RGBA", "PA", "I;16")
_DEPTH, _TURNED, _INSIDE, _RAW = 258, 274, 330, 50706  # TIFF's tags; the last two: more pictures, camera raw
_PLACES = ((273, 279), (324, 325))  # TIFF's tags: where strips and tiles begin, how long they are

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def examine(request: dict[str, Any]) -> dict[str, Any]:
    """Decode ``file`` to its end; give ``problem``, and what it is if there is none."""
    try:
        if request["kind"] == "tiff":
            return _examine_pages(Path(request["file"]))
        with Image.open(request["file"], formats=["JPEG", "PNG", "MPO"]) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                return {"problem": "too-large"}
            if getattr(image, "n_frames", 1) > 1:
                return {"problem": "several-frames"}
            image.load()
            problem = None if image.mode in _GATED else "colour-cmyk" if image.mode == "CMYK" else "colour"
            return {"problem": problem, "width": width, "height": height, "mode": image.mode}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"problem": "too-large"}
    except (OSError, SyntaxError, ValueError, EOFError):
        return {"problem": "damaged"}


def _examine_pages(path: Path) -> dict[str, Any]:
    """Look at every page of a TIFF before any is decoded, then decode them all."""
    end, pages, pixels = path.stat().st_size, 0, 0
    with Image.open(path, formats=["TIFF"]) as image:
        for pages, tags in enumerate(_pages(image), 1):
            pixels += image.width * image.height
            problem = _problem_of_page(image, tags, end)
            if pages > MOST_PAGES:
                problem = "too-many-pages"
            elif image.width * image.height > MOST_PIXELS or pixels > MOST_PIXELS_TOGETHER:
                problem = "too-large"
            if problem:
                return {"problem": problem, "pages": None}
        for number in range(pages):
            image.seek(number)
            image.load()
    return {"problem": None, "pages": pages}


def _pages(image: Image.Image) -> Iterator[Any]:
    """Turn to each page of a TIFF and give its tags; the number of pages is nowhere stated."""
    with suppress(EOFError):
        for number in count():
            image.seek(number)
            yield image.tag_v2  # type: ignore[attr-defined]  # a TIFF's


def _problem_of_page(image: Image.Image, tags: Any, end: int) -> str | None:  # noqa: ANN401 - Pillow's tags
    if _INSIDE in tags or _RAW in tags:
        return "unsupported-format"
    for begins, lengths in _PLACES:
        if any(sum(one) > end for one in zip(tags.get(begins, ()), tags.get(lengths, ()), strict=True)):
            return "damaged"
    if image.mode in _GATED_PAGES:
        return None
    return "colour-cmyk" if image.mode == "CMYK" else "colour"


def _layout(width: int, height: int, dpi: tuple[float, float] | None) -> tuple[float, float]:
    """Give the page in points: by the resolution the file states, else fitted into A4."""
    try:
        if dpi:
            size = (width * 72 / float(dpi[0]), height * 72 / float(dpi[1]))
            if all(_SMALLEST <= side <= _LARGEST for side in size):
                return size
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        pass
    page = A4 if height >= width else (A4[1], A4[0])
    scale = min(page[0] / width, page[1] / height)
    return max(width * scale, _SMALLEST), max(height * scale, _SMALLEST)


def _write(
    pages: list[tuple[bytes, tuple[float, float]]], request: dict[str, Any], rotation: img2pdf.Rotation
) -> dict[str, Any]:
    from pikepdf import pdfa  # noqa: PLC0415 - 200 ms that a picture with a problem need not wait for

    sizes = iter([size for _, size in pages])
    made = img2pdf.convert(
        [data for data, _ in pages],
        layout_fun=lambda _width, _height, _dpi: 2 * next(sizes),
        rotation=rotation,
        nodate=True,
        engine=img2pdf.Engine.pikepdf,
    )
    with pikepdf.open(io.BytesIO(made)) as pdf:
        try:
            if "/ID" in pdf.trailer:
                # It comes from the clock: what is saved gets one from the content.
                del pdf.trailer["/ID"]
            pdfa.prepare(pdf, "3b")
            with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
                # The preparation wrote this machine's time: the same input must give the same bytes.
                del metadata["xmp:MetadataDate"]
            kwargs = pdfa.resolve_save_kwargs("3b", deterministic_id=True)
            pdf.save(request["out"], **kwargs)
        except ValueError:
            return {"rules": ["pikepdf:prepare"]}
    report = pdfa.validate_written(request["out"], "3b")
    return {"rules": sorted({finding.rule for finding in report.findings})}


def embed(request: dict[str, Any]) -> dict[str, Any]:
    """Put the image's own bytes into a page; give ``rules`` broken and ``losses``."""
    data = Path(request["file"]).read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        if "A" in image.getbands() or "transparency" in image.info:
            return {"rules": ["pikepdf:transparency"], "losses": []}
        size = _layout(*image.size, image.info.get("dpi"))
    try:
        return {**_write([(data, size)], request, img2pdf.Rotation.ifvalid), "losses": []}
    except (
        img2pdf.ImageOpenError,
        img2pdf.JpegColorspaceError,
        img2pdf.UnsupportedColorspaceError,
        ValueError,
    ):
        return {"rules": ["img2pdf:refused"], "losses": []}


def reencode(request: dict[str, Any]) -> dict[str, Any]:
    """Write the pixels as bilevel, 8-bit gray or sRGB without loss; give ``rules`` broken and ``losses``."""
    losses: list[str] = []
    with Image.open(request["file"], formats=["JPEG", "PNG", "TIFF"]) as source:
        several = source.format == "TIFF"
        pages = [_page(source, losses, tags) for tags in (_pages(source) if several else [{}])]
    return {**_write(pages, request, img2pdf.Rotation.none), "losses": list(dict.fromkeys(losses))}


def _page(
    source: Image.Image, losses: list[str], tags: Mapping[int, Any]
) -> tuple[bytes, tuple[float, float]]:
    """Give a page's pixels as a PNG, and the page's size."""
    dpi, profile = source.info.get("dpi"), source.info.get("icc_profile")
    before = source.size
    # Pillow turns a TIFF by itself as soon as it is decoded.
    turned = tags.get(_TURNED, 1) >= 5
    image: Image.Image = ImageOps.exif_transpose(source)
    if dpi and (turned or (not tags and image.size != before)):
        dpi = (dpi[1], dpi[0])
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 257).convert("L")
        losses.append("depth-8-bit")
    elif max(tags.get(_DEPTH, (1,))) > 8:
        losses.append("depth-8-bit")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image).convert("RGB")
        losses.append("transparency-on-white")
    if profile and image.mode == "RGB":
        image = _to_srgb(image, profile)
        losses.append("colour-to-srgb")
    if image.mode != "1" or not tags:
        image = image.convert("L" if image.mode in {"1", "L"} else "RGB")
    out = io.BytesIO()
    image.info.clear()
    image.save(out, "PNG")
    return out.getvalue(), _layout(*image.size, dpi)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    made = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    return made if made is not None else image


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Run the operation ``do``."""
    operations = {"examine": examine, "embed": embed, "reencode": reencode}
    return operations[request["do"]](request)
