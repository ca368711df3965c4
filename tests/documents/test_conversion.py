# SPDX-License-Identifier: Apache-2.0
"""Conversion: two gates, no rendition that is not the source's, every attempt on record."""

from collections.abc import Callable
from pathlib import Path

import made_materials as make
import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from documents.attempts import OriginalOnly, Rendition
from documents.conversion import Converter
from documents.reasons import REASONS
from documents.sandbox import Sandbox
from seals.presealing import findings

Place = Callable[..., Path]


@pytest.fixture(scope="module")
def converter(sandbox: Sandbox) -> Converter:
    return Converter(sandbox)


@pytest.fixture
def render(converter: Converter, place: Place, tmp_path: Path) -> Callable[[bytes], Rendition | OriginalOnly]:
    def run(data: bytes) -> Rendition | OriginalOnly:
        out = tmp_path / "rendition.pdf"
        out.unlink(missing_ok=True)
        result = converter.render(place(data), out)
        assert out.exists() is isinstance(result, Rendition), (
            "a file stands exactly when a rendition is claimed"
        )
        if isinstance(result, OriginalOnly):
            assert result.reason in REASONS
            assert result.attempts
        return result

    return run


Render = Callable[[bytes], Rendition | OriginalOnly]


def _busy(pdf: pikepdf.Pdf) -> None:
    """Give a PDF everything that acts by itself."""
    script = Dictionary(S=Name.JavaScript, JS="app.alert(1)")
    pdf.Root.OpenAction = script
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array(["a", script])))
    pdf.attachments["note.txt"] = b"attached"
    page = pdf.pages[0]
    page.obj.AA = Dictionary(O=script)
    page.obj.Trans = Dictionary(S=Name.Dissolve)
    web = Dictionary(S=Name.URI, URI="http://127.0.0.1/")
    launch = Dictionary(S=Name.Launch, F="x")
    box = Array([10, 10, 20, 20])
    page.obj.Annots = Array(
        pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=kind, Rect=box, F=flags, Border=[0, 0, 0], A=action)
        )
        for kind, flags, action in [(Name.Link, 4, web), (Name.Link, 4, launch), (Name.Text, 2, web)]
    )


def test_an_ordinary_pdf_is_normalised_and_its_losses_are_listed(render: Render, tmp_path: Path) -> None:
    result = render(make.pdf(change=_busy))
    assert isinstance(result, Rendition), result
    assert (result.route, result.level, result.pages, result.kept) == ("pdf-normalised", "3b", 1, False)
    assert "ABCDEFGH" in result.text
    assert set(result.attempts[-1].losses) == {
        "actions:1",
        "attachments:1",
        "hidden-annotations:1",
        "javascript:1",
        "open-action:1",
    }
    with pikepdf.open(tmp_path / "rendition.pdf") as pdf:
        assert [str(one.A.URI) for one in pdf.pages[0].obj.Annots] == ["http://127.0.0.1/"]
        assert not {"/OpenAction", "/AcroForm", "/AA"} & set(pdf.Root.keys())


def test_a_rendition_is_fit_to_be_sealed_and_the_source_was_not(render: Render, tmp_path: Path) -> None:
    data = make.pdf(change=_busy)
    assert {"javascript", "open-action", "hidden-annotation", "not-pdfa"} <= set(findings(data))
    render(data)
    assert findings((tmp_path / "rendition.pdf").read_bytes()) == []


def test_the_same_material_gives_the_same_bytes(render: Render, tmp_path: Path) -> None:
    for data in (make.pdf(), make.as_file(make.picture(), "JPEG")):
        made = []
        for _ in range(2):
            render(data)
            made.append((tmp_path / "rendition.pdf").read_bytes())
        assert made[0] == made[1]


def test_what_is_pdfa_already_is_kept_to_the_byte(render: Render, tmp_path: Path) -> None:
    render(make.pdf())
    first = (tmp_path / "rendition.pdf").read_bytes()
    result = render(first)
    assert isinstance(result, Rendition)
    assert (result.route, result.level, result.kept) == ("pdf-kept", "3b", True)
    assert (tmp_path / "rendition.pdf").read_bytes() == first


