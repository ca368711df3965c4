# SPDX-License-Identifier: Apache-2.0
"""No-proof questions: may this be asked, what is the answer, and what does it leave behind.

A question is answered for an announced, open case only, for its own item and holder, within what the
client may ask, for a published purpose, by a named operator. Every refusal is an act; outwards one
refusal is like another, so that nobody learns which cases or holders exist. The answer is an act too, and
a record of use that the holder sees. Neither the index nor the object store takes part.
"""

from collections.abc import Mapping, Sequence

from cases.models import Case
from cases.organisations import covers
from cases.services import CaseService
from licenses.admitting import Admission, Admitted, Question
from licenses.answers import AnswerKeys
from licenses.deciding import AnsweredProof, record_each
from licenses.evaluation import Evaluation, evaluate
from licenses.grants.quota import Counting
from licenses.grants.services import Grants
from licenses.holdings import Holdings
from licenses.inquiry import Inquiry, Sought
from licenses.models import Decision, SignedAnswer
from licenses.questions import ProofQuestion
from licenses.reason_table import ReasonTable
from licenses.rule_definition import Requirement
from licenses.rules import RuleBook
from storage.database import UnitOfWork
from storage.errors import CunzhengError, NotFoundError
from storage.identity import Identity, Role


class ProofService:
    """Answers no-proof questions.

    Args:
        rules: The rules in force.
        holdings: What the library holds.
        cases: Finds cases.
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
        keys: AnswerKeys,
        table: ReasonTable | None = None,
        inquiry: Inquiry | None = None,
        grants: Grants | None = None,
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._table = table or ReasonTable.load()
        self._inquiry = inquiry or Inquiry(holdings, rules)
        self._admission = Admission(rules, cases, grants or Grants(rules))

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
        (answered,) = self.ask_each(uow, [(identity, question)])
        if isinstance(answered, CunzhengError):
            raise answered
        return answered

    def ask_each(self, uow: UnitOfWork, questions: Sequence[Question]) -> list[AnsweredProof | CunzhengError]:
        """Answer questions of several who ask, each as :meth:`ask` does, in one transaction.

        Returns:
            The answer of each or what :meth:`ask` would have raised; what was refused has left nothing.
        """
        uow.session.flush()
        now, counting = uow.clock.now(), Counting(uow)
        outcomes: list[Admitted | AnsweredProof | CunzhengError] = [
            *self._admission.admit_each(uow, questions, counting)
        ]
        admitted = [(place, one) for place, one in enumerate(outcomes) if isinstance(one, Admitted)]
        sought = [Sought(one.rule, one.case, one.meant) for _, one in admitted]
        found: list[tuple[Admitted, Evaluation]] = []
        places: list[int] = []
        for (place, one), facts in zip(admitted, self._inquiry.facts_each(uow, sought, now), strict=True):
            if isinstance(facts, CunzhengError):
                outcomes[place] = facts
                counting.give_back(one.asker)
            else:
                places.append(place)
                found.append((one, evaluate(one.rule, facts, now, self._table, one.asked)))
        counting.write()
        for place, answer in zip(places, record_each(uow, self._keys, found), strict=True):
            outcomes[place] = answer
        return [one for one in outcomes if not isinstance(one, Admitted)]

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


def _supervises(uow: UnitOfWork, identity: Identity, decision: Decision) -> bool:
    case = uow.session.get(Case, decision.case_id)
    supervises = identity.has(Role.SUPERVISOR, Role.SYSTEM)
    return supervises and case is not None and covers(identity, case.organisation)
