# SPDX-License-Identifier: Apache-2.0
"""The interface for cases and filings, called as another system calls it."""

import copy
import hashlib
import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from archive.submission import MAX_MATERIALS
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role

from .conftest import House

PATH = "/api/v1/cases/ycsl/YC-2026-000140"


def _put(house: House, body: dict[str, Any], key: str, path: str = PATH) -> Any:
    return house.app.test_client().put(path, json=body, headers={"Authorization": f"Bearer {key}"})


def test_announcing_twice_creates_once(house: House) -> None:
    key = house.client_key("announce", "read")
    first = _put(house, CASE_EXAMPLE, key)
    assert (first.status_code, first.json["state"]) == (201, "open")
    again = _put(house, CASE_EXAMPLE, key)
    assert (again.status_code, again.json["id"]) == (200, first.json["id"])


def test_another_holder_is_a_conflict_that_names_the_field(house: House) -> None:
    key = house.client_key("announce")
    _put(house, CASE_EXAMPLE, key)
    other = copy.deepcopy(CASE_EXAMPLE)
    other["holder"] = {"scheme": "111", "code": "339999190001010012", "name": "演示甲"}
    answer = _put(house, other, key)
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "case-conflict"
    assert "holder" in answer.json["facts"]["fields"]


@pytest.mark.parametrize("role", [Role.ARCHIVIST, Role.CLERK])
def test_no_person_announces_a_case(house: House, role: Role) -> None:
    answer = house.browser(role).put(PATH, json=CASE_EXAMPLE)
    assert answer.status_code == 403
    assert answer.json["code"] == "not-permitted"
    assert house.acts()[-1] == "access.refused"


def test_closing_is_reported_once_and_for_all(house: House) -> None:
    key = house.client_key("announce")
    _put(house, CASE_EXAMPLE, key)
    closed = CASE_EXAMPLE | {"closed_at": "2026-11-23T09:00:00+08:00"}
    assert _put(house, closed, key).json["state"] == "closed"
    assert _put(house, closed, key).status_code == 200
    assert _put(house, CASE_EXAMPLE, key).status_code == 409


def test_a_case_shows_its_holder_masked(house: House) -> None:
    key = house.client_key("announce", "read")
    body = CASE_EXAMPLE | {"holder": {"scheme": "111", "code": "339999190001010012", "name": "演示甲"}}
    _put(house, body, key)
    shown = house.app.test_client().get(PATH, headers={"Authorization": f"Bearer {key}"})
    assert shown.status_code == 200
    assert "339999190001010012" not in shown.text
    assert "演示甲" not in shown.text


def test_a_case_of_another_source_looks_like_none(house: House) -> None:
    key = house.client_key("announce", "read")
    headers = {"Authorization": f"Bearer {key}"}
    forbidden = _put(house, CASE_EXAMPLE, key, "/api/v1/cases/other/1")
    assert forbidden.status_code == 403
    assert house.app.test_client().get("/api/v1/cases/other/1", headers=headers).status_code == 404


def test_the_list_goes_on_where_the_page_ended(house: House) -> None:
    key = house.client_key("announce", "read")
    for number in range(5):
        assert _put(house, CASE_EXAMPLE, key, f"/api/v1/cases/ycsl/N-{number}").status_code == 201
        house.clock.advance(1)
    browser, headers = house.app.test_client(), {"Authorization": f"Bearer {key}"}
    seen, after = [], ""
    while after is not None:
        page = browser.get(
            f"/api/v1/cases?limit=2&after={after}" if after else "/api/v1/cases?limit=2", headers=headers
        )
        seen += [case["number"] for case in page.json["cases"]]
        after = page.json["next"]
    assert seen == [f"N-{number}" for number in range(5)]


