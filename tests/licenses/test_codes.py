# SPDX-License-Identifier: Apache-2.0
"""Authorisation codes: random, for one licence and one purpose, short-lived, counted, revocable.

Existing systems make them of a time stamp and letters, so that they can be guessed, and keep them in clear.
"""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from license_library import (
    BUSINESS,
    CLERK,
    CLIENT,
    COMPANY,
    FOOD,
    OTHER,
    PERSON,
    ROAD,
    SUPERVISOR,
    Library,
    on_case,
)
from sqlalchemy import select

from cases.models import Case
from licenses.codes.errors import CodeNotGrantedError, CodeOfAnotherError, CodeRefusedError, CodeTermsError
from licenses.codes.models import AuthorisationCode
from licenses.codes.services import CodeService, CodeWish, MadeCode, Mode, code_terms
from licenses.errors import LicenseHiddenError
from licenses.models import License, LicenseUsage
from licenses.rules import RuleBook
from licenses.views import LicenseView
from storage.errors import NotPermittedError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct


class Codes:
    """A library with an issued business licence, its holder, and an open case of the holder."""

    def __init__(self, library: Library) -> None:
        self.library, self.database = library, library.database
        self.licence: License = library.issue(BUSINESS)
        self.case: Case = library.announce(FOOD)
        self.service = CodeService(library.reader, library.holdings, RuleBook.load())
        basis = AccessBasis(Basis.HOLDER)
        self.holder = Identity("holder", self.licence.holder_id, "", frozenset({Role.HOLDER}), basis)

    def wish(self, mode: Mode = Mode.OWN, **changes: object) -> CodeWish:
        purpose = "hand-in" if mode in {Mode.OWN, Mode.DELEGATED} else ""
        values: dict[str, object] = {"identifier": self.licence.identifier, "mode": mode, "purpose": purpose}
        return CodeWish(**(values | changes))  # type: ignore[arg-type] # the tests' own names

    def make(self, wish: CodeWish | None = None, who: Identity | None = None) -> MadeCode:
        with self.database.writing() as uow:
            return self.service.make(uow, who or self.holder, wish or self.wish())

    def read(self, secret: str, who: Identity = CLERK, party: tuple[str, str] | None = None) -> LicenseView:
        with self.database.writing() as uow:
            return self.service.read(uow, who, secret, party)

    def refusal(
        self, secret: str, who: Identity = CLERK, party: tuple[str, str] | None = None
    ) -> dict[str, object]:
        """Give everything that the caller is told of a refusal, having recorded it as the portal does."""
        with pytest.raises(CodeRefusedError) as refused:
            self.read(secret, who, party)
        with self.database.writing() as uow:
            refused.value.record(uow)
        error = refused.value
        return {"code": error.code, "status": error.status, "facts": dict(error.facts), "text": str(error)}

    def uses(self) -> list[tuple[str, str, str]]:
        with self.database.reading() as uow:
            rows = uow.session.scalars(select(LicenseUsage))
            return sorted((row.action, row.result, row.basis) for row in rows)


@pytest.fixture
def codes(library: Library) -> Iterator[Codes]:
    return Codes(library)  # type: ignore[return-value] # nothing is to be closed


def test_a_code_is_128_random_bits_that_stand_nowhere_in_clear(codes: Codes) -> None:
    """Ends codes made of a time stamp, which can be guessed."""
    made = [codes.make() for _ in range(20)]
    secrets = {base64.urlsafe_b64decode(one.secret + "==") for one in made}
    assert len(secrets) == 20
    assert {len(one) for one in secrets} == {16}
    bits = [sum(byte >> place & 1 for one in secrets for byte in one[:4]) for place in range(8)]
    assert all(20 <= count <= 60 for count in bits), "no bit of the first four bytes is the same in all"
    with codes.database.reading() as uow:
        kept = uow.session.scalars(select(AuthorisationCode.secret_hash)).all()
        cores = b"".join(uow.session.scalars(select(LedgerAct.core)))
    assert set(kept) == {hashlib.sha256(one).digest() for one in secrets}
    assert not any(one.secret.encode() in cores for one in made)


