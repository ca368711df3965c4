# SPDX-License-Identifier: Apache-2.0
"""Authorisation codes 用证码: by whose authority a licence is used where no look-up by itself would allow it.

Four ways lead to one: the holder makes it for oneself (``own``) or for a named delegate (``delegated``), a
system makes it for its signed-in applicant whose open case it handles (``online``), or a clerk acts under an
item whose rule uses that type of licence (``function``). Each is 128 random bits, kept as a hash, for one
licence and one purpose, short-lived, counted, and revocable by the holder.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

from sqlalchemy import or_, select, update

from cases.errors import HolderCodeError
from cases.identifiers import check_holder_code
from cases.models import Case, Holder
from licenses.codes.errors import CodeNotGrantedError, CodeOfAnotherError, CodeRefusedError, CodeTermsError
from licenses.codes.models import AuthorisationCode
from licenses.codes.own import OwnCode, own_code
from licenses.copies.terms import copy_terms
from licenses.grants.terms import Ceiling
from licenses.holdings import Holdings
from licenses.looks import held_together, holds, works_on
from licenses.models import License, LicenseUsage
from licenses.once import digest_of, new_secret
from licenses.reading import LicenseReader
from licenses.rules import RuleBook
from licenses.usage import Use, operator_of, usage_row
from licenses.views import LicenseView
from licenses.visibility import Visibility, visibility
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT

ACTION: Final = "code"


class Mode(StrEnum):
    """By whose authority a code was made."""

    OWN = "own"
    ONLINE = "online"
    DELEGATED = "delegated"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """For how long a code is good, and how often."""

    usual: dt.timedelta
    most: dt.timedelta
    uses: int


@cache
def code_terms() -> CodeTerms:
    """Read the terms that come with the product."""
    data = json.loads(resources.files("licenses").joinpath("data/codes.json").read_text("utf-8"))
    minutes = {name: dt.timedelta(minutes=int(value)) for name, value in data["minutes"].items()}
    return CodeTerms(minutes["usual"], minutes["most"], int(data["uses"]))


@dataclass(frozen=True, slots=True)
class CodeWish:
    """What a code is to be.

    Attributes:
        identifier: The licence.
        mode: By whose authority.
        purpose: Published purpose; for ``online`` and ``function`` that of the access basis.
        minutes: For how long; the usual time when ``None``.
        party: Scheme and code of the delegate, or of the applicant who is signed in at the calling system.
    """

    identifier: str
    mode: Mode
    purpose: str = ""
    minutes: int | None = None
    party: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A new code; its secret is shown this one time."""

    id: str
    secret: str
    expires_at: dt.datetime


