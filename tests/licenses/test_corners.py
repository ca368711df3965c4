# SPDX-License-Identifier: Apache-2.0
"""Codes and copies in the hands of somebody who means ill: at once, too late, from the wrong desk."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from copy_desk import Desk
from license_house import House
from license_library import (
    BUSINESS,
    CLERK,
    CLIENT,
    COMPANY,
    FOOD,
    GROUNDS,
    MANAGER,
    OTHER,
    SUPERVISOR,
    Library,
    every_client_runs,
    on_case,
)
from sqlalchemy import select, update

from cases.models import Case
from licenses.codes.errors import CodeOfAnotherError, CodeRefusedError
from licenses.codes.models import AuthorisationCode
from licenses.codes.services import CodeService, CodeWish, Mode, code_terms
from licenses.copies.errors import CopyLinkError, CopyNotReadyError, CopyRefusedError, CopyUnknownError
from licenses.copies.models import CopyLink, LicenseCopy
from licenses.copies.services import CopyService
from licenses.lifecycle import Status
from licenses.models import LicenseUsage
from licenses.rules import RuleBook
from storage.errors import CunzhengError
from storage.identity import PUBLIC, AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run works in threads that begin together; give what each gave, or how it was refused."""
    line, ends = threading.Barrier(len(works)), list[object]([None] * len(works))

    def run(place: int, work: Callable[[], object]) -> None:
        line.wait(10)
        try:
            ends[place] = work()
        except CunzhengError as refusal:
            ends[place] = refusal

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ends


class Codes:
    """A library with an issued business licence, its holder, and an open case of the holder."""

    def __init__(self, library: Library) -> None:
        self.library, self.database = library, library.database
        self.licence = library.issue(BUSINESS)
        self.case: Case = library.announce(FOOD)
        self.service = CodeService(library.reader, library.holdings, RuleBook.load())
        self.copies = CopyService(library.reader, library.holdings, every_client_runs)
        basis = AccessBasis(Basis.HOLDER)
        self.holder = Identity("holder", self.licence.holder_id, "", frozenset({Role.HOLDER}), basis)

    def made(
        self, who: Identity | None = None, mode: Mode = Mode.OWN, party: tuple[str, str] | None = None
    ) -> tuple[str, str]:
        """Make a code; give its id and its secret."""
        wish = CodeWish(self.licence.identifier, mode, "hand-in" if mode is Mode.OWN else "", party=party)
        with self.database.writing() as uow:
            made = self.service.make(uow, who or self.holder, wish)
        return made.id, made.secret

    def read(self, secret: str, who: Identity = CLERK) -> str:
        return self.database.write(lambda uow: self.service.read(uow, who, secret).status.code)

    def refused(self, secret: str, who: Identity) -> None:
        with pytest.raises(CodeRefusedError) as refusal:
            self.read(secret, who)
        self.database.write(refusal.value.record)

    def used(self, code: str) -> int:
        with self.database.reading() as uow:
            return uow.session.get_one(AuthorisationCode, code).uses

    def revoke(self, code: str) -> None:
        self.database.write(lambda uow: self.service.revoke(uow, self.holder, code))

    def acts(self) -> list[str]:
        with self.database.reading() as uow:
            return list(uow.session.scalars(select(LedgerAct.kind)))


@pytest.fixture
def codes(library: Library) -> Codes:
    return Codes(library)


def test_of_two_who_use_the_last_use_at_once_one_gets_it(codes: Codes) -> None:
    code, secret = codes.made()
    for _ in range(code_terms().uses - 1):
        codes.read(secret)
    ends = at_once(*[lambda: codes.read(secret)] * 4)
    assert sorted(map(str, (isinstance(one, CodeRefusedError) for one in ends))) == ["False"] + ["True"] * 3
    assert codes.used(code) == code_terms().uses
    assert codes.acts().count("code.used") == codes.acts().count("license.read") == code_terms().uses


