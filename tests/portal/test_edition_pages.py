# SPDX-License-Identifier: Apache-2.0
"""The page of editions: a file is proposed, read side by side by a second person, and decided."""

import html
import io
import json
import re

import pytest
from editions import new_edition, new_numbering
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cases.lint import MOST_BYTES
from licenses.rule_edition import read_rules
from licenses.rule_text import read_text
from portal.accounts.rights import ADMINISTRATORS
from portal.editions.approved import EditionKind
from portal.editions.services import EditionService
from storage.database import LedgerClosedError
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


EDITOR = "/editions/rules"


def typed(browser: FlaskClient, text: str, do: str, reason: str = "减证") -> tuple[int, str]:
    form = {"form_token": form_token(browser.get(EDITOR).text), "text": text, "do": do, "reason": reason}
    answer = browser.post(EDITOR, data=form, content_type="multipart/form-data")
    return answer.status_code, answer.text


def written_in(page: str) -> str:
    (found,) = re.findall(r"<textarea [^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    return html.unescape(found)


def drafted(browser: FlaskClient, version: str = "2027-01") -> str:
    """Give the text that the page begins with, as an edition that changes the first rule in force."""
    text = written_in(browser.get(EDITOR).text)
    named = re.sub(r"^version: .*", f"version: {version}", text, count=1)
    return re.sub(r"\n  version: 1\n", "\n  version: 2\n", named, count=1)


def test_the_text_begins_with_the_rules_in_force_each_as_it_is(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    page = proposes.get(EDITOR).text
    assert '<a href="/editions" aria-current="true">' in page, "the rail says where the page belongs"
    begun = read_text(written_in(page).encode())
    assert isinstance(begun, dict)
    assert begun["version"] == "2026-11"
    shipped = house.rooms.rules.all()
    assert {one.digest for one in read_rules(begun)} == {one.digest for one in shipped}
    for one in shipped:
        assert f'href="{EDITOR}?rule={one.body.rule_id}"' in page
        alone = read_text(written_in(proposes.get(f"{EDITOR}?rule={one.body.rule_id}").text).encode())
        assert isinstance(alone, dict)
        assert [each.digest for each in read_rules(alone)] == [one.digest]


def test_what_was_approved_is_what_the_next_text_begins_with(house: House) -> None:
    proposes, decides = (house.browser(role, "office") for role in ADMINISTRATORS[:2])
    text = drafted(proposes)
    assert typed(proposes, text, "propose")[0] == 303
    assert written_in(proposes.get(EDITOR).text) != text
    decide(decides, only_one(decides.get("/editions").text), "approve")
    assert written_in(proposes.get(EDITOR).text) == text


def test_checking_proposes_nothing_shows_the_difference_and_keeps_every_word(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    text = drafted(proposes) + "# 说明：<b>草稿</b> & 附注\n"
    assert 'value="propose"' not in proposes.get(EDITOR).text, "what nobody checked is not offered"
    status, page = typed(proposes, text.replace("\n", "\r\n"), "check", "减证 <1>")
    assert (status, written_in(page)) == (200, text)
    assert "没有提交任何内容" in page
    assert re.search(r"<th scope=\"row\"><code>legal_basis</code>", page) is None
    assert "339999010002-proofs v2" in page
    assert 'value="propose"' in page
    assert 'value="减证 &lt;1&gt;"' in page
    assert "edition.proposed" not in house.acts()
    assert typed(proposes, text, "propose")[0] == 303
    assert house.acts()[-1] == "edition.proposed"


@pytest.mark.parametrize("do", ["check", "propose", "dance", ""])
def test_a_text_with_errors_comes_back_word_by_word_and_is_not_offered(house: House, do: str) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    text = drafted(proposes).replace("material: premises", "material: nothing", 1)
    status, page = typed(proposes, text, do, "减证理由")
    assert status == (422 if do == "propose" else 200)
    assert (written_in(page), "material-unknown" in page) == (text, True)
    assert re.search(r"第 \d+ 行", page), "where it stands in what was typed"
    assert 'value="propose"' not in page
    assert 'name="reason" value="减证理由"' in page, "and so does the reason"
    assert "edition.proposed" not in house.acts()


def test_a_text_without_a_reason_comes_back_and_can_be_sent_again(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    text = drafted(proposes)
    status, page = typed(proposes, text, "propose", " ")
    assert (status, written_in(page), "invalid-input" in page) == (422, text, True)
    assert 'value="propose"' in page


def test_a_text_comes_back_while_nothing_can_be_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    text = drafted(proposes)

    def away(*_: object) -> None:
        raise LedgerClosedError

    monkeypatch.setattr(EditionService, "propose", away)
    field = form_token(proposes.get(EDITOR).text)
    form = {"form_token": field, "text": text, "do": "propose", "reason": "减证"}
    answer = proposes.post(EDITOR, data=form)
    assert (answer.status_code, written_in(answer.text)) == (503, text)
    assert answer.headers["Retry-After"]


def test_the_text_is_for_who_proposes(house: House) -> None:
    for role in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.CLERK):
        assert house.browser(role, "office").get(EDITOR).status_code == 403


def test_a_file_is_checked_without_being_proposed(house: House) -> None:
    proposes = house.browser(Role.SYSTEM_ADMIN, "office")
    rules = drafted(proposes)
    field = form_token(proposes.get("/editions").text)
    pages = {}
    for name, data in (("items", new_edition(filing_days=7)), ("rules", rules.encode()), ("faulty", b"{")):
        form = {"form_token": field, "reason": "理由", "do": "check", "file": (io.BytesIO(data), "e.json")}
        answer = proposes.post("/editions", data=form)
        assert answer.status_code == 200
        pages[name] = answer.text
    assert re.search(r"filing_days</code></th><td><del>5</del></td><td><ins>7</ins>", pages["items"])
    assert 'value="理由"' in pages["items"]
    assert written_in(pages["rules"]) == rules, "a file of rules goes on as text"
    assert "<code>json</code>" in pages["faulty"]
    assert "edition.proposed" not in house.acts()


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