class CodeService:
    """Makes, revokes and honours codes.

    Args:
        reader: Decides who may use which licence, and shows licences.
        holdings: Knows licence types.
        rules: Which licence types an item uses.
        secrecy: What of another's code its holder sees when; the shipped rules when ``None``.
    """

    def __init__(
        self,
        reader: LicenseReader,
        holdings: Holdings,
        rules: RuleBook,
        secrecy: Visibility | None = None,
    ) -> None:
        self._reader = reader
        self._holdings = holdings
        self._rules = rules
        self._secrecy = secrecy or visibility()

    def make(self, uow: UnitOfWork, identity: Identity, wish: CodeWish) -> MadeCode:
        """Make a code.

        Args:
            uow: A writing unit of work.
            identity: The holder for ``own`` and ``delegated``; else who acts, on the basis ``case``.
            wish: What it is to be.

        Raises:
            LicenseHiddenError: Unknown, or not to be used on this basis; the caller records it.
            CodeTermsError: Purpose, minutes or party are not as required.
            CodeNotGrantedError: The item does not use this type of licence; the caller records it.
        """
        by_holder = wish.mode in {Mode.OWN, Mode.DELEGATED}
        if by_holder:
            identity = identity.on(AccessBasis(Basis.HOLDER, purpose=wish.purpose))
        license_ = self._reader.admitted(uow, identity, wish.identifier, ACTION)
        basis = identity.basis
        if basis is None or basis.kind is not (Basis.HOLDER if by_holder else Basis.CASE):
            raise CodeTermsError(field="mode")
        # A code lets whoever has it have a copy made.
        identity = self._reader.granted(uow, identity, Ceiling.DOCUMENT, {license_.type_code}, license_)
        purpose = copy_terms().purpose(basis.kind, basis.purpose)
        if purpose is None:
            raise CodeTermsError(field="purpose")
        # Of several holders it is the one who asks, or whose case it is.
        holder_id = identity.id if by_holder else uow.session.get_one(Case, basis.case).holder_id
        delegate = self._party(uow, holder_id, wish)
        if wish.mode is Mode.FUNCTION and not self._uses(uow, license_, str(basis.case)):
            raise _refusal(uow, identity, license_, CodeNotGrantedError)
        (secret, digest), now = new_secret(), uow.clock.now()
        code = AuthorisationCode(
            id=uow.ids.new_id(),
            secret_hash=digest,
            mode=str(wish.mode),
            license_id=license_.id,
            holder_id=holder_id,
            purpose=purpose.code,
            case_id=basis.case,
            item_code=basis.item,
            delegate_hash=delegate,
            actor_id=identity.id,
            operator=operator_of(identity),
            organisation=identity.organisation,
            made_at=now,
            expires_at=now + _term(wish.minutes),
            uses=0,
        )
        _record(uow, identity, code, ActKind.CODE_MADE, "MADE")
        return MadeCode(code.id, secret, code.expires_at)

    def own(self, uow: UnitOfWork, identity: Identity) -> Sequence[OwnCode]:
        """Give the codes for licences of the holder who looks that are still good, newest first.

        Of a licence that several hold together each sees all of them.
        """
        identity.demand(Role.HOLDER)
        together = held_together(uow, identity.id)
        query = select(AuthorisationCode).where(
            or_(AuthorisationCode.holder_id == identity.id, AuthorisationCode.license_id.in_(together)),
            AuthorisationCode.expires_at > uow.clock.now(),
            AuthorisationCode.revoked_at.is_(None),
            AuthorisationCode.uses < code_terms().uses,
        )
        told = (
            own_code(
                code,
                by_holder=code.mode in {Mode.OWN, Mode.DELEGATED},
                secrecy=self._secrecy,
                now=uow.clock.now(),
            )
            for code in uow.session.scalars(query.order_by(AuthorisationCode.made_at.desc()))
        )
        return [one for one in told if one is not None]

    def revoke(self, uow: UnitOfWork, identity: Identity, code_id: str) -> None:
        """Revoke a code, at once and for good; who made it makes no difference.

        Raises:
            NotPermittedError: Whoever asks is no holder.
            CodeOfAnotherError: It is no code for a licence of this holder.
        """
        identity.demand(Role.HOLDER)
        code = uow.session.get(AuthorisationCode, code_id)
        license_ = uow.session.get(License, code.license_id) if code is not None else None
        if code is None or license_ is None or not holds(uow, identity.id, license_):
            raise CodeOfAnotherError
        if code.revoked_at is None:
            code.revoked_at = uow.clock.now()
            who = identity.on(AccessBasis(Basis.HOLDER, purpose=code.purpose))
            _record(uow, who, code, ActKind.CODE_REVOKED, "REVOKED")

    def read(
        self, uow: UnitOfWork, identity: Identity, secret: str, party: tuple[str, str] | None = None
    ) -> LicenseView:
        """Give the licence that a code is for, with its face; one use of the code.

        Raises:
            CodeRefusedError: The code is good for nothing here; the caller records it.
        """
        who, license_ = self.redeem(uow, identity, secret, party)
        return self._reader.show(uow, who, license_)

    def redeem(
        self, uow: UnitOfWork, identity: Identity, secret: str, party: tuple[str, str] | None = None
    ) -> tuple[Identity, License]:
        """Use a code once; give who acts on which basis now, and the licence.

        Args:
            uow: A writing unit of work.
            identity: A clerk, or a client with the scope ``read`` and an operator; its basis may name an
                open case, which the use is then for.
            secret: The code.
            party: Scheme and code of who shows it, for a delegated one.

        Raises:
            CodeRefusedError: Wrong, expired, revoked, used up or another's; the caller records it.
        """
        digest = digest_of(secret)
        code = uow.session.scalar(select(AuthorisationCode).where(AuthorisationCode.secret_hash == digest))
        now = uow.clock.now()
        if code is None or not works_on(identity) or not self._fits(uow, identity, code, party):
            license_ = uow.session.get(License, code.license_id) if code is not None else None
            raise _refusal(uow, identity, license_, CodeRefusedError)
        used = uow.session.scalar(
            update(AuthorisationCode)
            .where(
                AuthorisationCode.id == code.id,
                AuthorisationCode.revoked_at.is_(None),
                AuthorisationCode.expires_at > now,
                AuthorisationCode.uses < code_terms().uses,
            )
            .values(uses=AuthorisationCode.uses + 1)
            .returning(AuthorisationCode.id)
        )
        license_ = uow.session.get_one(License, code.license_id)
        if used is None:
            raise _refusal(uow, identity, license_, CodeRefusedError)
        uow.session.refresh(code)
        who = identity.on(self._basis(uow, identity, code))
        _record(uow, who, code, ActKind.CODE_USED, None)
        return who, license_

    def _basis(self, uow: UnitOfWork, identity: Identity, code: AuthorisationCode) -> AccessBasis:
        """Give the basis of a use: the holder's word, and the open case that the caller handles, if any.

        A code that was made for a case is used for that case and for no other.
        """
        on_word = code.mode in {Mode.OWN, Mode.DELEGATED}
        case = self._reader.open_case(uow, identity) if on_word else None
        named = case.id if case is not None and case.holder_id == code.holder_id else code.case_id
        item = case.item_code if case is not None and named == case.id else code.item_code
        kind = Basis.HOLDER if on_word else Basis.CASE
        return AccessBasis(kind, named, item, code.purpose)

    def _fits(
        self, uow: UnitOfWork, identity: Identity, code: AuthorisationCode, party: tuple[str, str] | None
    ) -> bool:
        if code.mode == Mode.DELEGATED:
            # Of a delegated code the hash is never missing, so nobody is not the delegate.
            return _hash_or_none(uow, party) == code.delegate_hash
        if code.mode == Mode.OWN:
            return True
        # What was made for somebody at work ends with the right to it: case, item, office, operator, grant.
        again = identity.on(AccessBasis(Basis.CASE, code.case_id, code.item_code, code.purpose))
        made = (code.actor_id, code.operator, code.organisation)
        if made != (identity.id, operator_of(identity), identity.organisation):
            return False
        if self._reader.open_case(uow, again) is None:
            return False
        license_, caller = uow.session.get_one(License, code.license_id), (identity.id, identity.organisation)
        return not identity.has(Role.CLIENT) or (
            again.basis is not None and self._reader.still_granted(uow, caller, again.basis, license_)
        )

    def _party(self, uow: UnitOfWork, holder_id: str, wish: CodeWish) -> bytes | None:
        """Check who is named: a delegate, whose hash is kept, or the applicant, who must be the holder."""
        if wish.mode is Mode.DELEGATED:
            if wish.party is None:
                raise CodeTermsError(field="party")
            return _hash(uow, wish.party)
        if wish.mode is Mode.ONLINE:
            holder = uow.session.get_one(Holder, holder_id)
            if wish.party is None or _hash(uow, wish.party) != holder.code_hash:
                raise CodeTermsError(field="party")
        return None

    def _uses(self, uow: UnitOfWork, license_: License, case_id: str) -> bool:
        """Tell whether the item of a case uses the type of a licence, by its rule or the type's own list."""
        case = uow.session.get_one(Case, case_id)
        rule = self._rules.find(case.item_code, case.item_edition, legal_date(uow.clock.now()))
        kind = self._holdings.types.get(license_.type_code)
        return (rule is not None and license_.type_code in rule.type_codes()) or (
            case.item_code in kind.related_items
        )


