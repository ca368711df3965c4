# SPDX-License-Identifier: Apache-2.0
"""Which no-proof questions may be asked: of several that wait together, each is judged by itself.

What the caller may do at all comes first, the case last; then grants, the case's state and holder, the rule,
and the quota. Everything that is asked of the database is asked once for all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from cases.errors import HolderCodeError
from cases.identifiers import check_holder_code
from cases.models import Case, CaseState, Holder
from cases.services import CaseService
from licenses.errors import (
    OperatorRequiredError,
    PurposeUnknownError,
    QuestionRefusedError,
    RequirementUnknownError,
    RuleMissingError,
)
from licenses.grants.covering import Need, running
from licenses.grants.models import LicenseGrant
from licenses.grants.quota import Counting
from licenses.grants.services import Grants, Refuse
from licenses.grants.terms import Ceiling
from licenses.models import LicenseUsage
from licenses.purposes import is_purpose
from licenses.questions import Meant, ProofQuestion, meant_by
from licenses.rules import Rule, RuleBook
from licenses.unlooked import Named
from licenses.usage import Use, operator_of, usage_row
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

Question = tuple[Identity, ProofQuestion]
"""Who asks, and what."""
_CODES = select(Holder.id, Holder.scheme, Holder.code_hash).where(
    Holder.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A question that is to be answered.

    Attributes:
        asker: Who asks, on the case, for a system with the grant that it used.
        asked: Ids of the requirements.
    """

    asker: Identity
    question: ProofQuestion
    case: Case
    rule: Rule
    asked: tuple[str, ...]
    meant: Meant


@dataclass(slots=True)
class _Known:
    """What the database said of all questions of a unit."""

    counting: Counting
    holders: Mapping[str, tuple[str, bytes]]
    grants: dict[tuple[str, str], Sequence[LicenseGrant]] = field(default_factory=dict)
    covering: dict[tuple[object, ...], Sequence[LicenseGrant]] = field(default_factory=dict)


class Admission:
    """Decides which questions may be asked.

    Args:
        rules: The rules in force.
        cases: Finds cases.
        grants: What systems may ask.
    """

    def __init__(self, rules: RuleBook, cases: CaseService, grants: Grants) -> None:
        self._rules = rules
        self._cases = cases
        self._grants = grants

    def admit_each(
        self, uow: UnitOfWork, questions: Sequence[Question], counting: Counting
    ) -> list[Admitted | CunzhengError]:
        """Admit questions or refuse them, each by itself and in their order; what they use is counted.

        Args:
            uow: A writing unit of work.
            questions: Who asks what.
            counting: Takes of the quotas; the caller writes it.
        """
        early = [_refused_at_once(*one) for one in questions]
        wanted = [
            (who, asked.source, asked.number)
            for (who, asked), refused in zip(questions, early, strict=True)
            if refused is None
        ]
        cases = self._cases.get_each(uow, wanted)
        named = {
            case.holder_id
            for case, (_, asked) in zip(cases, _let_on(questions, early), strict=True)
            if case is not None and asked.holder is not None
        }
        known = _Known(counting, _codes_of(uow, named))
        found = iter(cases)
        return [
            refused or self._admitted(uow, who, asked, next(found), known)
            for (who, asked), refused in zip(questions, early, strict=True)
        ]

    def _admitted(
        self, uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case | None, known: _Known
    ) -> Admitted | CunzhengError:
        try:
            return self._admit(uow, identity, question, case, known)
        except CunzhengError as refused:
            return refused

    def _admit(
        self, uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case | None, known: _Known
    ) -> Admitted:
        if case is None:
            raise QuestionRefusedError(*_unlooked(identity, question, "case-unknown"))
        if case.item_code != question.item:
            raise QuestionRefusedError(*_refusal(uow, identity, question, case, "item-of-another-case"))
        rule = self._rules.find(case.item_code, case.item_edition, legal_date(case.accepted_at))
        ids = [requirement.id for requirement in rule.body.requirements] if rule is not None else []
        asked = question.requirements or tuple(ids)
        refuse = _refusing(uow, identity, question, case)
        granted = self._granted(uow, identity, question, case, asked, known)
        reason = _case_refusal(uow, case, question, known)
        if reason is not None:
            raise refuse(reason)
        if rule is None:
            raise RuleMissingError(*_refusal(uow, identity, question, case, "rule-missing"))
        if not set(asked) <= set(ids):
            raise RequirementUnknownError(*_refusal(uow, identity, question, case, "requirement-unknown"))
        asker = identity.on(AccessBasis(Basis.CASE, case.id, question.item, question.purpose))
        if identity.has(Role.CLIENT):
            asker = self._grants.count(uow, asker, granted, case.id, refuse, known.counting)
        try:
            meant = meant_by(uow, question.subjects)
        except HolderCodeError:
            known.counting.give_back(asker)
            raise refuse("subject-malformed") from None
        return Admitted(asker, question, case, rule, asked, meant)

    def _granted(
        self,
        uow: UnitOfWork,
        identity: Identity,
        question: ProofQuestion,
        case: Case,
        asked: tuple[str, ...],
        known: _Known,
    ) -> Sequence[LicenseGrant]:
        """Give the grants that cover a system's question, before anything of the holder is looked at."""
        if not identity.has(Role.CLIENT):
            return ()
        whose = identity.id, identity.organisation
        # Nothing else of a question decides which grants cover it, see covers_call.
        same = (whose, case.item_code, case.item_edition, question.purpose, asked)
        if same in known.covering:
            return known.covering[same]
        if whose not in known.grants:
            known.grants[whose] = running(uow, whose)
        need = Need(
            case=case, purpose=question.purpose, ceiling=Ceiling.PREDICATE, requirements=frozenset(asked)
        )
        refuse = _refusing(uow, identity, question, case)
        known.covering[same] = self._grants.found(uow, identity, need, refuse, known.grants[whose])
        return known.covering[same]


