# SPDX-License-Identifier: Apache-2.0
"""An official's identity document is registered by two persons, as a keyed hash and never as a number."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from kin import OFFICIAL, SPOUSE
from sqlalchemy import select

from cases.errors import HolderCodeError
from portal.accounts.changes import RightChanges
from portal.accounts.documents import coverage
from portal.accounts.errors import (
    AccountDocumentMissingError,
    AccountUnknownError,
    ChangeClosedError,
    SecondPersonError,
)
from portal.accounts.models import Account, AccountDocument, RightChange
from portal.accounts.rights import ADMINISTRATORS, end_account
from portal.forgetting import ForgetWatch
from storage.errors import CunzhengError, InvalidInputError, NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.models import LedgerAct

from .conftest import ADMINISTRATOR, House, form_token, run
from .test_rights import approve, person

CODE = OFFICIAL[1]


@pytest.fixture
def system(house: House) -> Identity:
    return person(house, Role.SYSTEM_ADMIN)


@pytest.fixture
def security(house: House) -> Identity:
    return person(house, Role.SECURITY_ADMIN)


@pytest.fixture
def clerk(house: House) -> Identity:
    return person(house, Role.CLERK, organisation="scjg")


def state(
    house: House, who: Identity, account: str, scheme: str = OFFICIAL[0], code: str = CODE
) -> RightChange:
    rights = RightChanges()
    return house.rooms.database.write(
        lambda uow: rights.state_document(uow, who, account, scheme, code, "入职登记")
    )


def end(house: House, who: Identity, account: str) -> RightChange:
    return house.rooms.database.write(lambda uow: RightChanges().end_document(uow, who, account, "调离"))


def kept(house: House, account: str) -> tuple[str | None, bytes | None] | None:
    with house.rooms.database.reading() as uow:
        row = uow.session.get(AccountDocument, account)
        return None if row is None else (row.scheme, row.code_hash)


def waiting(house: House, change: str) -> tuple[str, str | None, bool]:
    """Give how far a request is, who decided, and whether it holds a document."""
    with house.rooms.database.reading() as uow:
        row = uow.session.get_one(RightChange, change)
        return row.state, row.decided_by, row.document_cipher is not None


def last_rows(house: House) -> list[tuple[str, bytes | None]]:
    """Give state and document of the rows that the newest act of a request holds."""
    with house.rooms.database.reading() as uow:
        acts = select(LedgerAct).where(LedgerAct.object_type == "right-change")
        act = uow.session.scalars(acts.order_by(LedgerAct.recorded_at.desc())).first()
        assert act is not None
        rows = json.loads(uow.secrets.decrypt(act.detail))["rows"]
    return [(row["values"]["state"], row["values"]["document_cipher"]) for row in rows]


def hashed(house: House, scheme: str, code: str) -> bytes:
    with house.rooms.database.reading() as uow:
        return uow.secrets.lookup_hash(scheme, code)


def test_two_persons_register_the_hash_by_which_holders_are_found(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    change = state(house, system, clerk.id, code=f" {CODE.lower()} ")
    assert kept(house, clerk.id) is None, "nothing is kept before the second person approves"
    approve(house, security, change.id)
    assert kept(house, clerk.id) == ("111", hashed(house, "111", CODE))
    assert house.acts()[-3:] == ["right.requested", "right.approved", "account.document-set"]


def test_a_document_is_replaced_and_removed_the_same_way(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    for code in (CODE, SPOUSE[1]):
        approve(house, security, state(house, system, clerk.id, code=code).id)
    assert kept(house, clerk.id) == ("111", hashed(house, "111", SPOUSE[1]))
    approve(house, security, end(house, system, clerk.id).id)
    assert kept(house, clerk.id) == (None, None)
    assert house.acts()[-1] == "account.document-removed"
    with pytest.raises(AccountDocumentMissingError):
        end(house, system, clerk.id)


def test_the_number_is_nowhere_and_no_core_tells_of_whom(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    change = state(house, system, clerk.id)
    with house.rooms.database.reading() as uow:
        row = uow.session.get_one(RightChange, change.id)
        opened = uow.secrets.decrypt(row.document_cipher or b"")
        assert CODE not in str(row.terms)
        assert CODE.encode() not in opened, "not even what is encrypted holds it"
        details = [uow.secrets.decrypt(one) for one in uow.session.scalars(select(LedgerAct.detail))]
    assert not any(CODE.encode() in one for one in details)
    approve(house, security, change.id)
    for told in (CODE.encode(), hashed(house, "111", CODE).hex().encode(), b"3399"):
        assert not house.some_core_holds(told)


def test_the_second_person_sees_the_masked_number_until_it_is_decided(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    change = state(house, system, clerk.id)
    with house.rooms.database.reading() as uow:
        (waiting,) = RightChanges().open(uow, security)
    assert waiting.document == ("111", "3399**********0419")
    approve(house, security, change.id)
    with house.rooms.database.reading() as uow:
        assert [one.document for one in RightChanges().past(uow, security)] == [("", "")]
        assert uow.session.get_one(RightChange, change.id).document_cipher is None


@pytest.mark.parametrize("decision", ["refuse", "withdraw"])
def test_what_is_not_approved_is_forgotten(
    house: House, system: Identity, security: Identity, clerk: Identity, decision: str
) -> None:
    change = state(house, system, clerk.id)
    who = security if decision == "refuse" else system
    house.rooms.database.write(lambda uow: getattr(RightChanges(), decision)(uow, who, change.id, "不需要"))
    assert kept(house, clerk.id) is None
    with house.rooms.database.reading() as uow:
        assert uow.session.get_one(RightChange, change.id).document_cipher is None
    with pytest.raises(ChangeClosedError):
        approve(house, security, change.id)


def test_a_document_that_waited_too_long_is_shown_no_more(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    state(house, system, clerk.id)
    house.clock.advance(7 * 86400)
    with house.rooms.database.reading() as uow:
        assert [one.document for one in RightChanges().past(uow, security)] == [("", "")]


def test_a_document_that_nobody_decided_on_in_time_is_forgotten_and_the_act_says_so(
    house: House, system: Identity, clerk: Identity
) -> None:
    change, watch = state(house, system, clerk.id), ForgetWatch(house.rooms.database)
    house.clock.advance(7 * 86400 - 1)
    watch.look()
    assert waiting(house, change.id) == ("open", None, True)
    house.clock.advance(1)
    watch.look()
    watch.look()
    assert waiting(house, change.id) == ("withdrawn", "housekeeping", False)
    assert house.acts().count("right.withdrawn") == 1
    assert last_rows(house) == [("withdrawn", None)], "a rebuild agrees"
    with house.rooms.database.reading() as uow:
        assert [one.decision for one in RightChanges().past(uow, system)] == [
            "逾期未审批 / not decided in time"
        ]


def test_other_requests_whose_time_is_over_stand_as_they_were(
    house: House, system: Identity, clerk: Identity
) -> None:
    change = house.rooms.database.write(lambda uow: RightChanges().end_account(uow, system, clerk.id, "离职"))
    house.clock.advance(8 * 86400)
    ForgetWatch(house.rooms.database).look()
    assert waiting(house, change.id) == ("open", None, False)


def test_an_account_that_ends_leaves_no_document_that_waits(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    change, other = state(house, system, clerk.id), state(house, system, security.id)
    with house.rooms.database.writing() as uow:
        end_account(uow, ADMINISTRATOR, uow.session.get_one(Account, clerk.id))
    assert waiting(house, change.id) == ("withdrawn", ADMINISTRATOR.id, False)
    assert waiting(house, other.id) == ("open", None, True)
    assert house.acts()[-2:] == ["right.withdrawn", "account.ended"]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM_ADMIN}))
def test_nobody_but_a_system_administrator_asks(house: House, clerk: Identity, role: Role) -> None:
    other = Identity("person", "other", "office", frozenset({role}))
    with pytest.raises(NotPermittedError):
        state(house, other, clerk.id)
    with pytest.raises(NotPermittedError):
        end(house, other, clerk.id)


def test_whom_it_concerns_does_not_decide(house: House, system: Identity, security: Identity) -> None:
    change = state(house, system, security.id)
    with pytest.raises(SecondPersonError):
        approve(house, security, change.id)


@pytest.mark.parametrize(
    ("scheme", "code", "error"),
    [
        ("111", "339999199001010418", HolderCodeError),
        ("111", "", HolderCodeError),
        ("414", "x" * 65, HolderCodeError),
        ("414", "\u202e", HolderCodeError),
        ("777", CODE, HolderCodeError),
        ("001", "91339999MADEM0011X", InvalidInputError),
        ("099", "A1", InvalidInputError),
    ],
)
def test_what_is_no_persons_document_is_refused_and_not_told_back(
    house: House, system: Identity, clerk: Identity, scheme: str, code: str, error: type[CunzhengError]
) -> None:
    with pytest.raises(error) as refused:
        state(house, system, clerk.id, scheme, code)
    assert not code or code not in str(refused.value.facts)
    assert "right.requested" not in house.acts()


def test_an_account_that_ends_leaves_no_document_and_gets_none(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    approve(house, security, state(house, system, clerk.id).id)
    with house.rooms.database.writing() as uow:
        end_account(uow, ADMINISTRATOR, uow.session.get_one(Account, clerk.id))
    assert kept(house, clerk.id) == (None, None)
    for asks in (state, end):
        with pytest.raises(AccountUnknownError):
            asks(house, system, clerk.id)


def test_a_removal_that_was_overtaken_stays_open(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    approve(house, security, state(house, system, clerk.id).id)
    first, second = end(house, system, clerk.id), end(house, system, clerk.id)
    approve(house, security, first.id)
    with pytest.raises(AccountDocumentMissingError):
        approve(house, security, second.id)
    with house.rooms.database.reading() as uow:
        assert [one.row.id for one in RightChanges().open(uow, security)] == [second.id]


def test_who_supervises_counts_those_of_the_own_subtree(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    person(house, Role.CLERK, organisation="jtys")
    approve(house, security, state(house, system, clerk.id).id)
    for organisation, expected in (("jtys", (1, 1)), ("scjg", (2, 1))):
        who = Identity("person", "s", organisation, frozenset({Role.SUPERVISOR}))
        with house.rooms.database.reading() as uow:
            counted = coverage(uow, who)
        assert (counted.officials, counted.without) == expected


def post(browser: FlaskClient, page: str, path: str, **fields: str) -> Any:
    return browser.post(path, data={"form_token": form_token(browser.get(page).text), **fields})


def test_on_the_pages_it_is_asked_with_its_purpose_decided_and_removed(house: House, clerk: Identity) -> None:
    asks, decides, audits = (house.browser(role, "office") for role in ADMINISTRATORS)
    address = f"/rights/ask?kind=account-document&of={clerk.id}"
    assert "登记原因" in asks.get(address).text
    wanted = {"kind": "account-document", "of": clerk.id, "scheme": "111", "code": CODE, "reason": "入职"}
    wrong = post(asks, address, "/rights/ask", **(wanted | {"code": "339999199001010418"}))
    assert wrong.status_code == 422
    assert "339999199001010418" not in wrong.text
    assert post(asks, address, "/rights/ask", **wanted).status_code == 303
    waiting = decides.get("/rights").text
    assert "3399**********0419" in waiting
    assert CODE not in waiting
    change = re.search(r"/rights/([0-9A-Za-z]{26})/decision", waiting)
    assert change is not None
    told = {"decision": "approve", "reason": "与人事档案相符"}
    assert post(decides, "/rights", f"/rights/{change[1]}/decision", **told).status_code == 303
    seen = audits.get("/rights").text
    assert "3399" not in seen.partition("<table>")[2], "what was decided is told without the number"
    assert "已登记" in seen
    removal = f"/rights/ask?kind=account-document-end&of={clerk.id}"
    fields = {"kind": "account-document-end", "of": clerk.id, "reason": "调离"}
    assert post(asks, removal, "/rights/ask", **fields).status_code == 303
    assert post(asks, removal, "/rights/ask", **(fields | {"reason": " "})).status_code == 422


def test_the_page_of_unusual_queries_says_of_how_many_nothing_can_be_found(
    house: House, system: Identity, security: Identity, clerk: Identity
) -> None:
    browser = house.browser(Role.SUPERVISOR, "scjg")
    assert "3 名工作人员中有 3 名未登记本人证件" in browser.get("/supervision/patterns").text
    approve(house, security, state(house, system, clerk.id).id)
    assert "3 名工作人员中有 2 名未登记本人证件" in browser.get("/supervision/patterns").text
    assert "for 2 of 3 officials" in browser.get("/supervision/patterns?lang=en").text


def test_the_commands_ask_for_it_with_the_number_typed_unseen(
    installation: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed = run("account", "list", capsys=capsys)
    account = next(line.split()[0] for line in printed.splitlines() if "inspector" in line)
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: CODE)
    code, printed = run("account", "document", account, "--reason", "入职", capsys=capsys)
    assert code == 0
    assert CODE not in printed
    change = printed.split("request ")[1].split()[0]
    code, printed = run("right", "list", "--json", capsys=capsys)
    assert CODE not in printed
    (shown,) = json.loads(printed)
    assert shown["document"] == ["111", "3399**********0419"], "who decides compares it, on the page and here"
    assert "证件 document: 111 3399**********0419" in run("right", "list", capsys=capsys)[1]
    assert run("right", "approve", change, "--reason", "同意", capsys=capsys)[0] == 0
    assert run("account", "document-end", account, "--reason", "调离", capsys=capsys)[0] == 0
    code, printed = run("right", "list", "--json", capsys=capsys)
    assert [one["document"] for one in json.loads(printed)] == [None]
    number = ("--number", "339999199001010418")
    code, printed = run("account", "document", account, *number, "--reason", "入职", capsys=capsys)
    assert code == 64
    assert number[1] not in printed
