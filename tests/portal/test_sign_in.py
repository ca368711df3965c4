# SPDX-License-Identifier: Apache-2.0
"""Signing in: the link works once, opening it uses nothing up, and what fails looks the same."""

import pytest
from inserted import rowid
from sqlalchemy import select

from portal.accounts.models import LoginLink
from portal.accounts.rights import check_roles
from portal.errors import RolesExcludeError
from storage.errors import InvalidInputError
from storage.identity import Role
from storage.ledger.models import LedgerAct

from .conftest import House, form_token


def test_opening_the_link_shows_a_button_and_uses_nothing_up(house: House) -> None:
    token = house.login_token(Role.ARCHIVIST)
    browser = house.app.test_client()
    for _ in range(3):
        assert browser.get(f"/sign-in/{token}").status_code == 200
    assert "account.signed-in" not in house.acts()


def test_the_button_signs_in_once_and_is_recorded(house: House) -> None:
    token = house.login_token(Role.CLERK)
    browser = house.app.test_client()
    field = form_token(browser.get(f"/sign-in/{token}").text)
    assert browser.post(f"/sign-in/{token}", data={"form_token": field}).status_code == 303
    assert house.acts().count("account.signed-in") == 1
    other = house.app.test_client()
    field = form_token(other.get(f"/sign-in/{token}").text)
    again = other.post(f"/sign-in/{token}", data={"form_token": field})
    assert again.status_code == 410
    assert "登录链接无效或已使用" in again.text


def test_making_a_link_and_using_it_are_acts_tied_by_its_id_and_neither_holds_its_secret(
    house: House,
) -> None:
    token = house.login_token(Role.CLERK)
    browser = house.app.test_client()
    field = form_token(browser.get(f"/sign-in/{token}").text)
    browser.post(f"/sign-in/{token}", data={"form_token": field})
    with house.rooms.database.reading() as uow:
        acts = uow.session.scalars(
            select(LedgerAct).where(LedgerAct.kind.startswith("account.")).order_by(rowid)
        )
        written = {act.kind: act.core + uow.secrets.decrypt(act.detail) for act in acts}
        link = uow.session.scalars(select(LoginLink)).one()
    assert list(written) == ["account.added", "account.link-made", "account.signed-in"]
    del written["account.added"]
    for act in written.values():
        assert f'"link":"{link.id}"'.encode() in act
        assert token.encode() not in act
        assert link.token_hash.hex().encode() not in act


def test_a_link_ends(house: House) -> None:
    token = house.login_token(Role.CLERK)
    browser = house.app.test_client()
    field = form_token(browser.get(f"/sign-in/{token}").text)
    house.clock.advance(3601)
    assert browser.post(f"/sign-in/{token}", data={"form_token": field}).status_code == 410


def test_the_header_shows_the_role_and_the_way_out(house: House) -> None:
    browser = house.browser(Role.ARCHIVIST)
    page = browser.get("/search").text
    assert "测试员" in page
    assert "归档员" in page
    assert "退出" in page
    answer = browser.post("/sign-out", data={"form_token": form_token(page)})
    assert answer.status_code == 303
    assert browser.get("/search").status_code == 303


def test_a_session_ends_by_itself(house: House) -> None:
    browser = house.browser(Role.ARCHIVIST)
    house.clock.advance(10 * 3600 + 1)
    assert browser.get("/search").status_code == 303


def test_a_form_from_elsewhere_is_refused(house: House) -> None:
    browser = house.browser(Role.ARCHIVIST)
    assert browser.post("/sign-out").status_code == 403
    assert browser.post("/sign-out", data={"form_token": "0" * 64}).status_code == 403
    assert browser.get("/search").status_code == 200


@pytest.mark.parametrize(
    "roles",
    [
        {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
        {Role.SECURITY_ADMIN, Role.AUDIT_ADMIN},
        {Role.SEAL_MANAGER, Role.LICENSE_MANAGER},
        {Role.ARCHIVIST, Role.SUPERVISOR},
    ],
)
def test_roles_that_exclude_each_other_are_refused(roles: set[Role]) -> None:
    with pytest.raises(RolesExcludeError):
        check_roles(roles)


@pytest.mark.parametrize("roles", [set(), {Role.SYSTEM}, {Role.CLERK, Role.PUBLIC}])
def test_only_roles_of_persons_are_given(roles: set[Role]) -> None:
    with pytest.raises(InvalidInputError):
        check_roles(roles)