def test_whoever_uses_a_code_while_it_is_revoked_is_recorded_or_refused(codes: Codes) -> None:
    code, secret = codes.made()
    ends = at_once(lambda: codes.read(secret), lambda: codes.revoke(code), lambda: codes.read(secret))
    read = [one for one in ends if one == Status.VALID]
    assert codes.used(code) == len(read) == codes.acts().count("license.read")
    codes.refused(secret, CLERK)
    assert codes.acts().count("code.revoked") == 1


def test_a_code_used_after_the_licence_was_suspended_says_so_and_gives_no_copy(codes: Codes) -> None:
    code, secret = codes.made()
    with codes.database.writing() as uow:
        codes.library.service.suspend(uow, MANAGER, codes.licence.identifier, GROUNDS)
    assert codes.read(secret) == Status.SUSPENDED
    with pytest.raises(CopyRefusedError) as refusal, codes.database.writing() as uow:
        codes.copies.order_for(uow, *codes.service.redeem(uow, CLERK, secret))
    codes.database.write(refusal.value.record)
    assert codes.used(code) == 1, "what gave nothing used nothing up"
    with codes.database.reading() as uow:
        assert uow.session.scalars(select(LicenseCopy)).all() == []
        refused = select(LicenseUsage.reason).where(LicenseUsage.action == "copy")
        assert uow.session.scalars(refused).all() == ["licence-suspended"]


