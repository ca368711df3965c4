# SPDX-License-Identifier: Apache-2.0
"""Workbooks made on the spot, part by part, so that a test can say exactly what a cell holds."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAW = "http://schemas.openxmlformats.org/drawingml/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_SHEET_TYPE = _OFFICE + "spreadsheetml.sheet.main+xml"


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes:
        rows: What stands inside ``sheetData``.
        before: What stands before it, such as ``sheetViews`` and ``cols``.
        after: What stands after it, such as ``mergeCells`` and ``drawing``.
        relations: Relations of the sheet.
        state: ``visible``, ``hidden`` or ``veryHidden``.
    """

    rows: str
    before: str = ""
    after: str = ""
    relations: str = ""
    state: str = "visible"


@dataclass(frozen=True)
class Extra:
    """What a workbook holds beside its sheets.

    Attributes:
        formats: Number formats by style, a code or the number of one that needs no code.
        strings: The ``si`` elements of the shared strings.
        styles: What follows the formats in the part of styles.
        parts: Further parts by name.
        types: Further entries of the list of content types.
        relations: Further relations of the main part.
        book: What stands before the list of sheets.
        names: What stands after it.
        main_type: The content type of the main part.
    """

    formats: Sequence[str | int] = (0,)
    strings: str = ""
    styles: str = ""
    parts: Mapping[str, bytes] = field(default_factory=dict)
    types: str = ""
    relations: str = ""
    book: str = ""
    names: str = ""
    main_type: str = _SHEET_TYPE


def row(*cells: str, number: int = 1, more: str = "") -> str:
    return f'<row r="{number}" {more}>{"".join(cells)}</row>'


def number(place: str, value: float | str, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def text(place: str, value: str, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def formula(place: str, code: str, value: str | None, kind: str = "n", style: int = 0) -> str:
    result = "" if value is None else f"<v>{escape(value)}</v>"
    return f'<c r="{place}" s="{style}" t="{kind}"><f>{escape(code)}</f>{result}</c>'


def relation(kind: str, target: str, *, name: str = "x1", external: bool = False) -> str:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="{name}" Type="{RELATIONS}/{kind}" Target="{target}"{mode}/>'


def relations(inner: str) -> bytes:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'.encode()


def workbook(*sheets: Sheet | str, extra: Extra | None = None) -> bytes:
    """Make a workbook; a sheet may be given by its rows alone."""
    more = extra or Extra()
    made = [sheet if isinstance(sheet, Sheet) else Sheet(sheet) for sheet in sheets]
    files = {
        "[Content_Types].xml": _types(len(made), more),
        "_rels/.rels": relations(relation("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": _book(made, more),
        "xl/_rels/workbook.xml.rels": relations(_book_relations(len(made)) + more.relations),
        "xl/styles.xml": _styles(more),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{more.strings}</sst>'.encode(),
    }
    for place, sheet in enumerate(made, start=1):
        files[f"xl/worksheets/sheet{place}.xml"] = (
            f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">{sheet.before}'
            f"<sheetData>{sheet.rows}</sheetData>{sheet.after}</worksheet>"
        ).encode()
        files[f"xl/worksheets/_rels/sheet{place}.xml.rels"] = relations(sheet.relations)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, **more.parts}.items():
            archive.writestr(name, data)
    return out.getvalue()


def _types(sheets: int, extra: Extra) -> bytes:
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{place}.xml" '
        f'ContentType="{_OFFICE}spreadsheetml.worksheet+xml"/>'
        for place in range(1, sheets + 1)
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="png" ContentType="image/png"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{extra.main_type}"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_OFFICE}spreadsheetml.styles+xml"/>'
        '<Override PartName="/xl/sharedStrings.xml" '
        f'ContentType="{_OFFICE}spreadsheetml.sharedStrings+xml"/>{parts}{extra.types}</Types>'
    ).encode()


def _book(sheets: Sequence[Sheet], extra: Extra) -> bytes:
    listed = "".join(
        f'<sheet name="表{place}" sheetId="{place}" state="{sheet.state}" r:id="s{place}"/>'
        for place, sheet in enumerate(sheets, start=1)
    )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{extra.book}<sheets>{listed}</sheets>'
        f"{extra.names}</workbook>"
    ).encode()


def _book_relations(sheets: int) -> str:
    made = [
        relation("worksheet", f"worksheets/sheet{place}.xml", name=f"s{place}")
        for place in range(1, sheets + 1)
    ]
    return (
        "".join(made)
        + relation("styles", "styles.xml", name="styles")
        + relation("sharedStrings", "sharedStrings.xml", name="strings")
    )


def _styles(extra: Extra) -> bytes:
    codes = {place: code for place, code in enumerate(extra.formats, start=170) if isinstance(code, str)}
    listed = "".join(
        f'<numFmt numFmtId="{number}" formatCode={quoteattr(code)}/>' for number, code in codes.items()
    )
    looks = "".join(
        f'<xf numFmtId="{place if place in codes else code}" fontId="0" fillId="0" borderId="0" xfId="0" '
        'applyNumberFormat="1"/>'
        for place, code in enumerate(extra.formats, start=170)
    )
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{listed}</numFmts>'
        '<fonts><font><sz val="11"/><name val="宋体"/></font></fonts>'
        "<fills><fill/></fills><borders><border/></borders>"
        '<cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f"<cellXfs>{looks}</cellXfs>{extra.styles}</styleSheet>"
    ).encode()


def drawing(inner: str) -> bytes:
    """Make a part of drawings with one anchor around ``inner``."""
    return (
        f'<xdr:wsDr xmlns:xdr="{DRAW}/spreadsheetDrawing" xmlns:a="{DRAW}/main" xmlns:r="{RELATIONS}">'
        "<xdr:twoCellAnchor><xdr:from><xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>4</xdr:row>"
        "<xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:to><xdr:col>4</xdr:col><xdr:colOff>0</xdr:colOff>"
        f"<xdr:row>12</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:to>{inner}<xdr:clientData/>"
        "</xdr:twoCellAnchor></xdr:wsDr>"
    ).encode()


_SHAPE = '<xdr:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr>'
PICTURE = (
    '<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="2" name="p"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
    f'<a:blip r:embed="p1"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill>{_SHAPE}</xdr:pic>'
)
CHART = (
    '<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="3" name="c"/><xdr:cNvGraphicFramePr/>'
    "</xdr:nvGraphicFramePr></xdr:graphicFrame>"
)


def box(words: str) -> str:
    """Give a shape with words in it."""
    return (
        f'<xdr:sp><xdr:nvSpPr><xdr:cNvPr id="4" name="b"/><xdr:cNvSpPr/></xdr:nvSpPr>{_SHAPE}'
        f"<xdr:txBody><a:bodyPr/><a:p><a:r><a:t>{escape(words)}</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
    )


def drawn(inner: str, picture: bytes = b"") -> tuple[Sheet, Extra]:
    """Give a sheet with one cell and a drawing, and what the workbook needs for it."""
    parts = {
        "xl/drawings/drawing1.xml": drawing(inner),
        "xl/drawings/_rels/drawing1.xml.rels": relations(relation("image", "../media/p.png", name="p1")),
        "xl/media/p.png": picture,
    }
    override = f'<Override PartName="/xl/drawings/drawing1.xml" ContentType="{_OFFICE}drawing+xml"/>'
    sheet = Sheet(
        row(text("A1", "附图")),
        after='<drawing r:id="d1"/>',
        relations=relation("drawing", "../drawings/drawing1.xml", name="d1"),
    )
    return sheet, Extra(parts=parts, types=override)
