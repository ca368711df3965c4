# SPDX-License-Identifier: Apache-2.0
"""An issued licence and an annotated copy of it, each judged by four programs that we did not write."""

import hashlib
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from copy_desk import Desk
from fakes import HandClock
from license_house import URL, House
from verapdf import VeraPdf

from documents.typesetting import Typesetter
from licenses.copies.models import LicenseCopy
from seals import demo_pki
from seals.keys import FileKeyStore
from storage.clock import SystemClock

pytestmark = pytest.mark.conformance


@dataclass(frozen=True)
class Issued:
    """A licence and a copy of it, as files."""

    desk: Desk
    copy: LicenseCopy
    licence_file: Path
    copy_file: Path


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issued]:
    """The foreign judges look at the real clock, so the authority goes by it."""
    folder = tmp_path_factory.mktemp("issued")
    clock = HandClock(SystemClock().now())
    pki = demo_pki.create(
        folder / "pki", FileKeyStore(folder / "keys"), clock, [("scjg", "演示市市场监督管理局")]
    )
    desk = Desk(House(folder / "house", pki, Typesetter(), clock))
    copy = desk.made()
    licence_file, copy_file = folder / "licence.pdf", folder / "copy.pdf"
    licence_file.write_bytes(desk.house.objects.read(str(desk.licence.object_sha256)))
    copy_file.write_bytes(desk.data(copy))
    yield Issued(desk, copy, licence_file, copy_file)
    desk.database.close()


def says(*command: str | Path) -> str:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


def stated_in(path: Path, folder: Path, pdfdetach: str) -> dict[str, str]:
    """Give the GB/T 36903 items that a file carries, taken out by a foreign program."""
    folder.mkdir()
    says(pdfdetach, "-saveall", "-o", folder, path)
    root = ElementTree.fromstring((folder / "metadata.xml").read_bytes())
    return {str(one.get("Name")): str(one.text) for one in root.iter("CustomData")}


def codes_in(path: Path, folder: Path, pdftocairo: str, zbarimg: str) -> list[set[str]]:
    """Give what the codes of each page say, drawn and read by foreign programs."""
    folder.mkdir()
    says(pdftocairo, "-png", "-r", "150", path, folder / "page")
    pages = sorted(folder.glob("page*.png"))
    return [set(says(zbarimg, "-q", "--raw", "-Sdisable", "-Sqrcode.enable", page).split()) for page in pages]


def test_four_foreign_programs_accept_a_licence_and_its_copy(
    issued: Issued, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    licence, copy = issued.desk.licence, issued.copy
    pdfsig, pdfdetach, pdftocairo, zbarimg = map(
        require_tool, ("pdfsig", "pdfdetach", "pdftocairo", "zbarimg")
    )

    own = {f"{URL}/v/{licence.code}"}
    judged = VeraPdf().judge([issued.licence_file, issued.copy_file])
    for path, code in ((issued.licence_file, licence.code), (issued.copy_file, copy.code)):
        assert (judged[path].passed, judged[path].profile) == (True, "PDF/A-3B validation profile")

        seals = says(pdfsig, "-nocert", path)
        assert seals.count("Signature Validation: Signature is Valid.") == 1
        assert "Signature #2" not in seals
        assert "Total document signed" in seals

        pages = codes_in(path, tmp_path / f"{path.stem}-pages", pdftocairo, zbarimg)
        # A copy shows the licence's page with the licence's own code under its own.
        assert pages
        assert all({f"{URL}/v/{code}"} <= page <= own | {f"{URL}/v/{code}"} for page in pages)

        stated = stated_in(path, tmp_path / f"{path.stem}-stated", pdfdetach)
        assert stated["ZZBS"] == licence.identifier
        assert stated["ZZBH"] == licence.number
        assert {one for one in stated if one.startswith("JZJ")} == (
            {"JZJZZSJ", "JZJZZZ", "JZJZZSY", "JZJYXQJZSJ"} if path == issued.copy_file else set()
        )


def test_the_judges_would_refuse_what_was_changed(
    issued: Issued, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    changed = tmp_path / "changed.pdf"
    data = bytearray(issued.copy_file.read_bytes())
    data[len(data) // 3] ^= 1
    changed.write_bytes(data)
    assert hashlib.sha256(data).hexdigest() != issued.copy.object_sha256
    assert "Signature is Valid." not in says(require_tool("pdfsig"), "-nocert", changed)
