# SPDX-License-Identifier: Apache-2.0
"""Passwords: which are refused, how signing in with one is answered, locked out and unlocked."""

import logging
import statistics
import time
from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.errors import SecondPersonError, SignInLockedError
from portal.accounts.models import Password, SignInLock
from portal.accounts.passwords import Rule, broken_rules, hash_password, holds, is_outdated
from portal.accounts.sign_ins import ADDRESS_FAILURES, NAME_FAILURES
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.models import LedgerAct

from .conftest import House, form_token, make_house

NAME, GOOD, WRONG = "chen.gd", "青山 xk72 不改 mq", "quite another one 81"
ADDRESS = "192.0.2.7"


@dataclass
class Desk:
    """A person with a password, and a stranger's browser."""

    house: House
    person: FlaskClient
    account: str

    def attempt(self, name: str, password: str, address: str = ADDRESS) -> TestResponse:
        browser = self.house.app.test_client()
        field = form_token(browser.get("/sign-in").text)
        form = {"form_token": field, "login_name": name, "password": password}
        return browser.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": address})

    def fail(self, times: int, name: str = NAME, address: str = ADDRESS) -> list[int]:
        return [self.attempt(name, WRONG, address).status_code for _ in range(times)]

    def act(self, kind: str) -> list[bytes]:
        with self.house.rooms.database.reading() as uow:
            return list(uow.session.scalars(select(LedgerAct.core).where(LedgerAct.kind == kind)))


def set_password(browser: FlaskClient, name: str = NAME, password: str = GOOD, **more: str) -> TestResponse:
    field = form_token(browser.get("/account/password").text)
    form = {"form_token": field, "login_name": name, "password": password, "again": password, **more}
    return browser.post("/account/password", data=form)


@pytest.fixture
def desk(house: House) -> Desk:
    person = house.browser(Role.CLERK)
    assert set_password(person).status_code == 303
    with house.rooms.database.reading() as uow:
        account = uow.session.scalars(select(Password.account_id)).one()
    return Desk(house, person, account)


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        (GOOD, []),
        ("我家门前有两棵枣树另一棵也是", []),
        ("correct horse battery staple", []),
        ("x9#kL2mQ", [Rule.LENGTH, Rule.COMMON]),
        ("k" + "9v!Lq" * 26, [Rule.LENGTH]),
        ("password1234", [Rule.COMMON]),
        ("qwertyuiopas", [Rule.COMMON]),
        ("aaaaaaaaaaaa", [Rule.COMMON]),
        ("woaini1314520", [Rule.COMMON]),
        ("cunzheng2026", [Rule.COMMON]),
        ("19700101 1970", [Rule.COMMON]),
        ("mq7 CHEN.GD xk72 !", [Rule.LOGIN_NAME]),
        ("xk72 dg.nehc mq7 !", [Rule.LOGIN_NAME]),
    ],
)
def test_long_and_not_guessable_is_the_rule(password: str, broken: list[Rule]) -> None:
    assert broken_rules(password, password, NAME, ("cunzheng",)) == broken


def test_it_is_typed_twice_and_composed_characters_count_as_one() -> None:
    assert broken_rules(GOOD, GOOD + " ", NAME) == [Rule.REPEATED]
    assert holds(hash_password("Zoe\u0301 liebt lange Wo\u0308rter"), "Zoé liebt lange Wörter")


def test_argon2id_is_kept_with_a_salt_of_its_own_and_renewed_when_parameters_change() -> None:
    kept = hash_password(GOOD)
    assert kept.startswith("$argon2id$")
    assert hash_password(GOOD) != kept
    assert (holds(kept, GOOD), holds(kept, WRONG), holds(None, GOOD)) == (True, False, False)
    assert not is_outdated(kept)
    assert is_outdated(kept.replace("t=2", "t=1"))


def test_login_name_and_password_sign_in_and_it_is_recorded(desk: Desk) -> None:
    answer = desk.attempt(" CHEN.gd ", GOOD)
    assert answer.status_code == 303
    assert len(desk.act("account.signed-in")) == 2


def test_a_password_kept_with_older_parameters_is_renewed_on_the_way(desk: Desk) -> None:
    with desk.house.rooms.database.writing() as uow:
        uow.session.scalars(select(Password)).one().argon2 = PasswordHasher(1, 8192, 1).hash(GOOD)
    assert desk.attempt(NAME, GOOD).status_code == 303
    with desk.house.rooms.database.reading() as uow:
        assert not is_outdated(uow.session.scalars(select(Password.argon2)).one())


