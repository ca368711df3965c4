# SPDX-License-Identifier: Apache-2.0
"""Holders sign in at an identity provider; whatever is forged, replayed or another's lets nobody in."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from identity import SECRET, choose, demo_provider, forger, post_form, query_of
from sqlalchemy import select

from portal.demo.holders import DemoPerson, demo_persons
from portal.demo.script import Script
from portal.settings import Settings
from storage.identity import Role
from storage.ledger.models import LedgerAct

from .conftest import House, form_token, run
from .signing_in import PUBLIC_URL, begin, house_at, let_nobody_in

PERSONS = {one.title: one for one in demo_persons(Script.load())}
ELDER, STRANGER = PERSONS["施样例"], PERSONS["吴样例"]
FIRM = PERSONS["浙江演示甲餐饮管理有限公司"]
FIRM_CODE = "91339999MADEM0011X"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[House]:
    """A house whose holders sign in at the demonstration's provider."""
    clock = HandClock()
    with demo_provider(PUBLIC_URL, list(PERSONS.values()), clock) as issuer:
        yield house_at(tmp_path, issuer, clock=clock)


def _known(house: House, scheme: str, code: str, name: str) -> str:
    with house.rooms.database.writing() as uow:
        return house.rooms.holders.find_or_add(uow, scheme, code, name).id


def _back(browser: FlaskClient, address: str) -> Any:
    return browser.get(f"/mine/back?{address.partition('?')[2]}")


def _sign_in(house: House, person: DemoPerson) -> FlaskClient:
    browser = house.app.test_client()
    answer = _back(browser, choose(begin(browser), person))
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/mine"
    return browser


def test_a_holder_signs_in_and_sees_the_own_page_and_both_are_acts(desk: House) -> None:
    holder = _known(desk, "001", FIRM_CODE, FIRM.title)
    page = _sign_in(desk, FIRM).get("/mine")
    assert page.status_code == 200
    assert "9133**********011X" in page.text
    assert FIRM_CODE not in page.text
    assert desk.acts()[-2:] == ["holder.signed-in", "holder.looked"]
    with desk.rooms.database.reading() as uow:
        cores = [json.loads(core) for core in uow.session.scalars(select(LedgerAct.core))][-2:]
    assert {core["object"]["id"] for core in cores} == {holder}
    assert {core["basis"]["kind"] for core in cores} == {"holder"}


