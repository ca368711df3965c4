# SPDX-License-Identifier: Apache-2.0
"""Hostile files to verify, sent by strangers: the answer is a verdict, and never "valid"."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hostile_pdf import bomb, catalog, page, pdf, signed, stream

from .filings import FORM, Part, multipart
from .ground import MOST_CHECKED, Ground, mark_of, nothing_told
from .test_calls import code_of

SIGNATURE = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
INVALID, UNKNOWN = "invalid", "cannot-tell"
_MARK, _TRAP = b"zq~~~~~~~~~~~~~~", b"127.0.0.1:~~~~~"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file for the public check.

    Attributes:
        name: Unique; says what is tried.
        make: Makes the file. The mark and the address of the trap are filled in afterwards, over as many
            bytes, so that tables and lengths stay right.
        headline: The one word of the answer.
        reason: The first reason of the verdict.
    """

    name: str
    make: Callable[[], bytes]
    headline: str
    reason: str


def deep(depth: int) -> bytes:
    return b"[" * depth + b"1" + b"]" * depth


FILES = [
    Sent("text", lambda: b"zq~~~~~~~~~~~~~~", UNKNOWN, "malformed"),
    Sent(
        "a web page that calls itself PDF",
        lambda: b"<script>zq~~~~~~~~~~~~~~</script>%PDF-1.7\n",
        UNKNOWN,
        "malformed",
    ),
    Sent(
        "a ZIP archive that calls itself PDF",
        lambda: b"PK\x03\x04zq~~~~~~~~~~~~~~" + pdf(),
        UNKNOWN,
        "malformed",
    ),
    Sent("a header and nothing else", lambda: b"%PDF-1.7\n%zq~~~~~~~~~~~~~~", UNKNOWN, "malformed"),
    Sent("a header after two thousand bytes", lambda: b"\0" * 2000 + pdf(), UNKNOWN, "malformed"),
    Sent("half a file", lambda: pdf()[:250], UNKNOWN, "malformed"),
    Sent("a table that is its own predecessor", lambda: pdf(trailer=b"/Prev 180"), UNKNOWN, "malformed"),
    Sent(
        "a table of two billion objects",
        lambda: pdf().replace(b"/Size 4", b"/Size 2147483647"),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "a start beyond the end",
        lambda: pdf().replace(b"startxref\n", b"startxref\n99999999"),
        UNKNOWN,
        "malformed",
    ),
    Sent(
        "pages that are their own children",
        lambda: pdf({2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"}),
        UNKNOWN,
        "no-seal",
    ),
    Sent("a catalogue that is nothing", lambda: pdf({1: b"null"}), UNKNOWN, "malformed"),
    Sent("lists twenty thousand deep", lambda: pdf(catalog(b"/X " + deep(20_000))), UNKNOWN, "limits"),
    Sent("an object that refers to itself", lambda: pdf({1: b"1 0 R"}), UNKNOWN, "limits"),
    Sent(
        "an object stream that is a bomb",
        lambda: pdf(
            {9: stream(bomb(2, 1 << 28), b"/Type/ObjStm/N 1/First 9/Filter[/FlateDecode/FlateDecode]")}
            | {1: b"<</Type/Catalog/Pages 2 0 R/AcroForm 9 0 R>>"}
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "a picture of ten billion dots",
        lambda: pdf(
            page(b"/Resources<</XObject<</I 9 0 R>>>>/Contents 8 0 R")
            | {
                8: stream(b"/I Do"),
                9: stream(
                    bomb(1, 1 << 20),
                    b"/Type/XObject/Subtype/Image/Width 100000/Height 100000/ColorSpace/DeviceRGB"
                    b"/BitsPerComponent 8/Filter/FlateDecode",
                ),
            }
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "an action that calls an address",
        lambda: pdf(catalog(b"/OpenAction<</S/URI/URI(http://127.0.0.1:~~~~~/zq~~~~~~~~~~~~~~)>>")),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "an action that runs a program",
        lambda: pdf(catalog(b"/OpenAction<</S/Launch/F(/bin/sh)/Win<</F(cmd.exe)>>>>")),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "a script",
        lambda: pdf(
            catalog(b"/OpenAction<</S/JavaScript/JS(this.submitForm\\('http://127.0.0.1:~~~~~'\\))>>")
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "content that lies elsewhere",
        lambda: pdf(
            page(b"/Contents 9 0 R")
            | {9: stream(b"", b"/F<</FS/URL/F(http://127.0.0.1:~~~~~/zq~~~~~~~~~~~~~~)>>")}
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "a form with an entity of a foreign file",
        lambda: pdf(
            catalog(b"/AcroForm<</Fields[]/XFA 9 0 R>>")
            | {
                9: stream(
                    b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:~~~~~/zq~~~~~~~~~~~~~~">]><x>&e;</x>'
                )
            }
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "metadata with an entity of a file",
        lambda: pdf(
            catalog(b"/Metadata 9 0 R")
            | {
                9: stream(
                    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;zq~~~~~~~~~~~~~~</x>',
                    b"/Type/Metadata/Subtype/XML",
                )
            }
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "an embedded file called by a path",
        lambda: pdf(
            catalog(b"/Names<</EmbeddedFiles<</Names[(../../zq~~~~~~~~~~~~~~) 8 0 R]>>>>")
            | {
                8: b"<</Type/Filespec/F(../../../etc/zq~~~~~~~~~~~~~~)/UF(metadata.xml)/EF<</F 9 0 R>>>>",
                9: stream(b"zq~~~~~~~~~~~~~~"),
            }
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "a licence's metadata that are a bomb of entities",
        lambda: pdf(
            catalog(b"/AF[8 0 R]/Names<</EmbeddedFiles<</Names[(metadata.xml) 8 0 R]>>>>")
            | {
                8: b"<</Type/Filespec/F(metadata.xml)/UF(metadata.xml)/EF<</F 9 0 R>>>>",
                9: stream(
                    b'<!DOCTYPE x [<!ENTITY a "zq~~~~~~~~~~~~~~"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
                ),
            }
        ),
        UNKNOWN,
        "no-seal",
    ),
    Sent(
        "a file that asks for a password",
        lambda: pdf(
            trailer=b"/Encrypt<</Filter/Standard/V 1/R 2/O<"
            + b"00" * 32
            + b">/U<"
            + b"01" * 32
            + b">/P -1>>/ID[<00><00>]"
        ),
        UNKNOWN,
        "encrypted",
    ),
    Sent(
        "a signature of nothing",
        lambda: signed(b"zq~~~~~~~~~~~~~~", b"<</Type/Sig>>"),
        INVALID,
        "signature-hollow",
    ),
    Sent(
        "a signature over numbers beyond all files",
        lambda: signed(
            b"S",
            (
                b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/Contents<00>"
                b"/ByteRange[0 99999999999999999999 1 99999999999999999999]>>"
            ),
        ),
        INVALID,
        "signature-hollow",
    ),
    Sent(
        "a signature over less than nothing",
        lambda: signed(
            b"S",
            (SIGNATURE + b"/Contents<00>/ByteRange[0 -1 -5 9]>>"),
        ),
        INVALID,
        "signature-hollow",
    ),
    Sent(
        "a signature of a megabyte of zeros",
        lambda: signed(
            b"S",
            (SIGNATURE + b"/ByteRange[0 10 20 30]/Contents<" + b"00" * (1 << 19) + b">>>"),
        ),
        INVALID,
        "signature-hollow",
    ),
    Sent(
        "a signature by a certificate at an address",
        lambda: signed(
            b"S",
            (
                b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.x509.rsa_sha1/Cert(http://127.0.0.1:~~~~~/zq~~~~~~~~~~~~~~)/Contents<00>"
                b"/ByteRange[0 10 20 30]>>"
            ),
        ),
        INVALID,
        "signature-hollow",
    ),
    Sent(
        "a signature whose field is named by markup",
        lambda: signed(b"<script>zq~~~~~~~~~~~~~~</script>", b"<</Type/Sig>>"),
        INVALID,
        "signature-hollow",
    ),
]


@pytest.fixture
def trap() -> Any:
    """An address of this machine at which nobody may call."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        yield listener


def nobody_called(trap: socket.socket) -> bool:
    try:
        trap.accept()
    except BlockingIOError:
        return True
    return False


def form_of(*files: bytes, name: str = "a.pdf") -> dict[str, Any]:
    """Give the arguments of a request that sends files as one form."""
    parts = [Part("file", data, name) for data in files]
    return {"data": multipart(parts), "content_type": FORM}


def check(ground: Ground, *files: bytes, name: str = "a.pdf") -> Any:
    return ground.app.test_client().post("/api/v1/verifications", **form_of(*files, name=name))


@pytest.mark.parametrize("sent", FILES, ids=lambda sent: sent.name)
def test_a_hostile_file(ground: Ground, trap: socket.socket, sent: Sent) -> None:
    mark = mark_of(sent.name)
    address = f"127.0.0.1:{trap.getsockname()[1]:05}".encode()
    data = sent.make().replace(_MARK, mark.encode()).replace(_TRAP, address)
    with ground.watched(mark):
        answer = check(ground, data, name=f"{mark}.pdf")
    assert answer.status_code == 200, answer.text
    assert (answer.json["headline"]["code"], answer.json["verdict"]["reasons"][0]["code"]) == (
        sent.headline,
        sent.reason,
    )
    nothing_told(mark, f"{answer.headers}\n{answer.text}", "the report")
    assert nobody_called(trap)


@pytest.mark.parametrize(
    ("what", "files", "status", "code"),
    [
        ("no file", (), 422, "invalid-input"),
        ("an empty file", (b"",), 422, "invalid-input"),
        ("two files for one answer", (b"%PDF-1.7", b"%PDF-1.7"), 422, "invalid-input"),
        ("more than is taken", (b"%PDF-1.7" + b"a" * MOST_CHECKED,), 413, "too-large"),
    ],
)
def test_what_is_no_file_to_check(
    ground: Ground, what: str, files: tuple[bytes, ...], status: int, code: str
) -> None:
    mark = mark_of(what)
    with ground.watched(mark):
        answer = check(ground, *files, name=f"../../{mark}.pdf")
        assert (answer.status_code, code_of(answer)) == (status, code)
    nothing_told(mark, answer.text, "the answer")


def test_the_name_of_a_file_stands_on_the_page_as_text_alone(ground: Ground) -> None:
    mark = mark_of("two names of markup")
    parts = [
        Part("file", b"no document", f"<script>{mark}</script>"),
        Part("file", b"none", "../../etc/passwd"),
    ]
    parts.append(Part("form_token", ground.form_token().encode(), None))
    with ground.watched(mark):
        page_ = ground.browser().post("/verify", data=multipart(parts), content_type=FORM)
    assert page_.status_code == 200
    assert f"<script>{mark}" not in page_.text
    assert f"&lt;script&gt;{mark}" in page_.text
