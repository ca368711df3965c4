# SPDX-License-Identifier: Apache-2.0
"""No-proof questions: may this be asked, what is the answer, and what does it leave behind.

A question is answered for an announced, open case only, for its own item and holder, within what the
client may ask, for a published purpose, by a named operator. Every refusal is an act; outwards one
refusal is like another, so that nobody learns which cases or holders exist. The answer is an act too, and
a record of use that the holder sees. Neither the index nor the object store takes part.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cases.errors import CaseNotFoundError, HolderCodeError
from cases.holders import HolderService
from cases.models import Case, CaseState
from cases.organisations import covers
from cases.services import CaseService
from licenses.answer_uses import uses_of
from licenses.answers import AnswerKeys
from licenses.asked import request_rows
from licenses.errors import (
    OperatorRequiredError,
    PurposeUnknownError,
    QuestionRefusedError,
    RequirementUnknownError,
    RuleMissingError,
)
from licenses.evaluation import Evaluation, evaluate
from licenses.grants.covering import Need
from licenses.grants.models import LicenseGrant
from licenses.grants.services import Grants, Refuse
from licenses.grants.terms import Ceiling
from licenses.holdings import Holdings
from licenses.inquiry import Inquiry
from licenses.models import Decision, DecisionReliance, LicenseUsage, SignedAnswer
from licenses.purposes import is_purpose
from licenses.questions import Meant, SubjectHint, meant_by
from licenses.reason_table import ReasonTable
from licenses.requests import SignedRequest
from licenses.rule_definition import Requirement
from licenses.rules import Rule, RuleBook
from licenses.usage import Use, insert_rows, operator_of, usage_row
from storage.clock import legal_date, parse_rfc3339
from storage.database import UnitOfWork
from storage.errors import NotFoundError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind


@dataclass(frozen=True, slots=True)
class ProofQuestion:
    """Which proofs of a case are established already?

    Attributes:
        source: Source of the case.
        number: The case's number there.
        item: Code of its item.
        purpose: One of the published purposes.
        holder: Scheme and code of the holder, if the caller names one: it must be the case's.
        requirements: Requirement ids to ask about; all when empty.
        subjects: Whom it means where a relation leads to several.
        signed: The call that asks, as the client signed it; none of a person.
    """

    source: str
    number: str
    item: str
    purpose: str
    holder: tuple[str, str] | None = None
    requirements: tuple[str, ...] = ()
    subjects: tuple[SubjectHint, ...] = ()
    signed: SignedRequest | None = None


@dataclass(frozen=True, slots=True)
class AnsweredProof:
    """The answer to a question.

    Attributes:
        decision: The stored row.
        body: The decision as JSON, as signed.
        promise: Redeemed by the receipt of the act ``proof.answered``.
        jws: The signed answer.
    """

    decision: Decision
    body: Mapping[str, Json]
    promise: Promise
    jws: str


class ProofService:
    """Answers no-proof questions.

    Args:
        rules: The rules in force.
        holdings: What the library holds.
        cases: Finds cases.
        holders: Finds holders by code.
        keys: Sign the answers.
        table: Sentences of reasons.
        inquiry: Gathers facts; of licences alone when ``None``.
        grants: What systems may ask.
    """

    def __init__(
        self,
        rules: RuleBook,
        holdings: Holdings,
        cases: CaseService,
        holders: HolderService,
        keys: AnswerKeys,
        table: ReasonTable | None = None,
        inquiry: Inquiry | None = None,
        grants: Grants | None = None,
    ) -> None:
        self._rules = rules
        self._cases = cases
        self._holders = holders
        self._keys = keys
        self._table = table or ReasonTable.load()
        self._inquiry = inquiry or Inquiry(holdings, rules)
        self._grants = grants or Grants(rules)

    @property
    def keys(self) -> AnswerKeys:
        """Keys that sign answers, and whatever else is published."""
        return self._keys

    def ask(self, uow: UnitOfWork, identity: Identity, question: ProofQuestion) -> AnsweredProof:
        """Answer a question.

        Raises:
            QuestionRefusedError: Or a subclass of it; the caller records it in a unit of work of its own.
            QuotaExhaustedError: The grants for it are used up today; the caller records it, too.
        """
        now, case = uow.clock.now(), self._case(uow, identity, question)
        rule = self._rules.find(case.item_code, case.item_edition, legal_date(case.accepted_at))
        ids = [requirement.id for requirement in rule.body.requirements] if rule is not None else []
        asked = question.requirements or tuple(ids)
        granted = self._granted(uow, identity, question, case, asked)
        self._demand_open(uow, identity, question, case)
        if rule is None:
            raise RuleMissingError(*_refusal(uow, identity, question, case, "rule-missing"))
        if not set(asked) <= set(ids):
            raise RequirementUnknownError(*_refusal(uow, identity, question, case, "requirement-unknown"))
        asker = self._counted(uow, identity, question, case, granted)
        intent = self._record_question(uow, asker, case, rule, asked)
        meant = self._meant(uow, identity, question, case)
        facts = self._inquiry.facts(uow, rule, case, now, meant)
        evaluation = evaluate(rule, facts, now, self._table, asked)
        decision, body = self._decide(uow, asker, case, rule, evaluation, question, meant)
        uses = uses_of(uow, asker, case, rule, evaluation, decision.id)
        rests_on = [
            DecisionReliance(
                decision_id=decision.id, requirement=one.requirement, kind=one.kind, object_id=one.id
            )
            for one in evaluation.reliances
        ]
        rows = [decision, *uses, *rests_on, *request_rows(uow, case, decision, question.signed)]
        insert_rows(uow, rows)
        promise = uow.record(
            Act(
                kind=ActKind.PROOF_ANSWERED,
                actor=asker,
                object_type="decision",
                object_id=decision.id,
                case=case.id,
                object_sha256=decision.body_sha256,
                subject=case.holder_id,
                rows=rows,
                reasons=_reason_codes(body),
                intent=intent.core_sha256,
            )
        )
        jws = self._keys.sign(body, promise)
        cipher = uow.secrets.encrypt(case.holder_id, jws.encode())
        answer = SignedAnswer(decision_id=decision.id, act_id=promise.core_sha256, jws_cipher=cipher)
        insert_rows(uow, [answer])
        return AnsweredProof(decision, body, promise, jws)

    def answer(self, uow: UnitOfWork, identity: Identity, decision_id: str) -> str:
        """Give the signed answer of a decision again, to who asked and to supervision.

        Raises:
            NotFoundError: Unknown, or not this identity's; they look the same.
        """
        decision = uow.session.get(Decision, decision_id)
        if decision is None or not (decision.actor_id == identity.id or _supervises(uow, identity, decision)):
            raise NotFoundError
        stored = uow.session.get(SignedAnswer, decision_id)
        if stored is None:
            # A rebuild brings the decision back and not its signed answer.
            raise NotFoundError
        return uow.secrets.decrypt(stored.jws_cipher).decode()

    def requirements(self, decision: Decision) -> Mapping[str, Requirement]:
        """Give the requirements of the rule that a decision applied, by id; none when it is not held."""
        rule = self._rules.of_digest(decision.rule_digest)
        return {one.id: one for one in rule.body.requirements} if rule else {}

    def _case(self, uow: UnitOfWork, identity: Identity, question: ProofQuestion) -> Case:
        """Give the case, or refuse: what the caller may do at all first, the case last."""
        if not _may_ask(identity, question):
            raise QuestionRefusedError(*_refusal(uow, identity, question, None, "not-granted"))
        if operator_of(identity) is None:
            raise OperatorRequiredError(*_refusal(uow, identity, question, None, "operator-missing"))
        if not is_purpose(question.purpose):
            raise PurposeUnknownError(*_refusal(uow, identity, question, None, "purpose-unknown"))
        try:
            case = self._cases.get(uow, identity, question.source, question.number)
        except CaseNotFoundError:
            raise QuestionRefusedError(*_refusal(uow, identity, question, None, "case-unknown")) from None
        if case.item_code != question.item:
            raise QuestionRefusedError(*_refusal(uow, identity, question, case, "item-of-another-case"))
        return case

    def _granted(
        self,
        uow: UnitOfWork,
        identity: Identity,
        question: ProofQuestion,
        case: Case,
        asked: tuple[str, ...],
    ) -> Sequence[LicenseGrant]:
        """Give the grants that cover a system's question, before anything of the holder is looked at."""
        if not identity.has(Role.CLIENT):
            return ()
        need = Need(
            case=case, purpose=question.purpose, ceiling=Ceiling.PREDICATE, requirements=frozenset(asked)
        )
        return self._grants.found(uow, identity, need, _refusing(uow, identity, question, case))

    def _counted(
        self,
        uow: UnitOfWork,
        identity: Identity,
        question: ProofQuestion,
        case: Case,
        granted: Sequence[LicenseGrant],
    ) -> Identity:
        """Give who asks on the case, for a system with the grant that it used."""
        asker = identity.on(AccessBasis(Basis.CASE, case.id, question.item, question.purpose))
        if not identity.has(Role.CLIENT):
            return asker
        return self._grants.count(uow, asker, granted, case.id, _refusing(uow, identity, question, case))

    def _demand_open(self, uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case) -> None:
        reason = self._case_refusal(uow, case, question)
        if reason is not None:
            raise QuestionRefusedError(*_refusal(uow, identity, question, case, reason))

    def _case_refusal(self, uow: UnitOfWork, case: Case, question: ProofQuestion) -> str | None:
        if question.holder is not None:
            try:
                holder = self._holders.find(uow, *question.holder)
            except HolderCodeError:
                return "holder-malformed"
            if holder is None or holder.id != case.holder_id:
                return "holder-of-another-case"
        return None if case.state is CaseState.OPEN else "case-closed"

    def _meant(self, uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case) -> Meant:
        try:
            return meant_by(uow, question.subjects)
        except HolderCodeError:
            raise QuestionRefusedError(
                *_refusal(uow, identity, question, case, "subject-malformed")
            ) from None

    def _record_question(
        self, uow: UnitOfWork, asker: Identity, case: Case, rule: Rule, asked: tuple[str, ...]
    ) -> Promise:
        return uow.record(
            Act(
                kind=ActKind.PROOF_ASKED,
                actor=asker,
                object_type="case",
                object_id=case.id,
                outcome=Outcome.INTENDED,
                case=case.id,
                subject=case.holder_id,
                notes={"rule": rule.digest, "requirements": list(asked)},
            )
        )

    def _decide(
        self,
        uow: UnitOfWork,
        asker: Identity,
        case: Case,
        rule: Rule,
        evaluation: Evaluation,
        question: ProofQuestion,
        meant: Meant,
    ) -> tuple[Decision, dict[str, Json]]:
        decision_id = uow.ids.new_id()
        body: dict[str, Json] = {
            "v": 1,
            "id": decision_id,
            "case": {"source": case.source, "number": case.number},
            "item": {"code": case.item_code, "edition": case.item_edition},
            "purpose": question.purpose,
            "asker": {"id": asker.id, "operator": operator_of(asker)},
            "asked": list(question.requirements or [one.id for one in rule.body.requirements]),
            **({"subjects": {name: dict(said) for name, said in meant.items()}} if meant else {}),
            **evaluation.body,
        } | (question.signed.named() if question.signed else {})
        written = canonical(body)
        decision = Decision(
            id=decision_id,
            case_id=case.id,
            holder_id=case.holder_id,
            item_code=case.item_code,
            item_edition=case.item_edition,
            rule_id=rule.body.rule_id,
            rule_version=rule.body.version,
            rule_digest=rule.digest,
            result=str(evaluation.result),
            purpose=question.purpose,
            actor_id=asker.id,
            operator=operator_of(asker) or "",
            organisation=asker.organisation,
            at=parse_rfc3339(str(evaluation.body["at"])),
            body_cipher=uow.secrets.encrypt(case.holder_id, written),
            body_sha256=hashlib.sha256(written).hexdigest(),
        )
        return decision, body


