# SPDX-License-Identifier: Apache-2.0
"""The wrapper around the judge tells good from bad; otherwise every conformance test would be empty."""

import datetime as dt
import io
from pathlib import Path

import pikepdf
import pytest
from verapdf import VeraPdf

from documents.typesetting import FONT, Attachment, Typesetter


@pytest.mark.conformance
def test_good_broken_and_unreadable_files_are_told_apart(tmp_path: Path) -> None:
    judge = VeraPdf()
    template = tmp_path / "page.typ"
    template.write_text(
        f'#let data = json(bytes(sys.inputs.data))\n#set text(font: "{FONT}")\n'
        "= #data.title\n#table(columns: 2, [甲], [乙])"
    )
    made = Typesetter().typeset(
        template,
        {"title": "卷内目录"},
        [
            Attachment("元数据.json", b"{}", "application/json"),
            Attachment("a.bin", b"\xff\x00", "image/png", "source"),
        ],
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    good, broken, unreadable = (tmp_path / name for name in ("good.pdf", "broken.pdf", "unreadable.pdf"))
    good.write_bytes(made)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        del pdf.Root.OutputIntents
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="1")
        pdf.save(broken)
    unreadable.write_bytes(b"%PDF-1.7\nnothing")
    judged = judge.judge([good, broken, unreadable])
    assert judged[good].passed
    assert judged[good].profile.startswith("PDF/A-3B")
    assert not judged[broken].passed
    assert "6.5.1-1" in judged[broken].rules
    assert judged[unreadable].rules == ("unreadable",)
