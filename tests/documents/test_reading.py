# SPDX-License-Identifier: Apache-2.0
"""Files inside a PDF, the rules of PDF/A, and the tools the doctor asks about."""

from collections.abc import Callable
from pathlib import Path

import made_materials as make
import pikepdf
import pytest

from documents import tools
from documents.attachments import MOST_BYTES, read_attachment
from documents.errors import UnreadableError
from documents.reasons import REASONS
from documents.sandbox import Sandbox
from documents.tools import PROBES, ToolProbe, probe

Place = Callable[..., Path]


def test_an_embedded_file_is_given_by_its_name(place: Place, sandbox: Sandbox) -> None:
    def attach(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["licence.json"] = b"{}"
        pdf.attachments["large.bin"] = b"x" * (MOST_BYTES + 1)

    path = place(make.pdf(change=attach))
    assert read_attachment(path, "licence.json", sandbox) == b"{}"
    assert read_attachment(path, "large.bin", sandbox) is None
    assert read_attachment(path, "other.json", sandbox) is None
    with pytest.raises(UnreadableError):
        read_attachment(place(b"%PDF-"), "licence.json", sandbox)


def test_an_ordinary_pdf_breaks_rules_and_a_level_that_is_not_checked_passes_none(
    place: Place, sandbox: Sandbox
) -> None:
    with sandbox.workroom() as room:
        room.put(place(make.pdf()), "source")
        assert room.call("pdf", do="validate", file="source", pdfa="3b")["rules"]
        unchecked = room.call("pdf", do="validate", file="source", pdfa="4")["rules"]
    assert unchecked == ["pikepdf:flavour-not-checked"]


def test_reasons_have_sentences_in_both_languages() -> None:
    assert all(reason.zh and reason.en and reason.code == code for code, reason in REASONS.items())


def test_a_probe_tells_absence_from_presence() -> None:
    missing = ToolProbe("x", ("no-such-program", "--version"), "无", "none", "nothing")
    assert not probe(missing).present
    assert probe(PROBES[0]).version
    assert tools.probe(ToolProbe("f", ("true",), "无", "none", "nothing", font=True)).version is None
    assert all(one.zh and one.en and one.package for one in PROBES)