def test_wrong_password_and_unknown_name_are_answered_alike(desk: Desk) -> None:
    pages = [desk.attempt(name, WRONG) for name in (NAME, "nobody.here")]
    assert [page.status_code for page in pages] == [401, 401]
    texts = [page.text.replace(form_token(page.text), "") for page in pages]
    assert texts[0] == texts[1]
    assert "登录名或密码不正确" in texts[0]
    assert NAME not in texts[0]


def test_an_unknown_name_takes_as_long(desk: Desk) -> None:
    took: dict[str, list[float]] = {NAME: [], "nobody.here": []}
    for _ in range(4):
        for name, times in took.items():
            began = time.perf_counter()
            desk.attempt(name, WRONG)
            times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.5 < unknown / known < 2


def test_five_failures_lock_the_name_whether_it_exists_or_not(desk: Desk) -> None:
    for name in (NAME, "nobody.here"):
        assert desk.fail(NAME_FAILURES, name) == [401] * NAME_FAILURES
        locked = desk.attempt(name, GOOD)
        assert locked.status_code == 429
        assert "锁定至" in locked.text
    assert len(desk.act("account.locked")) == 1


def test_the_lock_ends_and_the_next_one_is_twice_as_long(desk: Desk) -> None:
    desk.fail(NAME_FAILURES)
    desk.house.clock.advance(15 * 60 + 1)
    desk.fail(NAME_FAILURES)
    desk.house.clock.advance(15 * 60 + 1)
    assert desk.attempt(NAME, GOOD).status_code == 429
    desk.house.clock.advance(15 * 60)
    assert desk.attempt(NAME, GOOD).status_code == 303
    assert len(desk.act("account.locked")) == 2


def test_success_forgets_failures_and_so_does_a_quiet_day(desk: Desk) -> None:
    desk.fail(NAME_FAILURES - 1)
    assert desk.attempt(NAME, GOOD).status_code == 303
    assert desk.fail(NAME_FAILURES - 1)[-1] == 401
    desk.house.clock.advance(25 * 3600)
    assert desk.fail(NAME_FAILURES - 1)[-1] == 401
    assert desk.attempt(NAME, GOOD).status_code == 303


def test_an_address_that_tries_many_names_is_locked_and_others_are_not(desk: Desk) -> None:
    for number in range(ADDRESS_FAILURES):
        desk.house.clock.advance(5)
        desk.fail(1, f"name{number}")
    assert desk.attempt(NAME, GOOD).status_code == 429
    assert desk.attempt(NAME, GOOD, "192.0.2.8").status_code == 303
    (core,) = desk.act("address.locked")
    assert ADDRESS.encode() not in core


def test_an_attempt_that_began_before_the_lock_does_not_pass_it(desk: Desk) -> None:
    rooms = desk.house.rooms
    with rooms.database.reading() as uow:
        early = rooms.sign_ins.begin(uow, NAME, ADDRESS)
    desk.fail(NAME_FAILURES)
    with pytest.raises(SignInLockedError), rooms.database.writing() as uow:
        rooms.sign_ins.end(uow, early, proved=True)


def test_the_security_administrator_unlocks_but_not_the_own_account(desk: Desk) -> None:
    desk.fail(NAME_FAILURES)
    sign_ins, database = desk.house.rooms.sign_ins, desk.house.rooms.database
    guard = Identity("person", "guard", "office", frozenset({Role.SECURITY_ADMIN}))
    own = Identity("person", desk.account, "office", frozenset({Role.SECURITY_ADMIN}))
    system = Identity("person", "other", "office", frozenset({Role.SYSTEM_ADMIN}))
    for who, error in ((system, NotPermittedError), (own, SecondPersonError)):
        with pytest.raises(error), database.writing() as uow:
            sign_ins.unlock(uow, who, desk.account)
    with database.writing() as uow:
        assert list(sign_ins.locked(uow)) == [desk.account]
        sign_ins.unlock(uow, guard, desk.account)
    assert desk.attempt(NAME, GOOD).status_code == 303
    assert len(desk.act("account.unlocked")) == 1


def test_old_failures_are_removed(desk: Desk) -> None:
    desk.fail(1, "somebody")
    desk.house.clock.advance(3 * 24 * 3600)
    desk.fail(1, "another")
    with desk.house.rooms.database.reading() as uow:
        assert len(uow.session.scalars(select(SignInLock)).all()) == 2  # name and address of the last one