def _let_on(questions: Sequence[Question], early: Sequence[CunzhengError | None]) -> list[Question]:
    return [one for one, refused in zip(questions, early, strict=True) if refused is None]


def turned_away(identity: Identity, question: ProofQuestion, reason: str) -> QuestionRefusedError:
    """Refuse a question that goes no further than the door, as one whose case is not looked at."""
    return QuestionRefusedError(*_unlooked(identity, question, reason))


def _refused_at_once(identity: Identity, question: ProofQuestion) -> CunzhengError | None:
    """Refuse what the caller may not do at all, whatever case it names."""
    if not _may_ask(identity, question):
        return QuestionRefusedError(*_unlooked(identity, question, "not-granted"))
    if operator_of(identity) is None:
        return OperatorRequiredError(*_unlooked(identity, question, "operator-missing"))
    if not is_purpose(question.purpose):
        return PurposeUnknownError(*_unlooked(identity, question, "purpose-unknown"))
    return None


def _codes_of(uow: UnitOfWork, holders: set[str]) -> dict[str, tuple[str, bytes]]:
    """Give scheme and keyed hash of the codes of holders."""
    if not holders:
        return {}
    rows = uow.session.connection().execute(_CODES, {"ids": sorted(holders)})
    return {row.id: (row.scheme, row.code_hash) for row in rows}


def _case_refusal(uow: UnitOfWork, case: Case, question: ProofQuestion, known: _Known) -> str | None:
    if question.holder is not None:
        try:
            stated = check_holder_code(*question.holder)
        except HolderCodeError:
            return "holder-malformed"
        code = stated.scheme, uow.secrets.lookup_hash(stated.scheme, stated.code)
        if known.holders.get(case.holder_id) != code:
            return "holder-of-another-case"
    return None if case.state is CaseState.OPEN else "case-closed"


def _may_ask(identity: Identity, question: ProofQuestion) -> bool:
    if identity.has(Role.CLIENT):
        return (
            "ask" in identity.scopes
            and question.source in identity.sources
            and question.item in identity.items
        )
    return identity.has(Role.CLERK)


def _refusal(
    uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case, reason: str
) -> tuple[Act, tuple[LicenseUsage, ...]]:
    """Make act and record of use of a refusal; nothing of the question that could be personal is kept."""
    asker = identity.on(AccessBasis(Basis.CASE, case.id, question.item, _known(question)))
    use = Use(action="ask", holder_id=case.holder_id, result="REFUSED", reason=reason)
    rows = (usage_row(uow, asker, use),)
    return _act(asker, reason, case, rows), rows


def _unlooked(
    identity: Identity, question: ProofQuestion, reason: str
) -> tuple[Act, tuple[LicenseUsage, ...], Named]:
    """Make the act of a refusal before the case is looked at, and what tells the holder of it."""
    item = question.item if question.item in identity.items else None
    purpose = _known(question)
    act = _act(identity.on(AccessBasis(Basis.CASE, None, item, purpose)), reason)
    return act, (), Named(identity, question.source, question.number, item, purpose, reason)


def _act(asker: Identity, reason: str, case: Case | None = None, rows: tuple[LicenseUsage, ...] = ()) -> Act:
    return Act(
        kind=ActKind.PROOF_REFUSED,
        actor=asker,
        object_type="case",
        object_id=case.id if case else "unknown",
        outcome=Outcome.REFUSED,
        case=case.id if case else None,
        subject=case.holder_id if case else "system",
        rows=rows,
        reasons=[reason],
    )


def _known(question: ProofQuestion) -> str | None:
    return question.purpose if is_purpose(question.purpose) else None


def _refusing(uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case) -> Refuse:
    return lambda reason: QuestionRefusedError(*_refusal(uow, identity, question, case, reason))