def test_a_holder_s_code_lets_a_clerk_read_the_licence_on_the_holder_s_word(codes: Codes) -> None:
    made = codes.make()
    view = codes.read(made.secret)
    assert view.identifier == codes.licence.identifier
    assert view.face["legal_representative"] != "张演示", "masked as in every look"
    assert codes.uses() == [("code", "MADE", "holder"), ("read", "READ", "holder")]


def test_wrong_expired_revoked_and_used_up_codes_look_alike(codes: Codes) -> None:
    used, revoked, expired = codes.make(), codes.make(), codes.make(codes.wish(minutes=1))
    for _ in range(code_terms().uses):
        codes.read(used.secret)
    with codes.database.writing() as uow:
        codes.service.revoke(uow, codes.holder, revoked.id)
    codes.library.clock.advance(61)
    delegated = codes.make(codes.wish(Mode.DELEGATED, party=PERSON[:2]))
    told = [
        codes.refusal(one)
        for one in (used.secret, revoked.secret, expired.secret, delegated.secret, "A" * 22, "", "用证码")
    ]
    told += [codes.refusal(delegated.secret, CLERK, ("111", "malformed"))]
    assert all(one == told[0] for one in told)


def test_a_refused_code_is_recorded_and_its_holder_sees_it(codes: Codes) -> None:
    made = codes.make(codes.wish(minutes=1))
    codes.library.clock.advance(61)
    codes.refusal(made.secret)
    assert ("code", "REFUSED", "none") in codes.uses()


def test_only_the_named_delegate_s_code_works(codes: Codes) -> None:
    made = codes.make(codes.wish(Mode.DELEGATED, party=PERSON[:2]))
    codes.refusal(made.secret)
    codes.refusal(made.secret, party=COMPANY[:2])
    assert codes.read(made.secret, party=PERSON[:2]).identifier == codes.licence.identifier
    with codes.database.reading() as uow:
        (row,) = uow.session.scalars(select(AuthorisationCode))
    assert row.delegate_hash is not None
    assert PERSON[1].encode() not in row.delegate_hash
    assert row.uses == 1


def test_a_system_makes_a_code_for_its_signed_in_applicant_and_for_nobody_else(codes: Codes) -> None:
    client = on_case(CLIENT, codes.case)
    made = codes.make(codes.wish(Mode.ONLINE, party=COMPANY[:2]), client)
    assert codes.read(made.secret, client).identifier == codes.licence.identifier
    for party in (None, OTHER[:2], ("001", "malformed")):
        with pytest.raises(CodeTermsError):
            codes.make(codes.wish(Mode.ONLINE, party=party), client)
    codes.refusal(made.secret, CLERK)


@pytest.mark.parametrize("who", [CLERK, CLIENT], ids=["clerk", "system"])
def test_by_function_goes_only_where_the_item_uses_that_type_of_licence(codes: Codes, who: Identity) -> None:
    made = codes.make(codes.wish(Mode.FUNCTION), on_case(who, codes.case))
    assert codes.read(made.secret, on_case(who, codes.case)).identifier == codes.licence.identifier
    other = codes.library.issue(ROAD, COMPANY)
    with pytest.raises(CodeNotGrantedError) as refused:
        codes.make(codes.wish(Mode.FUNCTION, identifier=other.identifier), on_case(who, codes.case))
    with codes.database.writing() as uow:
        refused.value.record(uow)
    assert ("code", "REFUSED", "case") in codes.uses()


def test_a_code_for_a_case_ends_with_the_case(codes: Codes) -> None:
    clerk = on_case(CLERK, codes.case)
    made = codes.make(codes.wish(Mode.FUNCTION), clerk)
    with codes.database.writing() as uow:
        uow.session.get_one(Case, codes.case.id).closed_at = uow.clock.now()
    codes.refusal(made.secret, clerk)


