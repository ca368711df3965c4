# SPDX-License-Identifier: Apache-2.0
"""The demonstration's cases are real submissions, their files are whole, and the script fits them."""

import datetime as dt
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tooling import ROOT

from archive.submission import Result, Submission, parse_submission
from cases.identifiers import RESIDENT_ID, check_holder_code
from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.faces import Party, complete_face
from portal.demo.holders import demo_persons
from portal.demo.script import Script

DEMO = ROOT / "portal" / "demo"
SCRIPT: dict[str, Any] = json.loads((DEMO / "script.json").read_bytes())
FOLDERS = sorted(path for path in (DEMO / "cases").iterdir() if (path / "case.json").exists())
ITEMS = ItemCatalogue.load()
OPEN = ("11-food-open", "30-driver-open", "31-food-second-shop")
LIMIT = 15 * 2**20


def read(folder: Path) -> Submission:
    return parse_submission((folder / "case.json").read_bytes())


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_file_is_the_one_that_the_metadata_declare(folder: Path) -> None:
    declared = {one.file_name: (one.size, one.sha256) for one in read(folder).materials}
    found = {
        path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.iterdir()
        if path.name != "case.json"
    }
    assert found == declared


def test_only_the_returned_case_lacks_a_required_material(folder: Path) -> None:
    submission = read(folder)
    item = ITEMS.get(submission.item.code, submission.item.edition)
    assert item.department == submission.organisation
    sent = {one.code: one.group for one in submission.materials}
    assert all(rule is not None and rule.group is sent[rule.code] for rule in map(item.material, sent))
    missing = [rule.code for rule in item.required() if rule.code not in sent]
    assert missing == (["premises"] if folder.name == "03-firm-returned" else [])


def test_times_run_from_acceptance_to_closing(folder: Path) -> None:
    submission = read(folder)
    times = [submission.accepted_at, *(one.at for one in submission.opinions), submission.closed_at]
    assert times == sorted(times)
    assert submission.accepted_at < submission.decided_at < submission.closed_at
    assert submission.closed_at < dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    assert len({one.author for one in submission.opinions}) == len(submission.opinions)


def test_holders_are_synthetic_and_their_codes_right(folder: Path) -> None:
    holder = read(folder).holder
    assert check_holder_code(holder.scheme, holder.code) == (holder.scheme, holder.code)
    assert holder.code.startswith(("91339999MADEM0", "3399991900"))


def test_an_approval_of_a_licensing_item_brings_a_complete_face(folder: Path) -> None:
    submission = read(folder)
    item = ITEMS.get(submission.item.code, submission.item.edition)
    grants = submission.result is Result.APPROVED and item.license_type is not None
    assert grants is (submission.license is not None)
    if submission.license is not None:
        assert submission.license.type == item.license_type
        kind = TypeCatalogue.load().get(submission.license.type)
        holder = Party(submission.holder.scheme, submission.holder.code, submission.holder.name)
        issuer = ITEMS.department(item.department).zh
        assert complete_face(kind, submission.license, holder, issuer)


def test_the_open_case_asks_for_the_holder_of_the_first_licence() -> None:
    announced = json.loads((DEMO / "cases" / "11-food-open" / "announcement.json").read_bytes())
    first = read(DEMO / "cases" / "01-firm-registered")
    assert announced["holder"] == first.holder.model_dump()
    assert "食品" in str(first.license and first.license.face["scope"])


def test_a_person_who_can_sign_in_holds_a_licence_that_an_open_case_asks_for() -> None:
    announced = json.loads((DEMO / "cases" / "30-driver-open" / "announcement.json").read_bytes())
    qualified = read(DEMO / "cases" / "13-driver-qualified")
    assert announced["holder"] == qualified.holder.model_dump()
    assert announced["holder"]["scheme"] == RESIDENT_ID
    (person,) = [one for one in demo_persons(Script.load()) if one.title == qualified.holder.name]
    assert person.claims["identity_code"] == qualified.holder.code


def test_an_open_case_of_the_item_with_every_rung_has_an_approved_one_of_its_holder_before_it() -> None:
    announced = json.loads((DEMO / "cases" / "31-food-second-shop" / "announcement.json").read_bytes())
    ladder = json.loads((DEMO / "cases" / "11-food-open" / "announcement.json").read_bytes())
    earlier = read(DEMO / "cases" / "27-food-bakery")
    assert announced["item"] == ladder["item"] == earlier.item.model_dump()
    assert announced["holder"] == earlier.holder.model_dump()
    assert earlier.result is Result.APPROVED
    assert earlier.closed_at < dt.datetime.fromisoformat(announced["accepted_at"])


def test_there_are_workbooks_a_tiff_of_several_pages_and_photographs_that_lie_on_their_side() -> None:
    kinds = Counter(one.media_type for path in FOLDERS for one in read(path).materials)
    assert kinds["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] >= 3
    with Image.open(DEMO / "cases" / "16-hygiene-test-report" / "卫生检测报告（三页）.tif") as report:
        assert report.n_frames == 3
    photographs = [path for path in DEMO.rglob("*.jpg") if _lies_on_its_side(path)]
    assert len(photographs) >= 5


def _lies_on_its_side(path: Path) -> bool:
    with Image.open(path) as picture:
        return bool(picture.getexif().get(0x0112) == 6)


def test_one_licence_only_was_made_with_the_seal_that_is_revoked() -> None:
    revoked = next(step["seal"] for step in SCRIPT["steps"] if step["action"] == "revoke-seal")
    (seal,) = [seal for seal in SCRIPT["seals"] if seal["key"] == revoked]
    assert seal["document_types"] == ["licence", "copy"]
    hit = [
        path.name
        for path in FOLDERS
        if read(path).license is not None
        and read(path).organisation == seal["department"]
        and read(path).item.code in seal["items"]
    ]
    assert hit == ["06-haulage-seal-revoked"]


def test_the_script_files_every_case_once_and_its_counts_close() -> None:
    steps = SCRIPT["steps"]
    filed = [step["case"] for step in steps if step["action"] == "file"]
    assert sorted(filed) == [path.name for path in FOLDERS]
    assert {entry["case"] for entry in SCRIPT["cases"]} == {*filed, *OPEN}
    expected = {entry["case"]: entry["expect"] for entry in SCRIPT["cases"]}
    states = Counter(expected[name]["state"] for name in filed)
    counts = SCRIPT["counts"]
    assert counts["received"] == len(filed) == states.total()
    assert (counts["filed"], counts["returned"]) == (states["filed"], states["returned"])
    assert counts["original_only"] == sum(len(expected[name]["original_only"]) for name in filed)
    assert counts["licences"] == len({read(path).number for path in FOLDERS if read(path).license})
    known = {
        (name, one.file_name) for path in FOLDERS for name in [path.name] for one in read(path).materials
    }
    for name in filed:
        wanted = expected[name]["original_only"] + expected[name].get("sealed_kept", [])
        assert {(name, file) for file in wanted} <= known


def test_thirty_one_cases_of_eight_items_five_departments_and_six_types_fit_their_space() -> None:
    submissions = [read(path) for path in FOLDERS]
    numbers = {one.number for one in submissions}
    assert len(numbers) + len(OPEN) == 31
    assert len({one.item.code for one in submissions}) == 8
    assert len({one.organisation for one in submissions}) == 5
    assert len({one.license.type for one in submissions if one.license}) == 6
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < LIMIT