@pytest.mark.parametrize(
    "change",
    [
        {"accepted_at": "2026-11-20T09:00:00"},
        {"accepted_at": 1732000000},
        {"organisation": ""},
        {"holder": {"scheme": "001", "code": "91339999MADEM0012X", "name": "演示"}},
        {"item": {"code": "339999010002"}},
        {"339999190001010012": "x"},
        {"holder": {"scheme": "001", "code": "91339999MADEM0011X", "name": "a\nb"}},
    ],
)
def test_malformed_input_is_refused_and_never_comes_back(house: House, change: dict[str, Any]) -> None:
    answer = _put(house, CASE_EXAMPLE | change, house.client_key("announce"))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    for secret in ("339999190001010012", "91339999MADEM0012X", "演示食品"):
        assert secret not in answer.text


def test_what_is_no_json_is_refused(house: House) -> None:
    headers = {
        "Authorization": f"Bearer {house.client_key('announce')}",
        "Content-Type": "application/json",
    }
    browser = house.app.test_client()
    assert browser.put(PATH, data=b"{", headers=headers).status_code == 400
    assert browser.put(PATH, data=b"\xff", headers=headers).status_code == 400
    assert browser.put(PATH, data=b"[]", headers=headers).status_code == 422


def test_calls_without_a_valid_key_are_counted_not_recorded(house: House) -> None:
    browser = house.app.test_client()
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic eDp5"}):
        answer = browser.put(PATH, json=CASE_EXAMPLE, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert browser.get("/healthz").json["counts"]["authentication-failed"] == 2


def test_a_key_ends(house: House) -> None:
    key = house.client_key("announce")
    house.clock.advance(31 * 24 * 3600)
    assert _put(house, CASE_EXAMPLE, key).status_code == 401


def test_an_operator_must_be_registered(house: House) -> None:
    key = house.client_key("announce")
    headers = {"Authorization": f"Bearer {key}", "Access-Operator": "op-2"}
    assert house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers=headers).status_code == 401


def test_a_scope_that_is_missing_is_refused_and_recorded(house: House) -> None:
    answer = _put(house, CASE_EXAMPLE, house.client_key("read"))
    assert answer.status_code == 403
    assert house.acts() == ["client.added", "grant.added", "access.refused"]


