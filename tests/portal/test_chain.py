# SPDX-License-Identifier: Apache-2.0
"""The authorisation chain holds on every route, not on questions alone: key, signature, purpose."""

import re
from typing import Any

import pytest
from calling import Caller
from facade_world import RIGHT, body_of, path_of
from flask.testing import FlaskClient
from inserted import rowid
from license_library import COMPANY
from sqlalchemy import select
from werkzeug.test import TestResponse

from licenses.codes.services import CodeWish, Mode
from licenses.copies.models import LicenseCopy
from licenses.facades.profiles import Element, Facade, Service, facades
from licenses.grants.models import LicenseGrant
from licenses.grants.services import end
from licenses.models import License, LicenseUsage
from portal.accounts.models import Account, Client
from portal.asking.signing import CallerKey
from portal.clients.keys import add_key
from portal.web.access import rule_of
from portal.web.meta import WITHOUT_IDENTITY
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Identity, Role

from .conftest import ADMINISTRATOR, House, form_token
from .test_facades import announced, issued
from .test_window import NUMBER

SECRET = {"code": "A" * 22}
ORDERS = (
    ("/api/v1/authorisation-codes", {"identifier": "1.2.3", "mode": "function"}),
    ("/api/v1/authorisation-codes/copy", SECRET),
    ("/api/v1/copies/x/links", {}),
    ("/api/v1/rungs", {"decision": "x", "requirement": "R2", "kind": "commitment"}),
    ("/api/v1/rungs/x/events", {"kind": "committed"}),
)


@pytest.fixture
def licence(house: House) -> License:
    announced(house, "OPEN-1", COMPANY)
    return issued(house)


@pytest.fixture
def caller(house: House) -> Caller:
    return house.caller("ask", "read")


def plain(house: House) -> FlaskClient:
    """Give a browser that signs nothing."""
    return FlaskClient(house.app, house.app.response_class)


def code(answer: TestResponse) -> tuple[int, Any]:
    return answer.status_code, answer.json["code"]


@pytest.mark.parametrize(("path", "body"), ORDERS, ids=[path for path, _ in ORDERS])
def test_what_orders_something_about_a_holder_is_signed(
    house: House, caller: Caller, path: str, body: Any
) -> None:
    assert code(plain(house).post(path, json=body, headers=caller.headers())) == (401, "signature-invalid")
    assert caller.call(path, body).status_code == 404


@pytest.mark.parametrize(("path", "body"), ORDERS, ids=[path for path, _ in ORDERS])
def test_a_shared_key_orders_nothing(house: House, path: str, body: Any) -> None:
    shared = {"Authorization": f"Bearer {house.client_key('read')}", "Access-Operator": "op-1"}
    refused = plain(house).post(path, json=body, headers=shared)
    wanted = "not-permitted" if "rungs" in path else "client-key-required"
    assert code(refused) == (403, wanted)


def filed(facade: Facade, licence: License) -> tuple[str, Any]:
    """Give address and body of a call for the file of a licence."""
    body = body_of(facade, Service.FILE_BY_IDENTIFIER, {**RIGHT, Element.IDENTIFIER: licence.identifier})
    return str(path_of(facade, Service.FILE_BY_IDENTIFIER)), body


@pytest.mark.parametrize("facade", facades(), ids=lambda one: one.id)
def test_a_file_in_a_dialect_is_signed_by_who_has_a_key(
    house: House, licence: License, caller: Caller, facade: Facade
) -> None:
    path, body = filed(facade, licence)
    assert plain(house).post(path, json=body, headers=caller.headers()).status_code == 401
    assert "copy.ordered" not in house.acts()
    headers = caller.headers() | {"Content-Type": "application/json"}
    data = FlaskClient(house.app, house.app.response_class)
    sent = {"data": house.app.json.dumps(body).encode(), "headers": {}}
    sent["headers"] = caller.signed(path, sent["data"], headers)
    assert data.post(path, **sent).status_code == 200
    assert house.acts().count("copy.ordered") == 1
    assert data.post(path, **sent).status_code == 409, "and it is sent once"


