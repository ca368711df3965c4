# SPDX-License-Identifier: Apache-2.0
"""Posts: roles by organisation, one acting at a time; supervision sees its own subtree."""

from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.accounts.posts import identity_of, identity_with, posts_of, roles_of, set_post
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

from .conftest import House, form_token


def account(**posts: list[str]) -> Account:
    return Account(id="a", organisation="scjg", roles=["archivist"], posts=posts or None)


def test_the_home_post_comes_first_and_others_are_acted_in_when_named() -> None:
    person = account(jtys=["clerk"])
    assert list(posts_of(person)) == ["scjg", "jtys"]
    for named, acting, role in (
        (None, "scjg", Role.ARCHIVIST),
        ("jtys", "jtys", Role.CLERK),
        ("zhzf", "scjg", Role.ARCHIVIST),
    ):
        who = identity_of(person, named)
        assert who is not None
        assert (who.organisation, who.roles) == (acting, {role})


def test_posts_are_given_changed_and_taken() -> None:
    person = account()
    set_post(person, "jtys", {Role.CLERK, Role.INSPECTOR})
    assert person.posts == {"jtys": ["clerk", "inspector"]}
    assert roles_of(person) == {Role.ARCHIVIST, Role.CLERK, Role.INSPECTOR}
    set_post(person, "jtys", ())
    set_post(person, "scjg", ())
    assert (person.posts, person.roles, identity_of(person)) == (None, [], None)


def test_a_role_is_acted_with_in_the_post_that_holds_it() -> None:
    person = account(jtys=["clerk"])
    found = identity_with(person, Role.CLERK)
    assert found is not None
    assert found.organisation == "jtys"
    assert identity_with(person, Role.SUPERVISOR) is None


@dataclass
class Desk:
    """An archivist of one department who also works at another's window."""

    house: House
    browser: FlaskClient

    def switch(self, organisation: str) -> TestResponse:
        field = form_token(self.browser.get("/account").text)
        return self.browser.post("/account/acting", data={"form_token": field, "organisation": organisation})


@pytest.fixture
def desk(house: House) -> Desk:
    browser = house.browser(Role.ARCHIVIST)
    with house.rooms.database.writing() as uow:
        uow.session.scalars(select(Account).where(Account.id != "op-1")).one().posts = {"jtys-ck": ["clerk"]}
    return Desk(house, browser)


def test_the_acting_organisation_is_chosen_in_the_header_and_acts_name_it(desk: Desk) -> None:
    assert desk.browser.get("/archive").status_code == 200
    assert desk.browser.get("/window").status_code == 403
    assert desk.switch("jtys-ck").status_code == 303
    assert desk.browser.get("/window").status_code == 200
    assert desk.browser.get("/archive").status_code == 403
    assert "当前代表" in desk.browser.get("/account").text
    with desk.house.rooms.database.reading() as uow:
        refused = select(LedgerAct.organisation).where(LedgerAct.kind == "access.refused")
        assert list(uow.session.scalars(refused)) == ["scjg", "jtys-ck"]


def test_nobody_acts_where_they_have_no_post(desk: Desk) -> None:
    assert desk.switch("zhzf").status_code == 403


def test_a_post_that_is_taken_away_is_acted_in_no_longer(desk: Desk) -> None:
    desk.switch("jtys-ck")
    with desk.house.rooms.database.writing() as uow:
        uow.session.scalars(select(Account).where(Account.id != "op-1")).one().posts = None
    assert desk.browser.get("/window").status_code == 403
    assert desk.browser.get("/archive").status_code == 200


def test_a_person_with_one_post_has_nothing_to_switch(house: House) -> None:
    assert 'action="/account/acting"' not in house.browser(Role.ARCHIVIST).get("/account").text


def test_supervision_counts_and_lists_the_acts_of_its_own_subtree(house: House) -> None:
    with house.rooms.database.writing() as uow:
        for organisation in ("scjg", "scjg-ck", "jtys"):
            uow.record(
                Act(
                    kind=ActKind.ACCESS_REFUSED,
                    actor=Identity(
                        "person", f"clerk-of-{organisation}", organisation, frozenset({Role.CLERK})
                    ),
                    object_type="route",
                    object_id="x",
                    outcome=Outcome.REFUSED,
                    reasons=["role"],
                )
            )
    seen = {}
    for supervisor in ("dsj", "scjg", "jtys"):
        page = house.browser(Role.SUPERVISOR, supervisor).get("/supervision/refusals").text
        seen[supervisor] = {one for one in ("scjg", "scjg-ck", "jtys") if f"clerk-of-{one}<" in page}
    assert seen == {"dsj": {"scjg", "scjg-ck", "jtys"}, "scjg": {"scjg", "scjg-ck"}, "jtys": {"jtys"}}
    assert "clerk-of-jtys" in house.browser(Role.AUDIT_ADMIN, "office").get("/supervision/refusals").text
