# SPDX-License-Identifier: Apache-2.0
"""A person's own account: own sessions and own acts, and nobody else's."""

from flask.testing import FlaskClient

from storage.identity import Role

from .conftest import ADMINISTRATOR, House, form_token


def _sign_in_again(house: House, role: Role) -> tuple[FlaskClient, FlaskClient]:
    """Give two browsers of one account."""
    with house.rooms.database.reading() as uow:
        account = house.rooms.accounts.with_role(uow, role)[0]
    browsers = []
    for _ in range(2):
        with house.rooms.database.writing() as uow:
            token = house.rooms.accounts.login_link(uow, ADMINISTRATOR, account.id)
        browser = house.app.test_client()
        field = form_token(browser.get(f"/sign-in/{token}").text)
        assert browser.post(f"/sign-in/{token}", data={"form_token": field}).status_code == 303
        browsers.append(browser)
    return browsers[0], browsers[1]


def test_it_shows_own_acts_with_receipts_and_nobody_elses(house: House) -> None:
    house.browser(Role.ARCHIVIST)
    clerk = house.browser(Role.CLERK)
    page = clerk.get("/account").text
    assert page.count("账号登录") == 1
    assert "/receipts/" in page
    assert "新增账号" not in page


def test_other_sessions_are_ended_and_this_one_stays(house: House) -> None:
    house.login_token(Role.CLERK)
    here, there = _sign_in_again(house, Role.CLERK)
    page = here.get("/account").text
    assert page.count("另一浏览器") == 1
    answer = here.post("/account/sessions", data={"form_token": form_token(page)})
    assert answer.status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code in {302, 303, 401}
    assert house.acts().count("account.sessions-ended") == 1
    assert "另一浏览器" not in here.get("/account").text


def test_ending_none_records_nothing(house: House) -> None:
    clerk = house.browser(Role.CLERK)
    field = form_token(clerk.get("/account").text)
    assert clerk.post("/account/sessions", data={"form_token": field}).status_code == 303
    assert "account.sessions-ended" not in house.acts()


def test_strangers_have_no_account(house: House) -> None:
    assert house.browser().get("/account").status_code in {302, 303, 401}
