# SPDX-License-Identifier: Apache-2.0
"""The equivalence gate refuses each way in which a converter can lose something."""

from pathlib import Path

import made_materials as make
import pytest

from documents.sandbox import Sandbox

BOX = b" 0 0 1 rg 60 300 200 200 re f"
TEXT = b"BT /F 40 Tf 60 700 Td (ABCDEFGH) Tj ET"
SEAL = b" 1 0 0 RG 6 w 400 100 80 80 re S"


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ([TEXT + BOX], [TEXT + BOX], None),
        ([TEXT + BOX, BOX], [TEXT + BOX], "page-count"),
        ([TEXT + BOX], [TEXT.replace(b"ABC", b"AB") + BOX], "text-lost"),
        ([TEXT + BOX], [TEXT.replace(b"/F 40", b"3 Tr /F 40") + BOX], "page-different"),
        ([TEXT + BOX + SEAL], [TEXT + BOX], "page-different"),
        ([TEXT, BOX], [TEXT, b""], "page-blank"),
        ([b"", b""], [b"", b""], "blank"),
    ],
)
def test_pdf_against_pdf(
    sandbox: Sandbox, before: list[bytes], after: list[bytes], problem: str | None
) -> None:
    with sandbox.workroom() as room:
        room.write("before", make.pdf(*before))
        room.write("after", make.pdf(*after))
        assert room.call("compare", do="pdf", before="before", after="after")["problem"] == problem


def test_another_page_size_is_seen(sandbox: Sandbox) -> None:
    with sandbox.workroom() as room:
        room.write("before", make.pdf())
        room.write("after", make.pdf(change=lambda pdf: setattr(pdf.pages[0], "mediabox", [0, 0, 595, 800])))
        assert room.call("compare", do="pdf", before="before", after="after")["problem"] == "page-box"


@pytest.mark.parametrize(
    ("text", "images", "problem"),
    [
        ("abcdefgh", 0, None),
        ("ＡＢＣ １２３", 0, None),
        ("ABCDEFGHH", 0, "text-lost"),
        ("甲", 0, "text-lost"),
        ("ABC", 1, "images-lost"),
    ],
)
def test_text_against_pdf(sandbox: Sandbox, text: str, images: int, problem: str | None) -> None:
    with sandbox.workroom() as room:
        room.write("before", text.encode())
        room.write("after", make.pdf(TEXT))
        found = room.call("compare", do="text", before="before", after="after", images=images)
        assert found["problem"] == problem


def test_another_picture_is_seen(sandbox: Sandbox, tmp_path: Path) -> None:
    other = make.picture().transpose(1)
    with sandbox.workroom() as room:
        room.write("source", make.as_file(make.picture(), "PNG"))
        room.write("other", make.as_file(other, "PNG"))
        assert room.call("image", do="embed", file="other", out="made")["rules"] == []
        assert room.call("compare", do="image", before="source", after="made")["problem"] == "page-different"
        assert room.call("compare", do="image", before="other", after="made")["problem"] is None