@pytest.mark.parametrize("junk", [b"x" * 20, b"\n\n"])
def test_a_claim_that_fails_is_treated_as_an_ordinary_pdf(
    render: Render, tmp_path: Path, junk: bytes
) -> None:
    render(make.pdf())
    result = render((tmp_path / "rendition.pdf").read_bytes() + junk)
    assert isinstance(result, Rendition)
    assert [one.route for one in result.attempts] == ["pdf-kept", "pdf-normalised"]
    assert result.attempts[0].rules == ("ISO_19005_3:6.1.3-3",)


def test_a_signed_pdf_is_never_rewritten(render: Render, tmp_path: Path) -> None:
    def sign(pdf: pikepdf.Pdf) -> None:
        value = pdf.make_indirect(Dictionary(Type=Name.Sig, ByteRange=[0, 1, 2, 3]))
        pdf.Root.AcroForm = Dictionary(Fields=[pdf.make_indirect(Dictionary(FT=Name.Sig, T="s", V=value))])

    data = make.pdf(change=sign)
    result = render(data)
    assert isinstance(result, Rendition)
    assert (result.route, result.level, result.kept) == ("pdf-sealed-kept", "", True)
    assert (tmp_path / "rendition.pdf").read_bytes() == data


def _layers(pdf: pikepdf.Pdf) -> None:
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name="x"))
    pdf.Root.OCProperties = Dictionary(OCGs=[group], D=Dictionary())


def _form(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(Fields=[], XFA=pdf.make_stream(b"<xdp/>"))


def _portfolio(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Collection = Dictionary()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (make.pdf(b"BT /H 40 Tf 60 700 Td (Not embedded) Tj ET"), "fonts-not-embedded"),
        (make.pdf(b"0.9 0.1 0 0 k 60 300 200 200 re f"), "colour-cmyk"),
        (make.pdf(b""), "blank"),
        (make.pdf(encryption=pikepdf.Encryption(user="u", owner="o")), "encrypted"),
        (make.pdf()[:-300], "damaged"),
        (make.pdf(change=_layers), "layers"),
        (make.pdf(change=_form), "dynamic-form"),
        (make.pdf(change=_portfolio), "portfolio"),
        (make.as_file(make.picture("CMYK"), "JPEG"), "colour-cmyk"),
        (make.as_file(Image.new("RGB", (300, 300), "white"), "PNG"), "blank"),
        (make.tiff(*[Image.new("1", (300, 300), 1)] * 2, compression="group4"), "blank"),
        (make.docx(relations=make.relation("image", "http://127.0.0.1/x.png")), "external-content"),
        (b"plain text", "unsupported-format"),
    ],
)
def test_what_cannot_be_shown_faithfully_stays_original_only(
    render: Render, data: bytes, reason: str
) -> None:
    result = render(data)
    assert isinstance(result, OriginalOnly), result
    assert result.reason == reason


def test_a_font_that_is_named_but_shows_nothing_and_black_ink_do_no_harm(render: Render) -> None:
    contents = b"BT /H 12 Tf 14 TL ET 0 0 0 1 k q BT /F 40 Tf 60 700 Td (ABC) Tj ET Q"
    result = render(make.pdf(contents))
    assert isinstance(result, Rendition), result
    assert "ABC" in result.text


@pytest.mark.parametrize(
    ("mode", "kind", "losses"),
    [
        ("RGB", "JPEG", []),
        ("L", "JPEG", []),
        ("RGB", "PNG", []),
        ("1", "PNG", []),
        ("P", "PNG", []),
        ("RGBA", "PNG", ["transparency-on-white"]),
        ("LA", "PNG", ["transparency-on-white"]),
    ],
)
def test_pictures(render: Render, tmp_path: Path, mode: str, kind: str, losses: list[str]) -> None:
    result = render(make.as_file(make.picture(mode), kind, dpi=(100, 100)))
    assert isinstance(result, Rendition), result
    assert list(result.attempts[-1].losses) == losses
    with pikepdf.open(tmp_path / "rendition.pdf") as pdf:
        box = [float(side) for side in pdf.pages[0].mediabox]
    assert box == pytest.approx([0, 0, 288, 403.2], abs=0.1)


