# SPDX-License-Identifier: Apache-2.0
"""Answers calls through a façade on the one core: no authorisation of its own, every call recorded as there.

The five elements 五要素 are checked and never believed: the item is the client's, the case is an open one of
that item and that holder, the operator is registered for the client, the names agree with the register.
Whatever is wrong with them looks like a licence that there is not; what was wrong stands in the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from cases.errors import CaseNotFoundError
from cases.holders import HolderService
from cases.models import Case, CaseState
from cases.organisations import organisations
from cases.ports import Items
from cases.services import CaseService
from licenses.copies.models import LicenseCopy
from licenses.copies.services import MADE, ORDERED, CopyService
from licenses.errors import LicenseHiddenError
from licenses.facades.calls import Call
from licenses.facades.profiles import Element, Facade, Result, Service
from licenses.facades.spelling import Row, licence_row, type_row, verification
from licenses.grants.terms import Ceiling
from licenses.information import NOT_FOUND, InformationService, code_table
from licenses.lifecycle import Standing
from licenses.models import License, LicenseUsage
from licenses.reading import LicenseReader
from licenses.registered import in_force_under
from licenses.usage import Use, operator_of, usage_row
from licenses.views import LicenseView
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

MOST: Final = 20
"""Licences of one answer; a holder with more of one type is asked for by number."""
_RESULTS: Final = {0: Result.OK, 21: Result.ENDED, 22: Result.EXPIRED, 23: Result.RESTRICTED}
"""By the national interface's code of a status; any other status is none that a licence is given out in."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How a call ended, and what it is given.

    Attributes:
        sha256: A file that belongs to the one row.
        missed: What was stated meets no licence.
    """

    result: Result
    rows: tuple[Row, ...] = ()
    sha256: str | None = None
    missed: bool = False


def _in_force(uow: UnitOfWork, identifier: str) -> str:
    """Give what a source's identifier stands for today, as the information check takes it."""
    return in_force_under(uow, identifier, legal_date(uow.clock.now()))


