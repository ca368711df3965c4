# SPDX-License-Identifier: Apache-2.0
"""Small materials made on the spot: a picture, an office document, a PDF with a font of its own."""

import io
import zipfile
from collections.abc import Callable, Mapping

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw

WORDS = "ABCDEFGH"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def picture(mode: str = "RGB", size: tuple[int, int] = (400, 560)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    width, height = size
    pen.rectangle((width // 10, height // 14, width * 9 // 10, height // 4), fill="navy")
    pen.ellipse((width // 5, height * 2 // 5, width * 3 // 4, height * 4 // 5), outline="red", width=12)
    return image.convert(mode)


def as_file(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]  # Pillow types its options one by one
    return out.getvalue()


def tiff(*pages: Image.Image, **options: object) -> bytes:
    """Make a TIFF of several pages; Pillow's options ``compression``, ``dpi``, ``tiffinfo`` hold for all."""
    return as_file(pages[0], "TIFF", save_all=True, append_images=pages[1:], **options)


def font_program() -> bytes:
    """Make a TrueType font whose letters are blocks of growing width."""
    names = [".notdef", *WORDS]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(name): name for name in WORDS})
    glyphs = {}
    for number, name in enumerate(names):
        pen = TTGlyphPen(None)
        right = 100 + number * 50
        for step, point in enumerate([(50, 0), (50, 700), (right, 700), (right, 0)]):
            (pen.lineTo if step else pen.moveTo)(point)
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Blocks", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def _font(pdf: pikepdf.Pdf, first: int = ord(WORDS[0])) -> pikepdf.Object:
    program = pdf.make_stream(font_program())
    program.Length1 = len(font_program())
    descriptor = pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/AAAAAA+Blocks"),
            Flags=32,
            FontBBox=Array([0, -200, 600, 800]),
            ItalicAngle=0,
            Ascent=800,
            Descent=-200,
            CapHeight=700,
            StemV=80,
            FontFile2=program,
        )
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.TrueType,
            BaseFont=Name("/AAAAAA+Blocks"),
            FirstChar=first,
            LastChar=ord(WORDS[-1]),
            Widths=Array([600] * (ord(WORDS[-1]) - first + 1)),
            Encoding=Name.WinAnsiEncoding,
            FontDescriptor=descriptor,
        )
    )


def pdf(*contents: bytes, change: Callable[[pikepdf.Pdf], None] | None = None, **save: object) -> bytes:
    """Make an ordinary PDF: font ``F`` is embedded, ``Z`` too and has a code 0, ``H`` is not embedded."""
    made = pikepdf.new()
    fonts = Dictionary(
        F=_font(made),
        Z=_font(made, 0),
        H=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica),
    )
    for content in contents or (b"BT /F 40 Tf 60 700 Td (ABCDEFGH) Tj ET 0 0 1 rg 60 300 200 200 re f",):
        page = made.add_blank_page(page_size=(595, 842))
        page.obj.Resources = Dictionary(Font=fonts)
        page.obj.Contents = made.make_stream(content)
    if change is not None:
        change(made)
    out = io.BytesIO()
    made.save(out, **save)  # type: ignore[arg-type]  # passed through
    return out.getvalue()


def docx(
    body: str = "<w:p><w:r><w:t>关于归档的申请 Application</w:t></w:r></w:p>",
    *,
    relations: str = "",
    parts: Mapping[str, bytes] | None = None,
    content_type: str = _MAIN,
    prologue: str = "",
) -> bytes:
    """Make a minimal office document around a body and the relations of its main part."""
    files = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="png" ContentType="image/png"/>'
            f'<Override PartName="/word/document.xml" ContentType="{content_type}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_R}/officeDocument" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/document.xml": (
            f'{prologue}<w:document xmlns:w="{_W}" xmlns:r="{_R}"><w:body>{body}</w:body></w:document>'
        ).encode(),
        "word/_rels/document.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'
        ).encode(),
        **(parts or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def relation(kind: str, target: str, *, external: bool = True, name: str = "x1") -> str:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="{name}" Type="{_R}/{kind}" Target="{target}"{mode}/>'


def shown_picture(name: str, attribute: str) -> str:
    """Give a paragraph that shows a picture by relation, ``embed`` or ``link``."""
    draw = "http://schemas.openxmlformats.org/drawingml/2006"
    return (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{draw}/wordprocessingDrawing">'
        '<wp:extent cx="1800000" cy="1800000"/><wp:docPr id="1" name="p"/>'
        f'<a:graphic xmlns:a="{draw}/main"><a:graphicData uri="{draw}/picture">'
        f'<pic:pic xmlns:pic="{draw}/picture">'
        '<pic:nvPicPr><pic:cNvPr id="1" name="p"/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip r:{attribute}="{name}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="1800000" cy="1800000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )
