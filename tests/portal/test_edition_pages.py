# SPDX-License-Identifier: Apache-2.0
"""The page of editions: a file is proposed, read side by side by a second person, and decided."""

import io
import json
import re

import pytest
from editions import new_edition, new_numbering
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cases.lint import MOST_BYTES
from portal.accounts.rights import ADMINISTRATORS
from portal.editions.approved import EditionKind
from storage.identity import Role

from .conftest import House, form_token

FOOD = "339999010002"


def send(browser: FlaskClient, data: bytes, reason: str = "新版指南") -> tuple[int, str]:
    field = form_token(browser.get("/editions").text)
    form = {"form_token": field, "reason": reason, "file": (io.BytesIO(data), "edition.json")}
    answer = browser.post("/editions", data=form)
    return answer.status_code, answer.text


def decide(browser: FlaskClient, edition: str, decision: str, reason: str = "已核对") -> tuple[int, str]:
    field = form_token(browser.get("/account").text)
    form = {"form_token": field, "decision": decision, "reason": reason}
    answer = browser.post(f"/editions/{edition}/decision", data=form)
    return answer.status_code, answer.text


def only_one(page: str) -> str:
    (found,) = set(re.findall(r'id="edition-([0-9a-z]{26})"', page))
    return str(found)


def test_on_the_page_one_proposes_another_approves_and_the_third_sees_both(house: House) -> None:
    proposes, decides, audits = (house.browser(role, "office") for role in ADMINISTRATORS)
    assert send(proposes, new_edition(filing_days=7))[0] == 303
    waiting = decides.get("/editions").text
    assert re.search(r"filing_days</code></th><td><del>5</del></td><td><ins>7</ins>", waiting)
    assert "新版指南" in waiting
    edition = only_one(waiting)
    assert "撤回" in proposes.get("/editions").text
    assert "/decision" not in audits.get("/editions").text
    assert decide(decides, edition, "approve")[0] == 303
    seen = audits.get("/editions").text
    assert "2027-01" in seen
    assert "已核对" in seen
    assert house.rooms.items.get(FOOD, "2027-01").filing_days == 7
    assert house.acts()[-2:] == ["edition.proposed", "edition.approved"]


def test_an_approved_item_is_offered_on_other_pages_at_once(house: House) -> None:
    proposes, decides = (house.browser(role, "office") for role in ADMINISTRATORS[:2])
    send(proposes, new_edition(zh="演示新事项名称"))
    assert "演示新事项名称" not in proposes.get("/rights/ask?kind=client-add").text
    decide(decides, only_one(decides.get("/editions").text), "approve")
    assert "演示新事项名称" in proposes.get("/rights/ask?kind=client-add").text


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (b"{", "json"),
        (b" " * (MOST_BYTES + 1), "document-size"),
        (new_edition(department="nobody"), "department-unknown"),
        (new_numbering("{fonds}·{retention}-{serial}"), "template-rule"),
    ],
)
def test_what_the_lint_refuses_comes_back_with_its_findings(house: House, data: bytes, finding: str) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    status, page = send(proposes, data)
    assert (status, "edition-faulty" in page, finding in page) == (422, True, True)
    assert re.search(r'name="reason" [^>]*value="[^"]+"', page), "what was typed is kept"
    assert "edition.proposed" not in house.acts()


def test_a_proposal_without_file_or_reason_is_refused(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    status, page = send(proposes, new_edition(), reason=" ")
    assert (status, "invalid-input" in page) == (422, True)
    field = form_token(proposes.get("/editions").text)
    answer = proposes.post("/editions", data={"form_token": field, "reason": "新版指南"})
    assert (answer.status_code, "invalid-input" in answer.text) == (422, True)


def test_a_file_larger_than_any_form_is_refused_before_it_is_read(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="e.json"\r\n\r\n'
    answer = proposes.post(
        "/editions",
        data=head + b" " * 2_000_000 + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "role", sorted(set(Role) & {Role.CLERK, Role.ARCHIVIST, Role.SUPERVISOR, Role.INSPECTOR})
)
def test_nobody_else_opens_the_page(house: House, role: Role) -> None:
    assert house.browser(role).get("/editions").status_code == 403


def test_who_decides_cannot_propose_and_who_audits_neither(house: House) -> None:
    for role in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
        browser = house.browser(role, "office")
        field = form_token(browser.get("/account").text)
        form = {"form_token": field, "reason": "x", "file": (io.BytesIO(new_edition()), "e.json")}
        assert browser.post("/editions", data=form).status_code == 403


def test_a_decision_that_came_too_late_is_told_on_the_page(house: House) -> None:
    proposes, decides = (house.browser(role, "office") for role in ADMINISTRATORS[:2])
    send(proposes, new_edition())
    edition = only_one(decides.get("/editions").text)
    assert decide(proposes, edition, "withdraw", "有误")[0] == 303
    status, page = decide(decides, edition, "approve")
    assert (status, "edition-closed" in page) == (409, True)
    assert decide(decides, edition, "decorate")[0] == 422
    assert decide(decides, "nothing", "approve")[0] == 404


def test_the_document_is_given_as_a_file(house: House) -> None:
    proposes, audits = house.browser(Role.SYSTEM_ADMIN, "office"), house.browser(Role.AUDIT_ADMIN, "office")
    send(proposes, new_edition(filing_days=7))
    edition = only_one(audits.get("/editions").text)
    answer = audits.get(f"/editions/{edition}/document")
    assert json.loads(answer.data) == json.loads(new_edition(filing_days=7))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="items-2027-01.json"'
    assert house.browser(Role.CLERK).get(f"/editions/{edition}/document").status_code == 403


@pytest.mark.parametrize("kind", list(EditionKind))
def test_what_somebody_begins_with_is_given_as_a_file_that_follows_the_structure(
    house: House, kind: EditionKind
) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    given = {}
    for name in ("shipped", "schema"):
        address = f"/editions/{kind}/{name}"
        assert f'href="{address}"' in proposes.get("/editions").text
        given[name] = proposes.get(address).json
        assert house.browser(Role.CLERK).get(address).status_code == 403
    assert Draft202012Validator(given["schema"]).is_valid(given["shipped"])
    assert proposes.get("/editions/nothing/shipped").status_code == 404


def test_what_a_document_says_is_shown_as_text_and_never_as_a_page(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    send(proposes, new_edition(zh="<script>alert(1)</script>", en='"><img src=x>'))
    page = proposes.get("/editions").text
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;" in page
