# SPDX-License-Identifier: Apache-2.0
"""Foreign programs accept our annotated copies, and find no bare original in them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest
from copy_desk import Desk
from fakes import HandClock
from license_house import URL, House
from license_library import BUSINESS, FACES, GROUNDS, MANAGER, SUPERVISOR
from verapdf import VeraPdf

from documents.codes import LIMITS, read_codes
from documents.sandbox import Sandbox
from documents.typesetting import Typesetter
from licenses.copies.models import LicenseCopy
from seals import demo_pki
from seals.keys import FileKeyStore
from storage.clock import SystemClock
from storage.identity import AccessBasis, Basis

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose authority goes by the real clock, because the foreign judges look at theirs."""
    folder = tmp_path_factory.mktemp("desk")
    clock = HandClock(SystemClock().now())
    keys = FileKeyStore(folder / "keys")
    pki = demo_pki.create(folder / "pki", keys, clock, [("scjg", "演示市市场监督管理局")])
    made = Desk(House(folder / "house", pki, Typesetter(), clock))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def copies(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A copy for a case, one of several pages, and one of an ended licence for supervision."""
    folder = tmp_path_factory.mktemp("copies")
    scope = "食品销售；" * 390
    found = {"case": desk.made()}
    short = desk.licence
    long = desk.house.library.reserve(BUSINESS, number="NLONG", face=FACES[BUSINESS] | {"scope": scope})
    desk.house.work()
    desk.licence = long
    found["pages"] = desk.made()
    desk.licence = short
    desk.revoke()
    basis = AccessBasis(Basis.SUPERVISION, purpose="inspect")
    found["ended"] = desk.made(SUPERVISOR.on(basis))
    for name, copy in found.items():
        (folder / f"{name}.pdf").write_bytes(desk.data(copy))
    return {name: folder / f"{name}.pdf" for name in found}


def test_verapdf_passes_every_copy(copies: dict[str, Path]) -> None:
    judge = VeraPdf()
    judge.assert_conform([*copies.values()])
    assert {one.profile for one in judge.judge([*copies.values()]).values()} == {
        "PDF/A-3B validation profile"
    }


def test_pdfsig_finds_one_seal_and_it_is_valid(
    copies: dict[str, Path], require_tool: Callable[[str], str]
) -> None:
    for path in copies.values():
        said = subprocess.run(
            [require_tool("pdfsig"), "-nocert", str(path)], capture_output=True, text=True, check=True
        ).stdout
        assert said.count("Signature Validation: Signature is Valid.") == 1
        assert "Signature #2" not in said
        assert "Total document signed" in said


def test_pdfdetach_gives_the_metadata_and_no_bare_original(
    desk: Desk, copies: dict[str, Path], tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    pdfdetach = require_tool("pdfdetach")
    subprocess.run([pdfdetach, "-saveall", "-o", str(tmp_path), str(copies["case"])], check=True)
    assert {one.name for one in tmp_path.iterdir()} == {"metadata.json", "metadata.xml"}
    stated = json.loads((tmp_path / "metadata.json").read_bytes())
    assert stated["original"]["sha256"] == desk.licence.object_sha256


def test_qpdf_finds_no_fault(copies: dict[str, Path], require_tool: Callable[[str], str]) -> None:
    for path in copies.values():
        subprocess.run([require_tool("qpdf"), "--check", str(path)], check=True, capture_output=True)


def test_the_code_on_each_page_is_read_as_a_camera_would_read_it(
    desk: Desk, copies: dict[str, Path], tmp_path: Path
) -> None:
    with desk.database.reading() as uow:
        codes = {f"{URL}/v/{copy.code}" for copy in uow.session.query(LicenseCopy)}
    for name, path in copies.items():
        with pypdfium2.PdfDocument(path) as printed:
            for number, page in enumerate(printed):
                photo = tmp_path / f"{name}-{number}.png"
                page.render(scale=2.5).to_pil().save(photo)
                assert len(codes & set(read_codes(photo, Sandbox(LIMITS)))) == 1, photo.name


def test_each_page_of_a_copy_of_an_ended_licence_says_so(
    copies: dict[str, Path], require_tool: Callable[[str], str]
) -> None:
    said = subprocess.run(
        [require_tool("pdftotext"), "-layout", str(copies["ended"]), "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "制作时证照状态：已吊销" in said
    assert GROUNDS.reason not in said, "why it ended is nobody's business here"
    assert MANAGER.id not in said