def submission(contents: dict[str, bytes]) -> dict[str, Any]:
    """Make the metadata of a filing of the example case with these files."""
    return {
        "source": "ycsl",
        "number": "YC-2026-000140",
        "item": CASE_EXAMPLE["item"],
        "holder": CASE_EXAMPLE["holder"],
        "organisation": "scjg",
        "accepted_at": "2026-11-20T09:00:00+08:00",
        "decided_at": "2026-11-22T09:00:00+08:00",
        "closed_at": "2026-11-23T09:00:00+08:00",
        "result": "refused",
        "materials": [
            {
                "part": name,
                "code": name,
                "name": name,
                "group": "application",
                "file_name": f"{name}.pdf",
                "media_type": "application/pdf",
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            for name, data in contents.items()
        ],
    }


def send(
    browser: FlaskClient,
    key: str,
    metadata: dict[str, Any],
    contents: dict[str, bytes],
    to: str = "filings",
) -> Any:
    """File a case as the acceptance system does."""
    parts: dict[str, Any] = {
        name: (io.BytesIO(data), f"{name}.pdf", "application/pdf") for name, data in contents.items()
    }
    parts["metadata"] = (io.BytesIO(json.dumps(metadata).encode()), "case.json", "application/json")
    return browser.post(
        f"{PATH}/{to}",
        data=parts,
        content_type="multipart/form-data",
        headers={"Authorization": f"Bearer {key}"},
    )


def test_a_filing_gives_a_receipt_and_the_same_one_again(house: House) -> None:
    contents = {"application-form": b"%PDF-1.7 one", "decision": b"%PDF-1.7 two"}
    key, browser = house.client_key("file"), house.app.test_client()
    first = send(browser, key, submission(contents), contents)
    assert first.status_code == 202
    receipt = first.json
    assert [one["sha256"] for one in receipt["materials"]] == [
        hashlib.sha256(data).hexdigest() for data in contents.values()
    ]
    assert len(receipt["promise"]["core_sha256"]) == 64
    again = send(browser, key, submission(contents), contents)
    assert (again.status_code, again.data) == (200, first.data)


def test_other_content_is_a_conflict_that_names_the_difference(house: House) -> None:
    contents = {"application-form": b"%PDF-1.7 one", "decision": b"%PDF-1.7 two"}
    key, browser = house.client_key("file"), house.app.test_client()
    send(browser, key, submission(contents), contents)
    other = contents | {"decision": b"%PDF-1.7 three"}
    answer = send(browser, key, submission(other), other)
    assert answer.status_code == 409
    assert answer.json["difference"]["changed"] == ["decision"]


def test_what_is_not_filed_yet_takes_no_supplement(house: House) -> None:
    contents = {"application-form": b"%PDF-1.7 one"}
    key, browser = house.client_key("file"), house.app.test_client()
    answer = send(browser, key, submission(contents), contents, "supplements")
    assert (answer.status_code, answer.json["code"]) == (409, "supplement-too-early")
    send(browser, key, submission(contents), contents)
    further = {"decision": b"%PDF-1.7 two"}
    answer = send(browser, key, submission(further), further, "supplements")
    assert (answer.status_code, answer.json["code"]) == (409, "supplement-too-early")
    stranger = house.client_key("ask")
    assert send(browser, stranger, submission(further), further, "supplements").status_code == 403
    assert house.acts().count("filing.received") == 1


def test_a_file_that_nobody_listed_is_refused(house: House) -> None:
    contents = {"application-form": b"%PDF-1.7 one"}
    answer = send(
        house.app.test_client(), house.client_key("file"), submission(contents), contents | {"more": b"x"}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "filing-incomplete")


def test_classified_material_is_refused_recorded_and_not_kept(house: House) -> None:
    contents = {"application-form": b"%PDF-1.7 secret"}
    metadata = submission(contents) | {"secrecy": "机密"}
    answer = send(house.app.test_client(), house.client_key("file"), metadata, contents)
    assert (answer.status_code, answer.json["code"]) == (422, "classified-material")
    assert house.acts() == ["client.added", "grant.added", "filing.refused"]
    assert not house.rooms.objects.has(hashlib.sha256(contents["application-form"]).hexdigest())


def test_uploads_leave_nothing_in_staging(house: House) -> None:
    contents = {"application-form": b"%PDF-1.7 one"}
    browser = house.app.test_client()
    send(browser, house.client_key("file"), submission(contents), contents)
    send(browser, "nobody", submission(contents), contents)
    assert list(house.staging.iterdir()) == []


def test_without_an_object_store_a_filing_is_refused_before_its_bytes_are_taken(house: House) -> None:
    incoming = house.staging.parent / "objects" / ".incoming"
    incoming.rmdir()
    incoming.write_bytes(b"")
    contents = {"application-form": b"%PDF-1.7 one"}
    answer = send(house.app.test_client(), house.client_key("file"), submission(contents), contents)
    assert (answer.status_code, answer.json["code"]) == (503, "object-store-unusable")
    assert answer.headers["Retry-After"] == "60"
    # Nothing of the body was read: not even its form was looked at.
    answer = house.app.test_client().post(
        f"{PATH}/filings",
        data=b"no form",
        content_type="multipart/form-data; boundary=x",
        headers={"Authorization": f"Bearer {house.client_key('file')}"},
    )
    assert answer.status_code == 503


def test_a_filing_must_be_multipart(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.client_key('file')}"}
    answer = house.app.test_client().post(f"{PATH}/filings", json={}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported-media")


def test_as_many_materials_as_the_metadata_may_list_come_through(house: House) -> None:
    contents = {f"m-{number}": b"%PDF-1.7 the same" for number in range(MAX_MATERIALS)}
    key, browser = house.client_key("file"), house.app.test_client()
    answer = send(browser, key, submission(contents), contents)
    assert (answer.status_code, len(answer.json["materials"])) == (202, MAX_MATERIALS)
    more = contents | {"m-more": b"%PDF-1.7 the same"}
    answer = send(browser, key, submission(more), more)
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")