@pytest.mark.parametrize("facade", facades(), ids=lambda one: one.id)
def test_a_file_in_a_dialect_still_goes_to_the_shared_key_of_who_never_had_another(
    house: House, licence: License, facade: Facade
) -> None:
    path, body = filed(facade, licence)
    shared = {"Authorization": f"Bearer {house.client_key('read')}"}
    assert plain(house).post(path, json=body, headers=shared).status_code == 200
    assert house.acts().count("copy.ordered") == 1


def test_a_shared_key_opens_no_route_once_there_is_a_public_one(house: House) -> None:
    shared = {"Authorization": f"Bearer {house.client_key('announce', 'file', 'read')}"}
    with house.rooms.database.writing() as uow:
        client = uow.session.scalars(select(Client)).one()
        add_key(uow, ADMINISTRATOR, client.id, CallerKey.make().public())
    opened = 0
    for route in house.app.url_map.iter_rules():
        view = house.app.view_functions[route.endpoint]
        if route.endpoint == "static" or route.endpoint in WITHOUT_IDENTITY or not rule_of(view).scopes:
            continue
        path = re.sub(r"<[^>]*>", "x", route.rule)
        method = min((route.methods or set()) - {"HEAD", "OPTIONS"})
        answer = plain(house).open(path, method=method, json={} if method != "GET" else None, headers=shared)
        assert answer.status_code == 401, path
        opened += 1
    assert opened > 40


ON_CASE = {"Access-Case": "ycsl/OPEN-1", "Access-Item": "339999010002", "Access-Purpose": "accept"}


def test_a_token_reads_for_its_own_purpose_alone(house: House, licence: License, caller: Caller) -> None:
    path, browser = f"/api/v1/licences/{licence.identifier}", plain(house)
    assert browser.get(path, headers=caller.headers() | ON_CASE).status_code == 200
    for other in (caller.headers(purpose="decide"), caller.headers(scope="read", purpose=None)):
        for place in (path, "/api/v1/licences"):
            assert code(browser.get(place, headers=other | ON_CASE)) == (403, "purpose-differs")
    assert house.acts()[-1] == "access.refused"


@pytest.mark.parametrize("service", [Service.DATA_BY_IDENTIFIER, Service.VERIFY_INFORMATION])
def test_a_token_opens_a_dialect_for_its_own_purpose_alone(
    house: House, licence: License, caller: Caller, service: Service
) -> None:
    facade = facades()[0]
    said = {**RIGHT, Element.IDENTIFIER: licence.identifier}
    path, body = str(path_of(facade, service)), body_of(facade, service, said)
    assert plain(house).post(path, json=body, headers=caller.headers()).status_code == 200
    other = plain(house).post(path, json=body, headers=caller.headers(purpose="decide"))
    assert other.status_code == 403
    assert house.acts()[-1] == "access.refused"


def test_a_code_that_a_system_made_is_used_for_the_purpose_of_the_token_alone(
    house: House, licence: License, caller: Caller
) -> None:
    online = {"identifier": licence.identifier, "mode": "online"}
    wish = online | {"party": {"scheme": COMPANY[0], "code": COMPANY[1]}}
    made = caller.call("/api/v1/authorisation-codes", wish, caller.headers() | ON_CASE)
    place, secret = "/api/v1/authorisation-codes/licence", {"code": made.json["code"]}
    other = plain(house).post(place, json=secret, headers=caller.headers(purpose="decide"))
    assert code(other) == (403, "purpose-differs")
    assert "code.used" not in house.acts(), "a use for another purpose is none"
    assert plain(house).post(place, json=secret, headers=caller.headers()).status_code == 200


