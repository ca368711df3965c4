# SPDX-License-Identifier: Apache-2.0
"""What strangers fetch: the signed directory and status list; and the information check by the interface."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from license_library import COMPANY, FOOD, GROUNDS, WORKER, license_data
from press import DEPARTMENTS
from sqlalchemy import select

from cases.services import Announcement
from licenses.events import new_event
from licenses.lifecycle import EventKind
from licenses.models import License, LicenseUsage
from licenses.published import read_directory
from licenses.status_list import ListedStatus, read_list
from portal.errors import DirectoryUnreachableError, OfflineFolderError
from portal.offline import KEYS, fetch_folder, read_folder
from portal.sharing.addresses import Reach
from portal.sharing.fetching import HttpFetcher
from portal.web.schemas import INFORMATION_EXAMPLE
from seals import demo_pki
from seals.keys import FileKeyStore
from storage.clock import rfc3339

from .conftest import House, make_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    made = make_house(folder)
    demo_pki.create(folder / "pki", FileKeyStore(folder / "keys" / "seals"), made.clock, DEPARTMENTS)
    yield made
    made.rooms.database.close()


@pytest.fixture(scope="module")
def licence(house: House) -> License:
    rooms, now, data = house.rooms, house.clock.now(), license_data(FOOD)
    with rooms.database.writing() as uow:
        announced = Announcement("ycsl", "C-1", "339999010002", "2026-03", *COMPANY, "scjg", now, now)
        case = rooms.cases.announce(uow, WORKER, announced)[0]
        item = rooms.items.get(case.item_code, case.item_edition)
        holder = rooms.cases.holder(uow, case)
        made = rooms.licenses.reserve(uow, WORKER, case, item, holder, data)
        made.issued_at, made.object_sha256, made.seal_id = now, "ab" * 32, "seal"
        uow.session.add(new_event(uow, WORKER, made, (), EventKind.ISSUED, GROUNDS))
    house.clock.advance(61)
    return made


def get(house: House, path: str, **headers: str) -> Any:
    return house.app.test_client().get(path, headers=headers)


def test_the_directory_verifies_with_the_published_keys(house: House) -> None:
    answer = get(house, "/api/v1/directory")
    assert (answer.status_code, answer.mimetype) == (200, "application/jose")
    found = read_directory(answer.text, house.rooms.keys.jwks)
    assert {one.uscc for one in house.rooms.items.departments} == set(found.issuers)
    assert {kind.code for kind in house.rooms.license_types.all()} == set(found.types)
    assert found.ca_pem.startswith(b"-----BEGIN CERTIFICATE-----")
    assert b"X509 CRL" in found.ca_pem


@pytest.mark.parametrize("path", ["/api/v1/directory", "/api/v1/status-lists/licences"])
def test_a_copy_that_is_new_enough_is_answered_with_304(house: House, licence: License, path: str) -> None:
    first = get(house, path)
    assert "max-age=" in first.headers["Cache-Control"]
    again = get(house, path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = get(house, path, **{"If-None-Match": '"other"'})
    assert (other.status_code, other.text) == (200, first.text)


def test_the_status_list_has_the_licence_now_and_not_before(house: House, licence: License) -> None:
    keys = house.rooms.keys.jwks
    now = read_list(get(house, "/api/v1/status-lists/licences").text, keys)
    assert now.of(licence.status_index or 0) is ListedStatus.VALID
    earlier = int((house.clock.now() - dt.timedelta(days=1)).timestamp())
    before = read_list(get(house, f"/api/v1/status-lists/licences?time={earlier}").text, keys)
    assert (before.of(0), int(before.at.timestamp())) == (None, earlier // 60 * 60)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("time=99999999999", 422, "invalid-input"),
        ("time=x", 422, "invalid-input"),
        ("time=-1", 422, "invalid-input"),
        ("when=1", 422, "invalid-input"),
        ("time=4102444800", 422, "time-ahead"),
    ],
)
def test_an_instant_that_cannot_be_asked_about_is_refused(
    house: House, query: str, status: int, code: str
) -> None:
    answer = get(house, f"/api/v1/status-lists/licences?{query}")
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_earlier_lists_count_against_a_strangers_allowance_and_are_made_once(house: House) -> None:
    earlier = int((house.clock.now() - dt.timedelta(days=2)).timestamp()) // 60 * 60
    first, same = (get(house, f"/api/v1/status-lists/licences?time={earlier + more}") for more in (0, 59))
    assert first.text == same.text
    asked = [get(house, f"/api/v1/status-lists/licences?time={earlier}").status_code for _ in range(100)]
    assert asked[-1] == 429
    assert get(house, "/api/v1/status-lists/licences").status_code == 200
    house.clock.advance(61)


def test_statements_are_checked_without_a_key(house: House, licence: License) -> None:
    right = {
        "identifier": licence.identifier,
        "holder_scheme": COMPANY[0],
        "holder_code": COMPANY[1],
        "number": licence.number,
    }
    body = {"licences": [right, right | {"number": "X"}, {"number": "X"}]}
    answer = house.app.test_client().post("/api/v1/verifications/information", json=body)
    assert answer.status_code == 200
    assert [one["code"] for one in answer.json["checks"]] == [0, 6, 4]
    assert answer.json["checks"][1]["items"] == ["number"]
    assert COMPANY[1] not in answer.text


def test_a_check_may_state_a_published_purpose_which_its_holder_sees(house: House, licence: License) -> None:
    right = {"identifier": licence.identifier, "holder_scheme": COMPANY[0], "holder_code": COMPANY[1]}
    client = house.app.test_client()
    body = {"licences": [right], "purpose": "examine"}
    assert client.post("/api/v1/verifications/information", json=body).status_code == 200
    refused = client.post("/api/v1/verifications/information", json=body | {"purpose": "because"})
    assert (refused.status_code, refused.json["code"]) == (422, "invalid-input")
    assert "because" not in refused.text
    with house.rooms.database.reading() as uow:
        stated = uow.session.scalars(select(LicenseUsage.purpose).where(LicenseUsage.purpose.is_not(None)))
        assert stated.all() == ["examine"]


def test_each_statement_counts_against_a_strangers_allowance(house: House) -> None:
    body = {"licences": INFORMATION_EXAMPLE["licences"] * 100}
    answer = house.app.test_client().post("/api/v1/verifications/information", json=body)
    assert answer.json["code"] == "rate-limited"
    house.clock.advance(61)


def test_a_folder_is_saved_checked_and_brought_up_to_date_by_who_signed_it(
    house: House, licence: License, tmp_path: Path
) -> None:
    def fetch(address: str) -> bytes:
        answer = get(house, address.removeprefix("https://cunzheng.invalid"))
        return bytes(answer.data)

    folder = tmp_path / "folder"
    saved = fetch_folder(folder, "https://cunzheng.invalid/", fetch)
    assert read_folder(folder) == saved
    assert (
        fetch_folder(folder, "https://cunzheng.invalid", fetch).directory.version == saved.directory.version
    )
    (folder / KEYS).write_text('{"keys": []}')
    with pytest.raises(OfflineFolderError):
        read_folder(folder)
    with pytest.raises(OfflineFolderError):
        fetch_folder(folder, "https://cunzheng.invalid", fetch)


@pytest.mark.parametrize("address", ["http://cunzheng.invalid", "file:///etc", "cunzheng.invalid", "https:"])
def test_a_directory_is_fetched_over_tls_only(address: str, tmp_path: Path) -> None:
    with pytest.raises(DirectoryUnreachableError):
        fetch_folder(tmp_path / "folder", address, HttpFetcher(Reach(production=False)).fetch)
    assert not (tmp_path / "folder").exists()


def test_an_incomplete_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OfflineFolderError) as refused:
        read_folder(tmp_path)
    assert refused.value.facts == {"file": KEYS}


def test_an_instant_is_written_as_the_ledger_writes_it(house: House) -> None:
    found = read_directory(get(house, "/api/v1/directory").text, house.rooms.keys.jwks)
    assert rfc3339(found.at).endswith(":00:00.000000Z")