def _term(minutes: int | None) -> dt.timedelta:
    terms = code_terms()
    asked = terms.usual if minutes is None else dt.timedelta(minutes=minutes)
    if not dt.timedelta(minutes=1) <= asked <= terms.most:
        raise CodeTermsError(field="minutes", most=int(terms.most.total_seconds() // 60))
    return asked


def _hash(uow: UnitOfWork, party: tuple[str, str]) -> bytes:
    try:
        found = check_holder_code(*party)
    except HolderCodeError:
        raise CodeTermsError(field="party") from None
    return uow.secrets.lookup_hash(found.scheme, found.code)


def _hash_or_none(uow: UnitOfWork, party: tuple[str, str] | None) -> bytes | None:
    """Give the hash of who shows a code; a malformed one is nobody's, and looks no different."""
    try:
        return None if party is None else _hash(uow, party)
    except CodeTermsError:
        return None


def _record(
    uow: UnitOfWork, identity: Identity, code: AuthorisationCode, kind: ActKind, result: str | None
) -> None:
    rows: list[AuthorisationCode] = [code]
    uow.session.add(code)
    use = []
    if result is not None:
        made = Use(action=ACTION, holder_id=code.holder_id, license_id=code.license_id, result=result)
        use.append(usage_row(uow, identity, made))
        uow.session.add_all(use)
    uow.session.flush()
    uow.record(
        Act(
            kind=kind,
            actor=identity,
            object_type="code",
            object_id=code.id,
            case=identity.basis.case if identity.basis else None,
            subject=code.holder_id,
            rows=[*rows, *use],
        )
    )


def _refusal(
    uow: UnitOfWork,
    identity: Identity,
    license_: License | None,
    error: type[CodeRefusedError] | type[CodeNotGrantedError],
) -> CodeRefusedError | CodeNotGrantedError:
    use: tuple[LicenseUsage, ...] = ()
    if license_ is not None:
        made = Use(action=ACTION, holder_id=license_.holder_id, license_id=license_.id, result="REFUSED")
        use = (usage_row(uow, identity, made),)
    act = Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=identity,
        object_type="licence",
        object_id=license_.id if license_ is not None else "unknown",
        outcome=Outcome.REFUSED,
        case=identity.basis.case if identity.basis else None,
        subject=license_.holder_id if license_ is not None else SYSTEM_SUBJECT,
        rows=use,
    )
    return error(act, use)