def test_a_jpeg_keeps_its_own_bytes_and_turns_as_its_camera_said(render: Render, tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    data = make.as_file(make.picture(), "JPEG", exif=turned)
    assert isinstance(render(data), Rendition)
    with pikepdf.open(tmp_path / "rendition.pdf") as pdf:
        page = pdf.pages[0]
        assert int(page.obj.Rotate) == 90
        assert next(iter(page.get_images().values())).read_raw_bytes() == data


def _dark(path: Path) -> list[float]:
    """Give for each page the share that is darker than half."""
    with pypdfium2.PdfDocument(path) as document:
        drawn = [page.render(grayscale=True).to_pil().convert("L") for page in document]
    return [sum(page.histogram()[:128]) / (page.width * page.height) for page in drawn]


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("1", "group4"),
        ("1", "group3"),
        ("1", "tiff_lzw"),
        ("RGB", "tiff_lzw"),
        ("RGB", "jpeg"),
        ("RGB", "tiff_adobe_deflate"),
        ("L", "packbits"),
        ("P", None),
        ("RGBA", "tiff_lzw"),
    ],
)
def test_every_page_of_a_tiff_is_shown(
    render: Render, tmp_path: Path, mode: str, compression: str | None
) -> None:
    pages = make.picture(mode), make.picture(mode, (600, 300)), make.picture(mode, (200, 280))
    data = make.tiff(*pages, compression=compression, dpi=(100, 100))
    result = render(data)
    assert isinstance(result, Rendition), result
    assert (result.route, result.pages, result.kept) == ("image-reencoded", 3, False)
    assert (tmp_path / "material").read_bytes() == data, "the original stays as it is"
    with pikepdf.open(tmp_path / "rendition.pdf") as pdf:
        boxes = [[float(side) for side in page.mediabox[2:]] for page in pdf.pages]
    assert boxes == [pytest.approx(box, abs=0.1) for box in ([288, 403.2], [432, 216], [144, 201.6])]
    assert all(0.1 < share < 0.5 for share in _dark(tmp_path / "rendition.pdf"))


def test_bilevel_pages_stay_bilevel_whichever_number_is_black(render: Render, tmp_path: Path) -> None:
    for photometric in (0, 1):
        result = render(make.tiff(make.picture("1"), compression="group4", tiffinfo={262: photometric}))
        assert isinstance(result, Rendition), result
        with pikepdf.open(tmp_path / "rendition.pdf") as pdf:
            assert int(next(iter(pdf.pages[0].get_images().values())).BitsPerComponent) == 1
        assert 0.1 < _dark(tmp_path / "rendition.pdf")[0] < 0.5


def test_a_blank_page_among_others_is_kept_and_a_tiff_turns_once(render: Render, tmp_path: Path) -> None:
    pages = make.picture(), Image.new("RGB", (400, 560), "white")
    result = render(make.tiff(*pages, tiffinfo={274: 6}, dpi=(100, 200)))
    assert isinstance(result, Rendition), result
    with pypdfium2.PdfDocument(tmp_path / "rendition.pdf") as document:
        assert document.get_page_size(0) == pytest.approx((201.6, 288), abs=0.1)
        shown = document[0].render(scale=560 / 201.6, grayscale=True).to_pil().convert("L")
    # The bar at the top of the stored picture is on the right when it is turned clockwise.
    assert shown.getpixel((int(shown.width * 0.84), shown.height // 2)) < 100
    assert shown.getpixel((int(shown.width * 0.1), shown.height // 2)) > 200
    assert _dark(tmp_path / "rendition.pdf")[1] == 0


def test_a_tiff_gives_the_same_bytes_again(render: Render, tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        render(make.tiff(make.picture(), make.picture("1")))
        made.append((tmp_path / "rendition.pdf").read_bytes())
    assert made[0] == made[1]


def test_records_are_plain_json_without_content(render: Render) -> None:
    result = render(make.pdf(change=_busy))
    record = result.attempts[-1].as_record()
    assert record["route"] == "pdf-normalised"
    assert record["layer"] in {"bubblewrap", "process-limits"}
    assert "ABC" not in repr(result)


def test_text_that_its_font_cannot_show_is_found(render: Render) -> None:
    result = render(make.pdf(b"BT /Z 40 Tf 60 700 Td <4142004344> Tj ET"))
    assert isinstance(result, OriginalOnly)
    assert (result.reason, result.attempts[-1].rules) == ("glyphs-missing", ("ISO_19005_3:6.2.11.8-1",))