def test_without_an_open_case_of_the_holder_nobody_but_the_holder_makes_a_code(codes: Codes) -> None:
    strangers = codes.library.announce(FOOD, OTHER)
    for who in (on_case(CLIENT, strangers), on_case(CLERK, strangers), CLIENT):
        with pytest.raises(LicenseHiddenError):
            codes.make(codes.wish(Mode.FUNCTION), who)
    with pytest.raises(LicenseHiddenError):
        codes.make(codes.wish(), on_case(CLERK, codes.case))
    somebody = Identity("holder", "somebody", "", frozenset({Role.HOLDER}))
    with pytest.raises(LicenseHiddenError):
        codes.make(codes.wish(), somebody)


@pytest.mark.parametrize(
    "changes", [{"purpose": ""}, {"purpose": "accept"}, {"minutes": 0}, {"minutes": 10081}]
)
def test_a_code_has_a_published_purpose_and_a_time_of_a_minute_to_seven_days(
    codes: Codes, changes: dict[str, object]
) -> None:
    with pytest.raises(CodeTermsError):
        codes.make(codes.wish(**changes))  # type: ignore[arg-type] # the tests' own names


def test_the_usual_time_is_fifteen_minutes(codes: Codes) -> None:
    made = codes.make()
    codes.library.clock.advance(14 * 60 + 59)
    codes.read(made.secret)
    codes.library.clock.advance(2)
    codes.refusal(made.secret)


def test_a_delegated_code_names_its_delegate(codes: Codes) -> None:
    with pytest.raises(CodeTermsError):
        codes.make(codes.wish(Mode.DELEGATED))


def test_a_holder_sees_and_revokes_every_code_for_own_licences_and_no_other(codes: Codes) -> None:
    own, by_clerk = codes.make(), codes.make(codes.wish(Mode.FUNCTION), on_case(CLERK, codes.case))
    with codes.database.writing() as uow:
        assert {one.id for one in codes.service.own(uow, codes.holder)} == {own.id, by_clerk.id}
        codes.service.revoke(uow, codes.holder, by_clerk.id)
        codes.service.revoke(uow, codes.holder, by_clerk.id)
    codes.refusal(by_clerk.secret, on_case(CLERK, codes.case))
    stranger = Identity("holder", "somebody", "", frozenset({Role.HOLDER}))
    for code in (own.id, "unknown"):
        with codes.database.writing() as uow, pytest.raises(CodeOfAnotherError):
            codes.service.revoke(uow, stranger, code)
    with codes.database.writing() as uow, pytest.raises(NotPermittedError):
        codes.service.revoke(uow, CLERK, own.id)
    with codes.database.reading() as uow:
        kinds = uow.session.scalars(select(LedgerAct.kind)).all()
    assert kinds.count("code.revoked") == 1, "revoking again changes nothing"


@pytest.mark.parametrize("who", [SUPERVISOR, Identity("system", "x", "scjg", frozenset({Role.CLIENT}))])
def test_who_may_not_read_licences_gains_nothing_by_a_code(codes: Codes, who: Identity) -> None:
    made = codes.make()
    codes.refusal(made.secret, who)


def test_a_use_on_the_holder_s_word_names_the_case_that_the_caller_handles(codes: Codes) -> None:
    made = codes.make()
    codes.read(made.secret, on_case(CLERK, codes.case))
    with codes.database.reading() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage).where(LicenseUsage.action == "read"))
    assert (use.basis, use.case_id, use.purpose) == ("holder", codes.case.id, "hand-in")


def test_a_code_made_for_a_case_is_used_for_no_other_case_of_the_holder(codes: Codes) -> None:
    other = codes.library.announce(ROAD, COMPANY)
    made = codes.make(codes.wish(Mode.FUNCTION), on_case(CLERK, codes.case))
    codes.read(made.secret, on_case(CLERK, other))
    with codes.database.reading() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage).where(LicenseUsage.action == "read"))
    assert (use.basis, use.case_id, use.item_code) == ("case", codes.case.id, codes.case.item_code)
