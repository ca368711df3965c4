# SPDX-License-Identifier: Apache-2.0
"""Rights change by two persons: one asks, another decides, and the third administrator sees both."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from sqlalchemy import select
from tooling import ROOT

from portal.accounts.errors import (
    AccountUnknownError,
    ChangeClosedError,
    ChangeUnknownError,
    ClientUnknownError,
    LastAdministratorError,
    SecondPersonError,
)
from portal.accounts.models import Account, Client, RightChange
from portal.accounts.rights import ADMINISTRATORS, NewAccount, NewClient, add_account
from portal.errors import RolesExcludeError, UnauthenticatedError
from storage.errors import CunzhengError, InvalidInputError, NotPermittedError
from storage.identity import Identity, Role

from .conftest import ADMINISTRATOR, House

CLERK = NewAccount(name="演示新同事", organisation="scjg", roles=frozenset({Role.CLERK}))


@pytest.fixture
def system(house: House) -> Identity:
    return person(house, Role.SYSTEM_ADMIN)


@pytest.fixture
def security(house: House) -> Identity:
    return person(house, Role.SECURITY_ADMIN)


def person(house: House, *roles: Role, organisation: str = "office") -> Identity:
    new = NewAccount(name="演示管理员", organisation=organisation, roles=frozenset(roles))
    with house.rooms.database.writing() as uow:
        account = add_account(uow, ADMINISTRATOR, new)
        return Identity("person", account.id, organisation, frozenset(roles))


def system_named(house: House) -> NewClient:
    return NewClient(
        name="演示新系统",
        organisation="scjg",
        sources=frozenset({"ycsl"}),
        scopes=frozenset({"ask"}),
        items=frozenset({"339999010002"}),
        operators=frozenset(),
        expires_at=house.clock.now() + dt.timedelta(days=30),
    )


def ask(house: House, who: Identity, new: NewAccount = CLERK) -> RightChange:
    return house.rooms.database.write(lambda uow: house.rooms.rights.add_account(uow, who, new, "新入职"))


def approve(house: House, who: Identity, change: str) -> None:
    house.rooms.database.write(lambda uow: house.rooms.rights.approve(uow, who, change, "同意"))


def running(house: House, account_id: str) -> Account | None:
    with house.rooms.database.reading() as uow:
        found = uow.session.get(Account, account_id)
        return None if found is None or found.ended_at is not None else found


def test_a_person_is_added_when_a_second_one_approves(
    house: House, system: Identity, security: Identity
) -> None:
    change = ask(house, system)
    assert running(house, change.object_id) is None
    approve(house, security, change.id)
    added = running(house, change.object_id)
    assert added is not None
    assert (added.organisation, added.roles) == ("scjg", ["clerk"])
    assert house.acts()[-3:] == ["right.requested", "right.approved", "account.added"]


def test_what_is_asked_for_is_shown_with_name_reason_and_who_asked(
    house: House, system: Identity, security: Identity
) -> None:
    change = ask(house, system)
    with house.rooms.database.reading() as uow:
        (shown,) = house.rooms.rights.open(uow, security)
        assert (shown.name, shown.reason, shown.row.requested_by) == ("演示新同事", "新入职", system.id)
        assert shown.row.id == change.id
    assert not house.some_core_holds("演示新同事".encode())


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM_ADMIN}))
def test_nobody_but_a_system_administrator_asks(house: House, system: Identity, role: Role) -> None:
    with pytest.raises(NotPermittedError):
        ask(house, replace(system, roles=frozenset({role})))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SECURITY_ADMIN}))
@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_nobody_but_a_security_administrator_decides(
    house: House, system: Identity, security: Identity, role: Role, decision: str
) -> None:
    change = ask(house, system)
    other = replace(security, roles=frozenset({role}))
    with pytest.raises(NotPermittedError), house.rooms.database.writing() as uow:
        getattr(house.rooms.rights, decision)(uow, other, change.id, "同意")
    assert running(house, change.object_id) is None


def test_who_asked_does_not_decide_even_with_both_roles(house: House, system: Identity) -> None:
    change = ask(house, system)
    both = replace(system, roles=frozenset({Role.SECURITY_ADMIN}))
    with pytest.raises(SecondPersonError):
        approve(house, both, change.id)


def test_whom_it_concerns_does_not_decide(house: House, system: Identity, security: Identity) -> None:
    rights = house.rooms.rights
    change = house.rooms.database.write(
        lambda uow: rights.change_post(uow, system, security.id, "scjg", frozenset({Role.CLERK}), "兼职")
    )
    with pytest.raises(SecondPersonError):
        approve(house, security, change.id)
    approve(house, person(house, Role.SECURITY_ADMIN), change.id)
    account = running(house, security.id)
    assert account is not None
    assert account.posts == {"scjg": ["clerk"]}


def test_a_change_is_decided_once(house: House, system: Identity, security: Identity) -> None:
    change = ask(house, system)
    approve(house, security, change.id)
    with pytest.raises(ChangeClosedError):
        approve(house, security, change.id)
    with pytest.raises(ChangeClosedError), house.rooms.database.writing() as uow:
        house.rooms.rights.withdraw(uow, system, change.id, "不需要")


def test_a_refused_change_changes_nothing(house: House, system: Identity, security: Identity) -> None:
    change = ask(house, system)
    house.rooms.database.write(lambda uow: house.rooms.rights.refuse(uow, security, change.id, "理由不足"))
    assert running(house, change.object_id) is None
    assert house.acts()[-1] == "right.refused"


def test_only_who_asked_withdraws(house: House, system: Identity, security: Identity) -> None:
    change = ask(house, system)
    other = person(house, Role.SYSTEM_ADMIN)
    with pytest.raises(ChangeUnknownError), house.rooms.database.writing() as uow:
        house.rooms.rights.withdraw(uow, other, change.id, "不需要")
    house.rooms.database.write(lambda uow: house.rooms.rights.withdraw(uow, system, change.id, "不需要"))
    assert house.acts()[-1] == "right.withdrawn"
    with pytest.raises(ChangeClosedError):
        approve(house, security, change.id)


def test_after_seven_days_nobody_decides(house: House, system: Identity, security: Identity) -> None:
    change = ask(house, system)
    house.clock.advance(dt.timedelta(days=7).total_seconds())
    with pytest.raises(ChangeClosedError):
        approve(house, security, change.id)
    with house.rooms.database.reading() as uow:
        assert house.rooms.rights.open(uow, security) == []
        assert [one.late for one in house.rooms.rights.past(uow, security)] == [True]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": " "}, InvalidInputError),
        ({"name": "a\u202eb"}, InvalidInputError),
        ({"organisation": "nowhere"}, InvalidInputError),
        ({"roles": frozenset()}, InvalidInputError),
        ({"roles": frozenset({Role.CLIENT})}, InvalidInputError),
        ({"roles": frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN})}, RolesExcludeError),
    ],
)
def test_what_could_not_be_carried_out_cannot_be_asked_for(
    house: House, system: Identity, change: dict[str, object], error: type[CunzhengError]
) -> None:
    with pytest.raises(error):
        ask(house, system, replace(CLERK, **change))  # type: ignore[arg-type]  # wrong on purpose
    assert "right.requested" not in house.acts()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\u200bb"])
def test_a_change_has_a_reason(house: House, system: Identity, reason: str) -> None:
    with pytest.raises(InvalidInputError), house.rooms.database.writing() as uow:
        house.rooms.rights.add_account(uow, system, CLERK, reason)


def test_an_account_that_ends_signs_in_no_more_and_its_sessions_end(
    house: House, system: Identity, security: Identity
) -> None:
    browser = house.browser(Role.ARCHIVIST)
    assert browser.get("/account").status_code == 200
    with house.rooms.database.reading() as uow:
        (account,) = house.rooms.accounts.with_role(uow, Role.ARCHIVIST)
    change = house.rooms.database.write(
        lambda uow: house.rooms.rights.end_account(uow, system, account.id, "离职")
    )
    approve(house, security, change.id)
    assert browser.get("/account").status_code != 200
    assert running(house, account.id) is None
    with pytest.raises(AccountUnknownError), house.rooms.database.writing() as uow:
        house.rooms.rights.end_account(uow, system, account.id, "离职")


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_the_last_administrator_of_a_kind_stays(house: House, role: Role) -> None:
    with house.rooms.database.reading() as uow:
        assert house.rooms.accounts.with_role(uow, role) == []
    held = {one: person(house, one) for one in ADMINISTRATORS}
    second = person(house, Role.SECURITY_ADMIN) if role is not Role.SECURITY_ADMIN else None
    system, security = held[Role.SYSTEM_ADMIN], second or held[Role.SECURITY_ADMIN]
    rights = house.rooms.rights
    change = house.rooms.database.write(
        lambda uow: rights.change_post(uow, system, held[role].id, "office", frozenset(), "调岗")
    )
    if role is Role.SECURITY_ADMIN:
        with pytest.raises(SecondPersonError):
            approve(house, security, change.id)
        return
    with pytest.raises(LastAdministratorError):
        approve(house, security, change.id)
    assert running(house, held[role].id) is not None
    with house.rooms.database.reading() as uow:
        assert [one.row.id for one in rights.open(uow, security)] == [change.id], "it stays open"


def test_a_new_systems_key_opens_nothing_before_approval(
    house: House, system: Identity, security: Identity
) -> None:
    rights, new = house.rooms.rights, system_named(house)
    change, key = house.rooms.database.write(lambda uow: rights.add_client(uow, system, new, "对接"))
    with pytest.raises(UnauthenticatedError), house.rooms.database.reading() as uow:
        house.rooms.accounts.client(uow, key, None)
    approve(house, security, change.id)
    with house.rooms.database.reading() as uow:
        assert house.rooms.accounts.client(uow, key, None).scopes == {"ask"}
        client = uow.session.scalars(select(Client.id)).one()
    end = house.rooms.database.write(lambda uow: rights.end_client(uow, system, client, "停用"))
    approve(house, security, end.id)
    with pytest.raises(UnauthenticatedError), house.rooms.database.reading() as uow:
        house.rooms.accounts.client(uow, key, None)
    with pytest.raises(ClientUnknownError), house.rooms.database.writing() as uow:
        rights.end_client(uow, system, client, "停用")


def test_a_request_from_before_an_upgrade_is_granted_without_the_scope_that_is_no_longer_offered(
    house: House, system: Identity, security: Identity
) -> None:
    rights, new = house.rooms.rights, system_named(house)
    change, key = house.rooms.database.write(lambda uow: rights.add_client(uow, system, new, "对接"))
    with house.rooms.database.writing() as uow:
        row = uow.session.get_one(RightChange, change.id)
        row.terms = row.terms | {"scopes": ["ask", "verify"]}
    approve(house, security, change.id)
    with house.rooms.database.reading() as uow:
        assert house.rooms.accounts.client(uow, key, None).scopes == {"ask"}


def test_roles_that_came_to_exclude_each_other_meanwhile_are_not_granted(
    house: House, system: Identity, security: Identity
) -> None:
    clerk = person(house, Role.CLERK, organisation="scjg")
    wanted = {"scjg": frozenset({Role.CLERK, Role.ARCHIVIST}), "dsj": frozenset({Role.SUPERVISOR})}
    first, second = (
        house.rooms.database.write(
            lambda uow, code=code, roles=roles: house.rooms.rights.change_post(  # type: ignore[misc]  # a loop
                uow, system, clerk.id, code, roles, "轮岗"
            )
        )
        for code, roles in wanted.items()
    )
    approve(house, security, first.id)
    with pytest.raises(RolesExcludeError):
        approve(house, security, second.id)


def test_nobody_else_gives_rights() -> None:
    """Rights are given by set-up, by the demonstration and by two persons."""
    giving = ("portal.accounts.rights", "portal.clients.keys")
    pattern = re.compile(
        r"\b(add_account|add_client|keep_client|change_post|end_account|end_client|add_key|end_key)\b"
    )
    callers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "portal").rglob("*.py")
        if "portal.accounts import rights" in path.read_text()
        or "portal.clients import keys" in path.read_text()
        or any(
            pattern.search(line)
            for line in path.read_text().splitlines()
            if line.startswith(
                tuple(f"{space}from {room} import" for space in ("", "    ") for room in giving)
            )
        )
    }
    assert callers == {
        "portal/accounts/carrying.py",
        "portal/accounts/changes.py",
        "portal/demo/people.py",
        "portal/initialise.py",
        "portal/web/api_client_keys.py",
    }