def test_a_code_of_the_holders_is_for_the_holders_purpose(
    house: House, licence: License, caller: Caller
) -> None:
    with house.rooms.database.writing() as uow:
        holder = Identity("holder", licence.holder_id, "", frozenset({Role.HOLDER}))
        wish = CodeWish(licence.identifier, Mode.OWN, "hand-in")
        secret = {"code": house.rooms.codes.make(uow, holder, wish).secret}
    read = plain(house).post("/api/v1/authorisation-codes/licence", json=secret, headers=caller.headers())
    assert read.status_code == 200


def offered(house: House, caller: Caller) -> dict[str, str]:
    """Announce a case and ask about it; gives the body that takes a commitment from the answer."""
    assert plain(house).put(f"/api/v1/cases/ycsl/{NUMBER}", json=CASE_EXAMPLE, headers=caller.headers()).json
    question = {"case": {"source": "ycsl", "number": NUMBER}, "item": "339999010002", "purpose": "accept"}
    decision = caller.call("/api/v1/proofs", question).json["decision"]["id"]
    return {"decision": decision, "requirement": "R2", "kind": "commitment"}


def test_a_rung_is_taken_and_seen_for_the_purpose_of_its_answer(house: House) -> None:
    """An answer that was asked for with one token gives nothing to a token for something else."""
    caller = house.caller("announce", "ask")
    client, body = plain(house), offered(house, caller)
    other = caller.headers(purpose="decide")
    assert code(caller.call("/api/v1/rungs", body, other)) == (403, "purpose-differs")
    assert "rung.taken" not in house.acts()
    place = caller.call("/api/v1/rungs", body).headers["Location"]
    assert code(client.get(place, headers=other)) == (403, "purpose-differs")
    told = caller.call(f"{place}/events", {"kind": "committed"}, caller.headers(purpose="decide"))
    assert code(told) == (403, "purpose-differs")
    assert client.get(place, headers=caller.headers()).json["state"] == "told"


def grants_end(house: House) -> None:
    with house.rooms.database.writing() as uow:
        for one in uow.session.scalars(select(LicenseGrant)):
            end(uow, ADMINISTRATOR, one)


def last_use(house: House, action: str) -> tuple[str, str | None]:
    """Give result and reason of the newest use that the holder sees."""
    with house.rooms.database.reading() as uow:
        uses = select(LicenseUsage).where(LicenseUsage.action == action)
        found = list(uow.session.scalars(uses.order_by(LicenseUsage.at, rowid)))[-1]
        return found.result, found.reason


def test_a_code_that_a_system_made_ends_with_its_grant(
    house: House, licence: License, caller: Caller
) -> None:
    online = {"identifier": licence.identifier, "mode": "online"}
    wish = online | {"party": {"scheme": COMPANY[0], "code": COMPANY[1]}}
    made = caller.call("/api/v1/authorisation-codes", wish, caller.headers() | ON_CASE)
    secret = {"code": made.json["code"]}
    assert caller.call("/api/v1/authorisation-codes/licence", secret).status_code == 200
    grants_end(house)
    for what in ("licence", "copy"):
        refused = caller.call(f"/api/v1/authorisation-codes/{what}", secret)
        assert code(refused) == (404, "authorisation-code-refused")
        assert house.acts()[-1] == "access.refused"
        assert last_use(house, "code")[0] == "REFUSED"


def made_copy(house: House, licence: License, caller: Caller) -> str:
    """Order a copy and let it be made, without its bytes; give its id."""
    path = f"/api/v1/licences/{licence.identifier}/copies"
    ordered = caller.call(path, {}, caller.headers() | ON_CASE)
    assert ordered.status_code == 202, ordered.text
    stored = house.rooms.objects.put(b"%PDF", "application/pdf")
    with house.rooms.database.writing() as uow:
        copy = uow.session.get_one(LicenseCopy, ordered.json["id"])
        copy.state, copy.object_sha256, copy.object_size = "made", stored.sha256, 4
    return str(ordered.json["id"])