@pytest.mark.parametrize("mode", [Mode.FUNCTION, Mode.ONLINE])
@pytest.mark.parametrize(
    "change",
    [
        {"operator": "operator-8"},
        {"id": "client-2"},
        {"organisation": "jtys"},
        {"items": frozenset({"339999020001"})},
        {"scopes": frozenset({"announce"})},
        {"sources": frozenset({"hall"})},
        {"operator": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_made_for_a_system_at_work_ends_with_its_right_to_the_case(
    codes: Codes, mode: Mode, change: dict[str, object]
) -> None:
    client = on_case(CLIENT, codes.case)
    code, secret = codes.made(client, mode, COMPANY[:2] if mode is Mode.ONLINE else None)
    codes.refused(secret, replace(client, **change))  # type: ignore[arg-type] # the tests' own names
    assert codes.used(code) == 0
    assert codes.read(secret, client) == Status.VALID


def test_what_was_made_for_a_clerk_is_good_for_that_clerk_in_that_office_alone(codes: Codes) -> None:
    clerk = on_case(CLERK, codes.case)
    _, secret = codes.made(clerk, Mode.FUNCTION)
    for who in (
        replace(clerk, id="clerk-2"),
        replace(clerk, organisation="jtys"),
        replace(clerk, roles=frozenset({Role.ARCHIVIST})),
        on_case(SUPERVISOR, codes.case),
        CLIENT,
    ):
        codes.refused(secret, who)
    assert codes.read(secret, CLERK) == Status.VALID


def test_a_holder_of_another_licence_neither_sees_nor_ends_a_code(codes: Codes) -> None:
    code, _ = codes.made()
    other = codes.library.issue(BUSINESS, OTHER, number="N0000000009")
    stranger = replace(codes.holder, id=other.holder_id)
    with codes.database.writing() as uow:
        assert codes.service.own(uow, stranger) == []
        with pytest.raises(CodeOfAnotherError):
            codes.service.revoke(uow, stranger, code)


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def suspended(desk: Desk, *, resume: bool = False) -> None:
    change = desk.house.library.service
    with desk.database.writing() as uow:
        (change.resume if resume else change.suspend)(uow, MANAGER, desk.licence.identifier, GROUNDS)


def test_of_many_who_show_a_link_at_once_one_gets_the_copy(desk: Desk) -> None:
    copy = desk.made()
    secret = desk.link(copy)
    hand_out = desk.house.copies.hand_out
    ends = at_once(*[lambda: desk.database.write(lambda uow: hand_out(uow, PUBLIC, copy.id, secret))] * 4)
    assert sum(isinstance(one, CopyLinkError) for one in ends) == 3
    assert desk.uses().count(("copy-out", "COPIED", None)) == 1


def test_a_licence_suspended_between_the_look_and_the_hand_out_stops_it_and_uses_no_link(desk: Desk) -> None:
    """The bytes are read before the link is used up; they leave only once that is recorded."""
    copy = desk.made()
    secret = desk.link(copy)
    with desk.database.reading() as uow:
        desk.house.copies.peek(uow, PUBLIC, copy.id, secret)
    suspended(desk)
    with pytest.raises(CopyNotReadyError):
        desk.hand_out(copy, secret)
    assert ("copy-out", "COPIED", None) not in desk.uses()
    suspended(desk, resume=True)
    assert desk.hand_out(copy, secret) == copy.object_sha256
    with pytest.raises(CopyLinkError):
        desk.hand_out(copy, secret)


def test_a_link_is_good_until_its_last_second_and_no_longer(desk: Desk) -> None:
    copy = desk.made()
    first, second = desk.link(copy), desk.link(copy)
    clock = desk.house.library.clock
    clock.advance(15 * 60 - 1)
    assert desk.hand_out(copy, first) == copy.object_sha256
    clock.advance(1)
    for action in (lambda: desk.hand_out(copy, second), lambda: peeked(desk, copy, second)):
        with pytest.raises(CopyLinkError):
            action()
    assert desk.uses().count(("copy-out", "COPIED", None)) == 1


def peeked(desk: Desk, copy: LicenseCopy, secret: str) -> str:
    with desk.database.reading() as uow:
        return desk.house.copies.peek(uow, PUBLIC, copy.id, secret)


def test_a_link_to_a_copy_whose_term_ended_gives_nothing(desk: Desk) -> None:
    copy = desk.made(days=1)
    secret = desk.link(copy)
    with desk.database.writing() as uow:
        uow.session.execute(update(CopyLink).values(expires_at=uow.clock.now().replace(year=2099)))
    desk.house.library.clock.advance(86_400)
    with pytest.raises(CopyNotReadyError) as refused:
        desk.hand_out(copy, secret)
    assert refused.value.facts == {"reason": "expired"}


@pytest.mark.parametrize(
    "who",
    [
        CLERK,
        replace(CLERK, organisation="jtys"),
        replace(CLIENT, id="client-2"),
        MANAGER,
        replace(SUPERVISOR, organisation="jtys"),
        Identity("holder", "somebody", "", frozenset({Role.HOLDER})),
    ],
    ids=lambda who: f"{who.id} {who.organisation}",
)
def test_a_copy_is_nothing_to_another_desk_system_or_holder(desk: Desk, who: Identity) -> None:
    copy = desk.made()
    for ask in (desk.house.copies.get, desk.house.copies.link):
        with pytest.raises(CopyUnknownError), desk.database.writing() as uow:
            ask(uow, who, copy.id)


def test_who_may_look_at_a_copy_gets_no_link_to_it(desk: Desk) -> None:
    copy = desk.made()
    holder = Identity("holder", desk.licence.holder_id, "", frozenset({Role.HOLDER}))
    for who in (SUPERVISOR, holder):
        with desk.database.writing() as uow:
            assert desk.house.copies.get(uow, who, copy.id).id == copy.id
            with pytest.raises(CopyUnknownError):
                desk.house.copies.link(uow, who, copy.id)


LOST = [
    {"operator": "operator-8"},
    {"operator": None},
    {"organisation": "jtys"},
    {"items": frozenset({"339999020001"})},
    {"scopes": frozenset({"announce"})},
    {"sources": frozenset({"hall"})},
    {"roles": frozenset({Role.PUBLIC})},
]


@pytest.mark.parametrize("change", LOST, ids=lambda change: f"{next(iter(change))}-{len(str(change))}")
def test_a_copy_ordered_at_work_ends_with_the_right_to_its_case(
    desk: Desk, change: dict[str, object]
) -> None:
    copy = desk.made()
    changed = replace(CLIENT, **change)  # type: ignore[arg-type] # the tests' own names
    for ask in (desk.house.copies.get, desk.house.copies.link):
        with pytest.raises(CopyUnknownError), desk.database.writing() as uow:
            ask(uow, changed, copy.id)
    assert desk.hand_out(copy, desk.link(copy)) == copy.object_sha256


@pytest.mark.parametrize(
    "change", [{"organisation": "jtys"}, {"roles": frozenset({Role.ARCHIVIST})}, {"id": "clerk-2"}]
)
def test_a_clerk_s_copy_is_that_clerk_s_at_that_window_alone(desk: Desk, change: dict[str, object]) -> None:
    copy = desk.made(desk.asks(CLERK))
    changed = replace(CLERK, **change)  # type: ignore[arg-type] # the tests' own names
    for ask in (desk.house.copies.get, desk.house.copies.link):
        with pytest.raises(CopyUnknownError), desk.database.writing() as uow:
            ask(uow, changed, copy.id)
    assert desk.hand_out(copy, desk.link(copy, CLERK)) == copy.object_sha256


def test_when_its_case_is_closed_a_copy_is_told_of_and_handed_out_no_more(desk: Desk) -> None:
    """What the case needed of it lies in its dossier by then."""
    copy = desk.made()
    secret = desk.link(copy)
    with desk.database.writing() as uow:
        uow.session.get_one(Case, desk.case.id).closed_at = uow.clock.now()
    for action in (
        lambda: desk.link(copy),
        lambda: peeked(desk, copy, secret),
        lambda: desk.hand_out(copy, secret),
    ):
        with pytest.raises(CopyNotReadyError) as refused:
            action()
        assert refused.value.facts == {"reason": "case-closed"}
    with desk.database.writing() as uow:
        assert desk.house.copies.get(uow, CLIENT, copy.id).state == "made"
    assert ("copy-out", "COPIED", None) not in desk.uses()


@pytest.mark.parametrize(
    ("change", "still"),
    [({}, True), ({"operator": "operator-8"}, False), ({"scopes": frozenset({"announce"})}, False)],
    ids=["same", "operator", "scope"],
)
def test_a_copy_on_the_holder_s_word_stays_with_the_operator_who_was_given_it(
    desk: Desk, change: dict[str, object], still: bool
) -> None:
    copy = desk.made()
    with desk.database.writing() as uow:
        uow.session.execute(update(LicenseCopy).values(basis="holder", purpose="hand-in", case_id=None))
    who = replace(CLIENT, **change)  # type: ignore[arg-type] # the tests' own names
    if still:
        assert desk.link(copy, who)
        return
    with pytest.raises(CopyUnknownError):
        desk.link(copy, who)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ARCHIVIST])
def test_a_copy_for_office_use_ends_with_the_office(desk: Desk, role: Role) -> None:
    basis = AccessBasis(
        *{
            Role.SUPERVISOR: (Basis.SUPERVISION, None, None, "inspect"),
            Role.ARCHIVIST: (Basis.FILING, None, None, "archive"),
        }[role]
    )
    who = Identity("person", "official-1", "scjg", frozenset({role}))
    copy = desk.made(who.on(basis))
    assert desk.hand_out(copy, desk.link(copy, who)) == copy.object_sha256
    for changed in (replace(who, roles=frozenset({Role.CLERK})), replace(who, organisation="jtys")):
        with pytest.raises(CopyUnknownError):
            desk.link(copy, changed)


@pytest.mark.parametrize(("days", "state"), [(1, "refused"), (2, "made")])
def test_a_copy_that_waited_beyond_its_term_is_not_made(desk: Desk, days: int, state: str) -> None:
    ordered = desk.order(days=days)
    desk.house.library.clock.advance(86_400)
    desk.house.work()
    copy = desk.copy(ordered)
    assert (copy.state, copy.reason) == (state, "expired" if state == "refused" else None)
    assert ("copy", "REFUSED", "expired") in desk.uses() or state == "made"