def test_what_the_provider_told_is_neither_stored_nor_logged(
    desk: House, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with caplog.at_level(logging.DEBUG):
        _sign_in(desk, STRANGER).get("/mine")
    code = STRANGER.claims["identity_code"]
    assert code not in caplog.text
    assert STRANGER.title not in caplog.text
    assert caplog.text.count("eyJ") == 0, "no token is logged"
    stored = [path for path in tmp_path.iterdir() if path.is_file() and path.name.startswith("cunzheng")]
    for path in stored:
        assert code.encode() not in path.read_bytes()
        assert STRANGER.title.encode() not in path.read_bytes()


def test_somebody_of_whom_nothing_is_held_sees_that(desk: House) -> None:
    page = _sign_in(desk, STRANGER).get("/mine")
    assert "证照库中没有您的证照" in page.text
    assert "没有人用过您的信息" in page.text


def test_pages_come_in_large_print_from_sixty_on_unless_the_person_chose(desk: House) -> None:
    _known(desk, "111", ELDER.claims["identity_code"], ELDER.title)
    browser = _sign_in(desk, ELDER)
    assert 'data-ui-mode="elder"' in browser.get("/mine").text
    assert 'data-ui-mode="normal"' in browser.get("/mine?mode=normal").text
    assert 'data-ui-mode="normal"' in browser.get("/mine").text
    assert 'data-ui-mode="normal"' in _sign_in(desk, STRANGER).get("/mine").text


def test_a_session_ends_by_itself_and_by_signing_out(desk: House) -> None:
    browser = _sign_in(desk, FIRM)
    desk.clock.advance(30 * 60 + 1)
    assert browser.get("/mine").headers["Location"] == "/mine/sign-in"
    browser = _sign_in(desk, FIRM)
    token = browser.get_cookie("cunzheng_holder", path="/mine")
    answer = browser.post("/mine/sign-out", data={"form_token": form_token(browser.get("/mine").text)})
    assert answer.status_code == 303
    assert "/sign-out?client_id=cunzheng" in answer.headers["Location"]
    assert token is not None
    browser.set_cookie("cunzheng_holder", token.value, path="/mine")
    assert browser.get("/mine").status_code == 303


def test_signing_out_needs_our_own_form(desk: House) -> None:
    browser = _sign_in(desk, FIRM)
    assert browser.post("/mine/sign-out").status_code == 403
    assert browser.get("/mine").status_code == 200


def test_the_form_may_lead_to_the_provider_and_nowhere_else(desk: House) -> None:
    policy = _sign_in(desk, FIRM).get("/mine").headers["Content-Security-Policy"]
    issuer = query_of(begin(desk.app.test_client()))["redirect_uri"]
    assert issuer == f"{PUBLIC_URL}/mine/back"
    assert policy.partition("form-action ")[2].split() == ["'self'", policy.rpartition(" ")[2]]
    assert policy.rpartition(" ")[2].startswith("http://127.0.0.1:")


def test_the_challenge_is_s256_and_secrets_stay_here(desk: House) -> None:
    browser = desk.app.test_client()
    asked = query_of(begin(browser))
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    cookie = browser.get_cookie("cunzheng_flow", path="/mine")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.value not in json.dumps(asked)
    assert SECRET not in json.dumps(asked)


@pytest.mark.parametrize("state", ["", "x" * 43, "é"])
def test_a_forged_state_is_refused_before_the_provider_is_asked(desk: House, state: str) -> None:
    browser = desk.app.test_client()
    back = query_of(choose(begin(browser), FIRM))
    answer = browser.get("/mine/back", query_string={"code": back["code"], "state": state})
    let_nobody_in(desk, answer)
    # The code was not spent: the right browser can still use it.
    assert browser.get("/mine/back", query_string=back).status_code == 303


def test_another_browser_cannot_finish_a_sign_in(desk: House) -> None:
    victim, attacker = desk.app.test_client(), desk.app.test_client()
    begin(victim)
    let_nobody_in(desk, _back(victim, choose(begin(attacker), FIRM)))


def test_a_sign_in_is_completed_once(desk: House) -> None:
    browser = desk.app.test_client()
    begun = begin(browser)
    cookie = browser.get_cookie("cunzheng_flow", path="/mine")
    assert cookie is not None
    assert _back(browser, choose(begun, FIRM)).status_code == 303
    # Whoever has the browser's secret and a fresh code of the same sign-in.
    browser.set_cookie("cunzheng_flow", cookie.value, path="/mine")
    assert _back(browser, choose(begun, FIRM)).status_code == 403
    assert desk.acts().count("holder.signed-in") == 1


def test_a_code_that_was_used_is_refused(desk: House) -> None:
    browser = desk.app.test_client()
    begun = begin(browser)
    cookie = browser.get_cookie("cunzheng_flow", path="/mine")
    back = choose(begun, FIRM)
    assert _back(browser, back).status_code == 303
    assert cookie is not None
    browser.set_cookie("cunzheng_flow", cookie.value, path="/mine")
    assert _back(browser, back).status_code == 403


def test_a_sign_in_takes_ten_minutes_at_most(desk: House) -> None:
    browser = desk.app.test_client()
    back = choose(begin(browser), FIRM)
    desk.clock.advance(601)
    let_nobody_in(desk, _back(browser, back))


def test_a_code_without_the_verifier_is_worth_nothing(desk: House) -> None:
    begun = begin(desk.app.test_client())
    form = {
        "grant_type": "authorization_code",
        "code": query_of(choose(begun, FIRM))["code"],
        "redirect_uri": f"{PUBLIC_URL}/mine/back",
    }
    basic = base64.b64encode(f"cunzheng:{SECRET}".encode()).decode()
    token = begun.partition("/authorize")[0] + "/token"
    assert post_form(token, form, Authorization=f"Basic {basic}") == 400
    form |= {"code": query_of(choose(begun, FIRM))["code"], "code_verifier": "x" * 43}
    assert post_form(token, form, Authorization=f"Basic {basic}") == 400


def test_whoever_changes_their_mind_is_led_back(desk: House) -> None:
    browser = desk.app.test_client()
    begin(browser)
    answer = browser.get("/mine/back?error=access_denied&error_description=%3Cscript%3E")
    assert answer.headers["Location"] == "/mine/sign-in"


def test_an_officials_session_opens_no_holders_page_and_the_reverse(desk: House) -> None:
    official = desk.browser(Role.ARCHIVIST)
    session = official.get_cookie("cunzheng_session")
    assert official.get("/mine").headers["Location"] == "/mine/sign-in"
    holder = _sign_in(desk, FIRM)
    assert holder.get("/archive").status_code == 303
    own = holder.get_cookie("cunzheng_holder", path="/mine")
    assert session is not None
    assert own is not None
    assert own.path == "/mine"
    crossed = desk.app.test_client()
    crossed.set_cookie("cunzheng_session", own.value)
    crossed.set_cookie("cunzheng_holder", session.value, path="/mine")
    assert crossed.get("/archive").status_code == 303
    assert crossed.get("/mine").status_code == 303
    assert desk.app.test_client().get("/mine", headers={"Authorization": "Bearer x"}).status_code == 303


def test_a_code_that_our_records_hold_under_another_name_shows_nothing(desk: House) -> None:
    holder = _known(desk, "001", FIRM_CODE, "演示市另一家有限公司")
    browser = desk.app.test_client()
    answer = _back(browser, choose(begin(browser), FIRM))
    let_nobody_in(desk, answer, "holder-name-differs")
    assert "另一家" not in answer.text
    assert desk.acts() == ["access.refused"]
    assert desk.some_core_holds(holder.encode())


def test_beginning_is_limited_per_address(desk: House) -> None:
    browser = desk.app.test_client()
    answers = {browser.get("/mine/begin").status_code for _ in range(40)}
    assert answers == {303, 429}


def test_without_a_provider_the_page_says_so(house: House) -> None:
    answer = house.app.test_client().get("/mine", follow_redirects=True)
    assert answer.status_code == 404
    assert "未开通本人登录" in answer.text
    assert "我的证照" not in house.app.test_client().get("/sign-in").text


def test_a_provider_that_is_away_is_said_and_lets_nobody_in(tmp_path: Path) -> None:
    with forger(HandClock()) as gone:
        pass
    answer = house_at(tmp_path, gone.issuer).app.test_client().get("/mine/begin")
    assert answer.status_code == 503
    assert "identity-provider-unavailable" in answer.text


@pytest.mark.parametrize("issuer", ["http://id.gov.invalid", "https://127.0.0.1:9", "https://localhost"])
def test_production_takes_no_provider_without_tls_or_on_this_machine(tmp_path: Path, issuer: str) -> None:
    safe = {"data": tmp_path, "environment": "production", "public_url": "https://cz.gov.invalid"}
    assert Settings(**safe, oidc_issuer="https://id.gov.invalid/realm").production
    with pytest.raises(ValueError, match="oidc_issuer"):
        Settings(**safe, oidc_issuer=issuer)


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_demonstrations_provider_starts_in_a_demonstration_only(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    secret = installation / "client.secret"
    secret.write_text(SECRET)
    monkeypatch.setenv("CUNZHENG_OIDC_CLIENT_SECRET_FILE", str(secret))
    monkeypatch.setenv("CUNZHENG_ENVIRONMENT", environment)
    monkeypatch.setenv("CUNZHENG_PUBLIC_URL", "https://cz.gov.invalid")
    code, said = run("identity-provider", "--port", "9", capsys=capsys)
    assert code != 0
    assert "demo-identity-provider" in said