class FacadeService:
    """Answers calls.

    Args:
        reader: Reads licences, on a basis, always recorded.
        information: Checks what is stated of licences.
        cases: Finds cases.
        holders: Finds holders.
        items: The catalogue of items.
        copies: Has annotated copies made and hands them out.
    """

    def __init__(
        self,
        reader: LicenseReader,
        information: InformationService,
        cases: CaseService,
        holders: HolderService,
        items: Items,
        copies: CopyService,
    ) -> None:
        self._reader = reader
        self._information = information
        self._cases = cases
        self._holders = holders
        self._items = items
        self._copies = copies

    def answer(
        self, uow: UnitOfWork, identity: Identity, facade: Facade, service: Service, call: Call
    ) -> Answered:
        """Answer a call; files that are verified are the portal's matter.

        Args:
            uow: A writing unit of work.
            identity: The client, with the operator whom the call names.
            facade: The dialect.
            service: What is asked for.
            call: What the call says.

        Raises:
            LicenseHiddenError: Nothing that this caller may see; the caller records it.
            QuotaExhaustedError: Its grants for it are used up today; the caller records it.
        """
        match service:
            case Service.DATA_BY_HOLDER:
                return self._of_holder(uow, self._permit(uow, identity, call), facade, call)
            case Service.DATA_BY_IDENTIFIER:
                who = self._permit(uow, identity, call)
                view = self._reader.read(uow, who, _in_force(uow, call.said[Element.IDENTIFIER]))
                result = _result(view)
                return Answered(result, (licence_row(facade, view),) if result is Result.OK else ())
            case Service.FILE_BY_HOLDER | Service.FILE_BY_IDENTIFIER:
                return self._file(uow, self._permit(uow, identity, call), facade, call)
            case Service.VERIFY_INFORMATION:
                code = self._information.check(uow, verifier(identity, call), call.stated).code
                told = verification(facade, code, code_table().information[code][0])
                return Answered(Result.OK, (told,), missed=code == NOT_FOUND)
            case _:
                raise ValueError(service)

    def types(self, facade: Facade, call: Call) -> Answered:
        """Give the published licence types, or the one that is named."""
        kinds = [call.kind] if call.kind is not None else self._reader.types
        return Answered(Result.OK, tuple(type_row(facade, kind) for kind in kinds))

    def _of_holder(self, uow: UnitOfWork, who: Identity, facade: Facade, call: Call) -> Answered:
        who = self._reader.granted(uow, who, Ceiling.FIELDS, _types(call))
        found = self._found(uow, who, call)
        good = [view for view in found if view.status.standing is Standing.GOOD][:MOST]
        if good:
            views = [self._reader.read(uow, who, view.identifier) for view in good]
            return Answered(Result.OK, tuple(licence_row(facade, view) for view in views))
        return Answered(_result(found[0]) if found else Result.NO_MATCH)

    def _file(self, uow: UnitOfWork, who: Identity, facade: Facade, call: Call) -> Answered:
        """Give the annotated copy of one licence, having it made at the first call; never the original."""
        identifier = call.said.get(Element.IDENTIFIER)
        if identifier is None:
            who = self._reader.granted(uow, who, Ceiling.DOCUMENT, _types(call))
            found = self._found(uow, who, call)
            good = [view for view in found if view.status.standing is Standing.GOOD]
            if len(good) != 1:
                # Which of several is meant, the number says.
                missing = Result.EMPTY if good else _result(found[0]) if found else Result.NO_MATCH
                return Answered(missing)
            identifier = good[0].identifier
        identifier = _in_force(uow, identifier)
        license_ = self._reader.admitted(uow, who, identifier, "copy")
        who = self._reader.granted(uow, who, Ceiling.DOCUMENT, {license_.type_code}, license_)
        view = self._reader.view(uow, license_, with_face=False)
        result = _result(view)
        if result is not Result.OK:
            return Answered(result)
        ordered = self._ordered(uow, who, license_)
        made = [one for one in ordered if one.state == MADE]
        if not made:
            if not ordered:
                self._copies.order(uow, who, identifier)
            return Answered(Result.BEING_MADE)
        secret, _ = self._copies.link(uow, who, made[-1].id)
        out = self._copies.hand_out(uow, who, made[-1].id, secret)
        return Answered(Result.OK, (licence_row(facade, view),), out.sha256)

    def _ordered(self, uow: UnitOfWork, who: Identity, license_: License) -> Sequence[LicenseCopy]:
        """Give the copies that this operator ordered for this case and purpose, as far as they are good."""
        basis = who.basis
        query = select(LicenseCopy).where(
            LicenseCopy.license_id == license_.id,
            LicenseCopy.actor_id == who.id,
            LicenseCopy.operator == operator_of(who),
            LicenseCopy.case_id == (basis.case if basis else None),
            LicenseCopy.purpose == (basis.purpose if basis else None),
            LicenseCopy.state.in_([ORDERED, MADE]),
            LicenseCopy.valid_until >= legal_date(uow.clock.now()),
        )
        return uow.session.scalars(query.order_by(LicenseCopy.ordered_at, LicenseCopy.id)).all()

    def _found(self, uow: UnitOfWork, who: Identity, call: Call) -> list[LicenseView]:
        found = self._reader.find_for_holder(uow, who, history=True, types=_types(call))
        number = call.said.get(Element.NUMBER)
        return [view for view in found if number is None or view.number == number]

    def _permit(self, uow: UnitOfWork, identity: Identity, call: Call) -> Identity:
        """Give the identity on the case that the five elements name, or refuse."""
        case = self._case(uow, identity, call)
        reason = self._reason(uow, identity, case, call)
        known = call.said[Element.ITEM_CODE] if call.said[Element.ITEM_CODE] in identity.items else None
        who = identity.on(
            AccessBasis(Basis.CASE, case.id if case else None, known, call.said[Element.PURPOSE])
        )
        if reason is not None:
            raise _refused(uow, who, case, reason)
        return who

    def _case(self, uow: UnitOfWork, identity: Identity, call: Call) -> Case | None:
        """Give the case of the business code: ``source/number``, or the number in a source of the client."""
        code = call.said[Element.CASE]
        source, slash, number = code.partition("/")
        named = [(source, number)] if slash else [(one, code) for one in sorted(identity.sources)]
        found = [case for pair in named if (case := self._visible(uow, identity, *pair)) is not None]
        return found[0] if len(found) == 1 else None

    def _visible(self, uow: UnitOfWork, identity: Identity, source: str, number: str) -> Case | None:
        try:
            return self._cases.get(uow, identity, source, number)
        except CaseNotFoundError:
            return None

    def _reason(self, uow: UnitOfWork, identity: Identity, case: Case | None, call: Call) -> str | None:
        """Give what is wrong with the five elements; what the client may ask at all comes first."""
        said = call.said
        organisation = organisations().get(identity.organisation)
        if said[Element.ITEM_CODE] not in identity.items:
            return "item-not-granted"
        if organisation is None or organisation.zh != said[Element.ORGANISATION_NAME]:
            return "organisation-differs"
        return "case-unknown" if case is None else self._reason_of(uow, case, said)

    def _reason_of(self, uow: UnitOfWork, case: Case, said: Mapping[Element, str]) -> str | None:
        if case.item_code != said[Element.ITEM_CODE]:
            return "item-of-another-case"
        if self._items.get(case.item_code, case.item_edition).zh != said[Element.ITEM_NAME]:
            return "item-name-differs"
        if Element.HOLDER_CODE in said and Element.HOLDER_SCHEME in said:
            holder = self._holders.find(uow, said[Element.HOLDER_SCHEME], said[Element.HOLDER_CODE])
            if holder is None or holder.id != case.holder_id:
                return "holder-of-another-case"
        return None if case.state is CaseState.OPEN else "case-closed"


def verifier(identity: Identity, call: Call) -> Identity:
    """Give who verifies, for the purpose that the call states; each use that comes of it has it."""
    return identity.on(AccessBasis(Basis.PUBLIC_CHECK, purpose=call.said[Element.PURPOSE]))


def _types(call: Call) -> frozenset[str] | None:
    return frozenset({call.kind.code}) if call.kind is not None else None


def _result(view: LicenseView) -> Result:
    return _RESULTS.get(view.status.national_result, Result.TYPE_MISSING)


def _refused(uow: UnitOfWork, who: Identity, case: Case | None, reason: str) -> LicenseHiddenError:
    rows: tuple[LicenseUsage, ...] = ()
    if case is not None:
        use = Use(action="find", holder_id=case.holder_id, result="REFUSED", reason=reason)
        rows = (usage_row(uow, who, use),)
    act = Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=who,
        object_type="licence",
        object_id="unknown",
        outcome=Outcome.REFUSED,
        case=case.id if case is not None else None,
        subject=case.holder_id if case is not None else "system",
        rows=rows,
        reasons=[reason],
    )
    return LicenseHiddenError(act, rows)