@pytest.mark.parametrize("over", ["not-granted", "client-ended"])
def test_a_link_to_a_copy_ends_with_the_right_on_which_it_was_ordered(
    house: House, licence: License, caller: Caller, over: str
) -> None:
    place = f"/api/v1/copies/{made_copy(house, licence, caller)}"
    links = [caller.call(f"{place}/links", {}).json["token"] for _ in range(2)]
    given = plain(house).post(f"{place}/download", json={"token": links[0]})
    assert given.status_code == 200
    if over == "not-granted":
        grants_end(house)
        assert code(caller.call(f"{place}/links", {})) == (409, "copy-right-ended")
    else:
        with house.rooms.database.writing() as uow:
            uow.session.get_one(Client, caller.client_id).ended_at = house.clock.now()
    refused = plain(house).post(f"{place}/download", json={"token": links[1]})
    assert code(refused) == (409, "copy-right-ended")
    assert house.acts()[-1] == "copy.refused"
    assert last_use(house, "copy-out") == ("REFUSED", over)


def test_a_rung_that_a_system_took_ends_with_its_grant(house: House) -> None:
    caller = house.caller("announce", "ask")
    client, body = plain(house), offered(house, caller)
    place = caller.call("/api/v1/rungs", body).headers["Location"]
    grants_end(house)
    assert code(caller.call(f"{place}/events", {"kind": "committed"})) == (403, "rung-right-ended")
    assert code(caller.call("/api/v1/rungs", body | {"requirement": "R3"})) == (403, "rung-right-ended")
    assert code(client.get(place, headers=caller.headers())) == (403, "rung-right-ended")
    assert house.acts()[-1] == "access.refused"
    assert last_use(house, "ask") == ("REFUSED", "not-granted")
    desk = house.browser(Role.CLERK)
    assert desk.get(f"/ladder/{place.rpartition('/')[2]}").status_code == 200, "the department goes on"


def test_an_operator_whose_account_ended_is_nobody_however_named(house: House, licence: License) -> None:
    facade, browser = facades()[0], plain(house)
    shared = {"Authorization": f"Bearer {house.client_key('read')}"}
    path = str(path_of(facade, Service.DATA_BY_IDENTIFIER))
    said = {**RIGHT, Element.IDENTIFIER: licence.identifier}
    body = body_of(facade, Service.DATA_BY_IDENTIFIER, said)
    place, named = f"/api/v1/licences/{licence.identifier}", shared | ON_CASE | {"Access-Operator": "op-1"}

    def statuses() -> list[int]:
        caller = house.caller("read")
        return [
            browser.get(place, headers=named).status_code,
            browser.post(path, json=body, headers=shared).status_code,
            caller.asked().status_code,
        ]

    assert statuses() == [200, 200, 200]
    with house.rooms.database.writing() as uow:
        uow.session.get_one(Account, "op-1").ended_at = house.clock.now()
    assert statuses() == [401, 401, 400]


def test_only_a_running_account_is_registered_as_an_operator(house: House) -> None:
    asks = house.browser(Role.SYSTEM_ADMIN)
    page = asks.get("/rights/ask?kind=client-add")
    said = {
        "form_token": form_token(page.text),
        "kind": "client-add",
        "name": "演示新系统",
        "organisation": "scjg",
        "scope": "read",
        "days": "30",
        "reason": "接入",
    }
    nobody = asks.post("/rights/ask", data=said | {"operators": "nobody"})
    assert nobody.status_code == 422
    house.client_key("read")
    assert asks.post("/rights/ask", data=said | {"operators": "op-1"}).status_code == 201
    with house.rooms.database.writing() as uow:
        uow.session.get_one(Account, "op-1").ended_at = house.clock.now()
    change = house.browser(Role.SECURITY_ADMIN)
    waiting = change.get("/rights").text.partition('id="change-')[2][:26]
    decided = {"form_token": form_token(change.get("/rights").text), "decision": "approve", "reason": "同意"}
    refused = change.post(f"/rights/{waiting}/decision", data=decided)
    assert refused.status_code == 422, "whoever ended meanwhile is not registered"