def _supervises(uow: UnitOfWork, identity: Identity, decision: Decision) -> bool:
    case = uow.session.get(Case, decision.case_id)
    supervises = identity.has(Role.SUPERVISOR, Role.SYSTEM)
    return supervises and case is not None and covers(identity, case.organisation)


def _may_ask(identity: Identity, question: ProofQuestion) -> bool:
    if identity.has(Role.CLIENT):
        return (
            "ask" in identity.scopes
            and question.source in identity.sources
            and question.item in identity.items
        )
    return identity.has(Role.CLERK)


def _refusal(
    uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case | None, reason: str
) -> tuple[Act, tuple[LicenseUsage, ...]]:
    """Make act and record of use of a refusal; nothing of the question that could be personal is kept."""
    known = question.purpose if is_purpose(question.purpose) else None
    item = question.item if case is not None or question.item in identity.items else None
    asker = identity.on(AccessBasis(Basis.CASE, case.id if case else None, item, known))
    rows: tuple[LicenseUsage, ...] = ()
    if case is not None:
        use = Use(action="ask", holder_id=case.holder_id, result="REFUSED", reason=reason)
        rows = (usage_row(uow, asker, use),)
    act = Act(
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
    return act, rows


def _refusing(uow: UnitOfWork, identity: Identity, question: ProofQuestion, case: Case) -> Refuse:
    return lambda reason: QuestionRefusedError(*_refusal(uow, identity, question, case, reason))


def _reason_codes(body: Mapping[str, Json]) -> list[str]:
    answers = body["requirements"]
    return sorted({answer["reason"]["code"] for answer in answers}) if isinstance(answers, list) else []
