# SPDX-License-Identifier: Apache-2.0
"""What holds for every route: a rule, safe headers, problems that help, two languages, no script."""

import json
import re
from typing import Any

import pytest
from flask import Flask

from portal.readiness import Readiness
from portal.web import factory
from portal.web.access import allow, rule_of
from portal.web.documented import schema_of
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE, CaseBody, ProofBody
from storage.errors import all_errors
from storage.identity import Role

from .conftest import House

PAGES = ["/verify", "/sign-in", "/sign-in/none", "/problems/not-found", "/nothing-here"]


def test_every_view_declares_who_may_call_and_what_it_records(house: House) -> None:
    for endpoint, view in house.app.view_functions.items():
        if endpoint != "static":
            rule = rule_of(view)
            assert rule.open_because or rule.roles or rule.scopes, endpoint
            assert rule.records or rule.unrecorded, endpoint


def test_an_application_with_a_bare_view_does_not_start(house: House) -> None:
    app = factory.create_app(house.rooms, house.app.extensions["cunzheng.settings"])
    app.add_url_rule("/bare", "bare", lambda: "")
    with pytest.raises(LookupError):
        factory._check_rules(app)


def test_a_rule_that_records_nothing_must_say_why() -> None:
    with pytest.raises(TypeError):
        allow(Role.CLERK)
    with pytest.raises(TypeError):
        allow(scopes=("everything",), unrecorded="x")


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_no_script_and_load_nothing_foreign(house: House, path: str) -> None:
    answer = house.app.test_client().get(path)
    assert "<script" not in answer.text
    assert not re.search(r"\son\w+=|style=", answer.text)
    assert not re.search(r'(?:href|src|action)="(?:https?:)?//', answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    for name in ("X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options", "Request-Id"):
        assert name in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_banner_stands_on_every_page_of_the_demonstration(house: House) -> None:
    for path in PAGES:
        assert "演示环境：印章与证照无法律效力" in house.app.test_client().get(path).text


def test_the_language_is_chosen_by_address_and_kept(house: House) -> None:
    browser = house.app.test_client()
    assert 'lang="zh-CN"' in browser.get("/verify").text
    assert 'lang="en"' in browser.get("/verify?lang=en").text
    assert "Check a document" in browser.get("/verify").text
    assert 'lang="zh-CN"' in browser.get("/verify?lang=zh").text
    assert 'data-ui-mode="elder"' in browser.get("/verify?mode=elder").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/v1/nothing", 404),
        ("delete", "/api/v1/cases", 405),
        ("get", "/api/v1/cases", 401),
        ("get", "/api/v1/search", 401),
        ("get", "/api/v1/ledger/checkpoint", 404),
        ("get", "/api/v1/ledger/tile/0/000", 404),
        ("get", "/api/v1/ledger/tile/entries/000", 404),
        ("get", "/api/v1/ledger/receipts/" + "0" * 64, 404),
        ("get", "/api/v1/ledger/receipts/x", 404),
    ],
)
def test_the_interface_answers_with_problem_details(
    house: House, method: str, path: str, status: int
) -> None:
    answer = getattr(house.app.test_client(), method)(path, headers={"Accept-Language": "en"})
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["title"] == problem["title_en"]
    assert problem["correlation"] == answer.headers["Request-Id"]
    if status == 405:
        assert answer.headers["Allow"]
    page = house.app.test_client().get(problem["type"].removeprefix("http://127.0.0.1:8321"))
    assert problem["title_zh"] in page.text


def test_every_error_has_a_page_and_a_code_of_its_own(house: House) -> None:
    browser = house.app.test_client()
    codes = [error.code for error in all_errors()]
    assert len(codes) > 40
    assert {code for code in codes if browser.get(f"/problems/{code}").status_code != 200} == set()


def test_an_unexpected_error_tells_nothing_of_its_text(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Readiness) -> None:
        raise ZeroDivisionError("339999190001010012")

    monkeypatch.setattr(Readiness, "look", fail)
    answer = house.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "339999190001010012" not in answer.text + caplog.text
    assert answer.json["correlation"] in caplog.text


def test_a_role_that_may_not_is_turned_away_and_recorded(house: House) -> None:
    clerk = house.browser(Role.CLERK)
    assert clerk.get("/supervision").status_code == 403
    assert house.acts()[-1] == "access.refused"
    assert house.app.test_client().get("/supervision").headers["Location"] == "/sign-in"


def test_strangers_get_no_entries_and_auditors_do(house: House) -> None:
    path = "/api/v1/ledger/tile/entries/000.p/1"
    stranger = house.app.test_client().get(path)
    key = house.client_key("audit")
    auditor = house.app.test_client().get(path, headers={"Authorization": f"Bearer {key}"})
    assert (stranger.status_code, auditor.status_code) == (404, 404)


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _references(value)]
    return [found for value in part for found in _references(value)] if isinstance(part, list) else []


def _description(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    description: dict[str, Any] = json.loads(answer.data)
    return description


def test_the_description_is_whole(house: House) -> None:
    description = _description(house.app)
    assert description["openapi"].startswith("3.1")
    for reference in set(_references(description)):
        place: Any = description
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    operations = [one for path in description["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for operation in operations:
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert good
        assert all("example" in text or "schema" in text for one in good for text in one["content"].values())
        assert {"400", "401", "403", "404", "409", "413", "415", "422", "429"} <= set(operation["responses"])


def test_the_description_names_every_route_of_the_issue(house: House) -> None:
    described = {
        (method, path) for path, methods in _description(house.app)["paths"].items() for method in methods
    }
    assert described >= {
        ("put", "/api/v1/cases/{source}/{number}"),
        ("post", "/api/v1/cases/{source}/{number}/filings"),
        ("get", "/api/v1/cases/{source}/{number}"),
        ("get", "/api/v1/cases"),
        ("get", "/api/v1/dossiers/{dossier}"),
        ("get", "/api/v1/search"),
        ("get", "/api/v1/licences/{identifier}"),
        ("post", "/api/v1/proofs"),
        ("get", "/api/v1/proofs/{decision_id}"),
        ("post", "/api/v1/verifications"),
        ("get", "/api/v1/ledger/checkpoint"),
        ("get", "/api/v1/ledger/tile/{rest}"),
        ("get", "/api/v1/ledger/receipts/{act}"),
        ("get", "/api/v1/ledger/key"),
        ("get", "/api/v1/trust/ca.pem"),
        ("get", "/.well-known/jwks.json"),
    }


def test_examples_are_what_the_models_take() -> None:
    CaseBody.model_validate(CASE_EXAMPLE)
    ProofBody.model_validate(PROOF_EXAMPLE)


def test_the_schema_of_an_example_has_its_members_and_types() -> None:
    assert schema_of({"a": 1, "b": ["x"], "c": None, "d": True}) == {
        "type": "object",
        "required": ["a", "b", "c", "d"],
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "array", "items": {"type": "string"}},
            "c": {},
            "d": {"type": "boolean"},
        },
    }
