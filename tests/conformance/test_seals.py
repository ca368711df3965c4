# SPDX-License-Identifier: Apache-2.0
"""Foreign programs accept what we seal: veraPDF, pdfsig, OpenSSL, and pyHanko's own validation."""

import asyncio
import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
import typst
from asn1crypto import pem, x509
from fakes import HandClock
from noto_cjk_sans_otc import FONT_PATH
from press import DEPARTMENTS, Press
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from verapdf import VeraPdf

from seals import demo_pki
from seals.keys import FileKeyStore
from seals.orders import Placement
from storage.clock import RandomIds, SystemClock

STAMPS = {"visible": Placement(1, 120, 200, 42), "invisible": None}


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Press:
    """A press by the real clock, because the foreign judges look at theirs."""
    folder = tmp_path_factory.mktemp("press")
    clock = HandClock(SystemClock().now())
    pki = demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), clock, DEPARTMENTS)
    return Press(pki, pki.tsa(RandomIds()), clock)


def page(level: str) -> bytes:
    source = '#set document(title: "x")\n#set text(font: "Noto Sans CJK SC")\n= 卷内目录\n建设工程规划许可证'
    fonts = [str(Path(str(FONT_PATH)).parent)]
    made = typst.compile(
        source.encode(), format="pdf", pdf_standards=level, font_paths=fonts, ignore_system_fonts=True
    )
    assert isinstance(made, bytes)
    return made


@pytest.fixture(scope="module")
def sealed(press: Press, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sealed")
    paths = []
    for level in ("a-1b", "a-2b", "a-3b"):
        for name, stamp in STAMPS.items():
            paths.append(folder / f"{level}-{name}.pdf")
            paths[-1].write_bytes(press.seal(page(level), stamp).data)
    resaved = io.BytesIO()
    with pikepdf.open(io.BytesIO(page("a-2b"))) as document:
        document.save(resaved)
    paths.append(folder / "pikepdf.pdf")
    paths[-1].write_bytes(press.seal(resaved.getvalue(), STAMPS["visible"]).data)
    return paths


@pytest.mark.conformance
def test_verapdf_passes_every_level(sealed: list[Path]) -> None:
    VeraPdf().assert_conform(sealed)


@pytest.mark.conformance
def test_pdfsig_says_valid_and_total(sealed: list[Path], require_tool: Callable[[str], str]) -> None:
    pdfsig = require_tool("pdfsig")
    for path in sealed:
        said = subprocess.run(
            [pdfsig, "-nocert", str(path)], capture_output=True, text=True, check=True
        ).stdout
        assert "Signature is Valid." in said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said
        assert "演示" in said


@pytest.mark.conformance
def test_qpdf_finds_no_fault(sealed: list[Path], require_tool: Callable[[str], str]) -> None:
    qpdf = require_tool("qpdf")
    for path in sealed:
        subprocess.run([qpdf, "--check", str(path)], check=True, capture_output=True)


@pytest.mark.conformance
def test_openssl_verifies_the_detached_seal(
    press: Press, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    openssl = require_tool("openssl")
    manifest = '{"manifest": "清单"}'.encode()
    (tmp_path / "manifest.json").write_bytes(manifest)
    (tmp_path / "manifest.p7s").write_bytes(press.service.perform_detached(press.order(), manifest).data)
    command = [openssl, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "manifest.p7s"]
    command += ["-content", "manifest.json", "-CAfile", str(press.pki.folder / "root.pem"), "-purpose", "any"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "manifest.json").write_bytes(manifest + b"\n")
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0


def test_pyhankos_own_validation_agrees(press: Press, sealed: list[Path]) -> None:
    _, _, root = pem.unarmor((press.pki.folder / "root.pem").read_bytes())
    for path in sealed:
        context = ValidationContext(
            trust_roots=[x509.Certificate.load(root)], moment=press.clock.now(), allow_fetching=False
        )
        reader = PdfFileReader(io.BytesIO(path.read_bytes()))
        (signature,) = reader.embedded_regular_signatures
        status = asyncio.run(async_validate_pdf_signature(signature, signer_validation_context=context))
        assert status.bottom_line
        assert status.timestamp_validity is not None
        assert status.timestamp_validity.valid
        assert status.timestamp_validity.trusted
        assert status.docmdp_ok
        assert status.coverage.name == "ENTIRE_FILE"