def test_attempts_of_one_address_are_limited_by_the_minute(desk: Desk) -> None:
    answers = [desk.attempt(f"n{number}", WRONG).status_code for number in range(21)]
    assert answers.count(401) in {ADDRESS_FAILURES - 1, ADDRESS_FAILURES}
    assert answers[-1] == 429
    assert "过于频繁" in desk.attempt(NAME, GOOD).text


def test_a_new_password_needs_the_present_one_unless_a_link_just_proved_the_person(desk: Desk) -> None:
    assert set_password(desk.person, password="another long phrase 9%").status_code == 303
    by_password = desk.house.app.test_client()
    field = form_token(by_password.get("/sign-in").text)
    form = {"form_token": field, "login_name": NAME, "password": "another long phrase 9%"}
    assert by_password.post("/sign-in", data=form).status_code == 303
    assert set_password(by_password, password=GOOD, current=WRONG).status_code == 401
    assert set_password(by_password, password=GOOD, current="another long phrase 9%").status_code == 303


def test_a_link_proves_for_half_an_hour(desk: Desk) -> None:
    desk.house.clock.advance(31 * 60)
    assert "当前密码" in desk.person.get("/account/password").text
    assert set_password(desk.person, password=WRONG).status_code == 401


def test_other_sessions_end_with_the_old_password(desk: Desk) -> None:
    elsewhere = desk.house.app.test_client()
    field = form_token(elsewhere.get("/sign-in").text)
    elsewhere.post("/sign-in", data={"form_token": field, "login_name": NAME, "password": GOOD})
    assert elsewhere.get("/account").status_code == 200
    set_password(desk.person, password="another long phrase 9%")
    assert elsewhere.get("/account").status_code == 303
    assert desk.person.get("/account").status_code == 200


def test_a_login_name_belongs_to_one_account_and_has_one_form(desk: Desk) -> None:
    second = desk.house.browser(Role.ARCHIVIST)
    assert set_password(second, NAME).status_code == 409
    assert set_password(second, "陈国栋").status_code == 422
    assert set_password(second, "chen.gd2").status_code == 303


def test_a_weak_one_is_refused_with_the_rules_it_breaks(desk: Desk) -> None:
    page = set_password(desk.person, password="password1234")
    assert page.status_code == 422
    assert '<li class="bad">' in page.text
    assert "password1234" not in page.text


def test_failed_sign_ins_stand_on_the_own_page(desk: Desk) -> None:
    assert "登录失败" in desk.person.get("/account").text
    desk.fail(2)
    assert "最近 2 次" in desk.person.get("/account").text


def test_neither_ledger_nor_log_holds_name_password_or_address(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.fail(NAME_FAILURES + 1)
    desk.attempt(NAME, GOOD)
    with desk.house.rooms.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct))
        written = b"".join(act.core + uow.secrets.decrypt(act.detail) for act in acts)
        kept = uow.session.scalars(select(Password)).one()
        assert NAME.encode() not in kept.login_cipher + kept.login_hash
    for text in (NAME, GOOD, WRONG, ADDRESS, "argon2"):
        assert text.encode() not in written
        assert text not in caplog.text


def test_an_idle_session_ends_and_a_used_one_goes_on_until_its_last_hour(house: House) -> None:
    used, idle = house.browser(Role.CLERK), house.browser(Role.CLERK)
    for _ in range(3):
        house.clock.advance(50 * 60)
        assert used.get("/account").status_code == 200
    assert idle.get("/account").status_code == 303
    for _ in range(9):
        house.clock.advance(50 * 60)
        last = used.get("/account").status_code
    assert last == 303


def test_behind_a_proxy_the_callers_own_address_is_limited(tmp_path_factory: pytest.TempPathFactory) -> None:
    house = make_house(tmp_path_factory.mktemp("proxied"), sign_in_rate=1, proxies=1)
    browser = house.app.test_client()
    form = {"form_token": form_token(browser.get("/sign-in").text), "login_name": NAME, "password": WRONG}
    answers = [
        browser.post("/sign-in", data=form, headers={"X-Forwarded-For": f"203.0.113.9, {caller}"}).status_code
        for caller in ("198.51.100.1", "198.51.100.1", "198.51.100.2")
    ]
    assert answers == [401, 429, 401]
