# SPDX-License-Identifier: Apache-2.0
"""Every route's rendition is the PDF/A that it declares, says veraPDF."""

from pathlib import Path

import made_materials as make
import pytest
from tooling import require_tool
from verapdf import VeraPdf

from documents.attempts import Rendition
from documents.conversion import Converter
from documents.sandbox import Sandbox

_OFFICE = make.docx("<w:p><w:r><w:t>关于归档的申请 㑇䶮𠮷龘 Application</w:t></w:r></w:p>")


@pytest.mark.conformance
def test_each_route_gives_what_it_declares(tmp_path: Path) -> None:
    judge = VeraPdf()
    require_tool("soffice")
    require_tool("bwrap")
    materials = {
        "ordinary": (make.pdf(), "pdf-normalised"),
        "unused-font": (make.pdf(b"BT /H 9 Tf ET BT /F 40 Tf 60 700 Td (ABC) Tj ET"), "pdf-normalised"),
        "photograph": (make.as_file(make.picture(), "JPEG", dpi=(200, 200)), "image-embedded"),
        "gray": (make.as_file(make.picture("L"), "JPEG"), "image-embedded"),
        "palette": (make.as_file(make.picture("P"), "PNG"), "image-embedded"),
        "transparent": (make.as_file(make.picture("RGBA"), "PNG"), "image-reencoded"),
        "fax": (make.tiff(*[make.picture("1")] * 3, compression="group4"), "image-reencoded"),
        "scans": (make.tiff(make.picture(), make.picture("L"), compression="tiff_lzw"), "image-reencoded"),
        "office": (_OFFICE, "office"),
    }
    converter, made = Converter(Sandbox()), []
    for name, (data, route) in materials.items():
        source, out = tmp_path / name, tmp_path / f"{name}.pdf"
        source.write_bytes(data)
        result = converter.render(source, out)
        assert isinstance(result, Rendition), (name, result)
        assert (result.route, result.level) == (route, "3b")
        made.append(out)
    judge.assert_conform(made)
    assert all(one.profile.startswith("PDF/A-3B") for one in judge.judge(made).values())
