# SPDX-License-Identifier: Apache-2.0
"""Taking rungs of the ladder, and what happens to them: by who handles the case, who is asked, the holder.

Guarantees: a rung is taken only for an open case, from an answer of one's own that offers it, and only while
an evaluation of this moment still offers it; each event is an act in its own transaction; a department that
is asked sees the question and who it is about, never a file; its answer serves every other department.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import IntegrityError

from cases.identifiers import is_plain
from cases.models import Case, CaseState
from cases.organisations import covers
from licenses.answers import AnswerKeys
from licenses.evaluation import evaluate
from licenses.grants.services import Grants
from licenses.inquiry import Inquiry
from licenses.ladder.assertions import GIVING, given, newest_answer, next_round
from licenses.ladder.barring import BARRABLE, demand_not_barred, lock
from licenses.ladder.calls import kept_calls
from licenses.ladder.deadlines import Deadlines
from licenses.ladder.errors import RungEventError, RungNotOfferedError, RungUnknownError, RungWordsError
from licenses.ladder.events import Spoken, act_of, added, events_of, took
from licenses.ladder.forms import FORM_STEP
from licenses.ladder.granted import demand_granted
from licenses.ladder.models import DepartmentAssertion, LadderRung
from licenses.ladder.statements import state_signed
from licenses.ladder.states import (
    BY_ASKED,
    BY_CLOCK,
    FIRST,
    WHILE_OPEN,
    RungEventKind,
    RungState,
    after,
    possible,
)
from licenses.models import Decision, LicenseUsage
from licenses.reason_table import ReasonTable
from licenses.requests import SignedRequest
from licenses.rule_definition import Cooperation, Requirement
from licenses.rules import Rule, RuleBook
from licenses.sharing.feed import record_change
from licenses.usage import Use, operator_of, usage_row
from storage.base import Base
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Promise
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind

LONGEST: Final = 500
HANDLERS: Final = (Role.CLERK, Role.ARCHIVIST, Role.LICENSE_MANAGER)
"""Who in a department handles rungs and answers other departments."""
_SPEAKING: Final = frozenset(
    {
        RungEventKind.CONFIRMED,
        RungEventKind.FOUND_FALSE,
        RungEventKind.RECTIFIED,
        RungEventKind.REVOKED,
        RungEventKind.DROPPED,
        RungEventKind.UNANSWERABLE,
        RungEventKind.CORRECTED,
    }
)
"""Events that must be explained."""


@dataclass(frozen=True, slots=True)
class RungView:
    """A rung as who may see it sees it.

    Attributes:
        requirement: What it is to establish.
        case: Its case.
        events: What happened, oldest first, with what was said.
        assertion: The department's answer, once given.
        can: What this identity may do to it now.
    """

    row: LadderRung
    requirement: Requirement
    case: Case
    events: tuple[Spoken, ...]
    assertion: DepartmentAssertion | None
    can: frozenset[RungEventKind]


@dataclass(frozen=True, slots=True)
class Happening:
    """What somebody says happened.

    Attributes:
        kind: The event.
        words: What is said of it.
        holds: The answer to the predicate, for ``answered`` and ``corrected``.
        signed: The call of a system that said so.
    """

    kind: RungEventKind
    words: str = ""
    holds: bool | None = None
    signed: SignedRequest | None = None


class LadderService:
    """Takes rungs and records what happens to them.

    Args:
        rules: The rules.
        inquiry: Gathers the facts of this moment.
        deadlines: How long things take.
        keys: Sign statements.
        table: Sentences of reasons.
    """

    def __init__(
        self,
        rules: RuleBook,
        inquiry: Inquiry,
        deadlines: Deadlines,
        keys: AnswerKeys,
        table: ReasonTable | None = None,
    ) -> None:
        self._grants = Grants(rules)
        self._keys = keys
        self._rules = rules
        self._inquiry = inquiry
        self._deadlines = deadlines
        self._table = table or ReasonTable.load()

    def take(
        self, uow: UnitOfWork, identity: Identity, decision_id: str, requirement_id: str, kind: str
    ) -> tuple[LadderRung, Promise]:
        """Take a rung for a requirement.

        Raises:
            NotPermittedError: The caller may not, or names nobody as operator.
            RungUnknownError: There is no such answer of the caller's own.
            RungNotOfferedError: The requirement does not offer it now.
            RungEndedError: A system's grant for it has ended; the caller records it.
        """
        if not _may_take(identity):
            raise NotPermittedError
        decision = uow.session.get(Decision, decision_id)
        if decision is None or not _own(identity, decision):
            raise RungUnknownError
        case = uow.session.get_one(Case, decision.case_id)
        if not _may_for(identity, case):
            raise NotPermittedError
        rule = self._rules.of_digest(decision.rule_digest)
        asked = {one.id: one for one in rule.body.requirements} if rule is not None else {}
        requirement = asked.get(requirement_id)
        if rule is None or requirement is None or case.state is not CaseState.OPEN:
            raise RungNotOfferedError
        demand_granted(uow, self._grants, identity, decision.id, requirement.id)
        if requirement.id not in json.loads(uow.secrets.decrypt(decision.body_cipher))["asked"]:
            raise RungNotOfferedError
        now = uow.clock.now()
        if kind not in self._offered(uow, rule, requirement, case, now):
            raise RungNotOfferedError
        who = identity.on(AccessBasis(Basis.CASE, case.id, case.item_code, decision.purpose))
        turn = next_round(uow, case.id, requirement.id, kind)
        if turn is None:
            raise RungNotOfferedError
        row = _begun(uow, identity, decision, case, requirement, kind)
        row.round = turn
        uow.session.add(row)
        try:
            uow.session.flush()
        except IntegrityError as error:
            raise RungNotOfferedError from error
        term = self._deadlines.first(requirement, kind, now)
        event = added(uow, row, FIRST[kind][0], who, FIRST[kind][1], term)
        uses = [_use(uow, who, row, "ASKED")] if row.asked is not None else []
        uow.session.add_all(uses)
        uow.session.flush()
        promise = record_change(uow, act_of(ActKind.RUNG_TAKEN, who, row, [row, event, *uses], [kind]))
        state_signed(uow, self._keys, row, event, promise)
        return row, promise

    def happen(
        self, uow: UnitOfWork, identity: Identity, rung_id: str, happening: Happening
    ) -> tuple[LadderRung, Promise]:
        """Record what happened to a rung.

        Raises:
            RungUnknownError: Unknown, or not for this identity.
            RungEventError: Not possible in its state, or not by this identity.
            RungWordsError: An explanation is missing or too long, or an answer without yes or no.
            CommitmentBarredError: The holder is barred from commitments; the caller records it.
        """
        row = self._seen(uow, identity, rung_id)
        locked = lock(uow, row)
        kind, case = happening.kind, uow.session.get_one(Case, row.case_id)
        if kind not in self._can(uow, identity, row, case):
            raise RungEventError
        if kind is RungEventKind.RECTIFIED and row.due is not None and uow.clock.now() > row.due:
            # What is made good after its term is no making good in time.
            raise RungEventError
        words = _words(happening)
        state = after(row.kind, RungState(row.state), kind)
        if state is None:
            raise RungEventError
        who = identity.on(AccessBasis(Basis.CASE, case.id, case.item_code, row.purpose))
        now, requirement = uow.clock.now(), self.requirement(row)
        if kind in BARRABLE:
            demand_not_barred(who, row, locked)
        term = self._deadlines.then(requirement, row, kind, now)
        event = added(uow, row, kind, who, state, term, words)
        rows: list[Base] = [row, event, *kept_calls(uow, row, event, happening.signed)]
        if kind in GIVING:
            answer = given(uow, row, requirement, self._deadlines, event, holds=bool(happening.holds))
            rows += [answer, _use(uow, who, row, "MET" if answer.holds else "NOT_MET")]
            uow.session.add_all(rows[-2:])
        if kind is RungEventKind.ACCEPTED:
            uow.add_step(FORM_STEP, row.id)
        uow.session.flush()
        reasons = [row.kind, str(kind)]
        promise = record_change(uow, act_of(ActKind.RUNG_CHANGED, who, row, rows, reasons))
        state_signed(uow, self._keys, row, event, promise)
        return row, promise

    def view(self, uow: UnitOfWork, identity: Identity, rung_id: str) -> RungView:
        """Give a rung with what was said; the look is recorded.

        Raises:
            RungUnknownError: Unknown, or not for this identity.
        """
        row = self._seen(uow, identity, rung_id)
        case = uow.session.get_one(Case, row.case_id)
        who = identity.on(AccessBasis(Basis.CASE, case.id, case.item_code, row.purpose))
        uow.record(act_of(ActKind.RUNG_READ, who, row))
        answer = newest_answer(uow, row)
        spoken = tuple(events_of(uow, row))
        return RungView(row, self.requirement(row), case, spoken, answer, self._can(uow, identity, row, case))

    def requirement(self, row: LadderRung) -> Requirement:
        """Give the requirement that a rung is to establish, as its rule states it.

        Raises:
            RungUnknownError: The rule is not held.
        """
        rule = self._rules.of_digest(row.rule_digest)
        found = (one for one in rule.body.requirements if one.id == row.requirement) if rule else iter(())
        requirement = next(found, None)
        if requirement is None:
            raise RungUnknownError
        return requirement

    def _offered(
        self, uow: UnitOfWork, rule: Rule, requirement: Requirement, case: Case, now: dt.datetime
    ) -> set[str]:
        """Give the kinds of rungs that an evaluation of this moment offers."""
        facts = self._inquiry.facts(uow, rule, case, now)
        body = evaluate(rule, facts, now, self._table, [requirement.id]).body
        answers = body["requirements"]
        steps: list[Json] = answers[0]["next"] if isinstance(answers, list) else []
        return {str(step["kind"]) for step in steps if isinstance(step, dict)} & set(FIRST)

    def _seen(self, uow: UnitOfWork, identity: Identity, rung_id: str) -> LadderRung:
        row = uow.session.get(LadderRung, rung_id)
        if row is None or not (
            _handles(identity, row) or _is_asked(identity, row) or _watches(identity, row)
        ):
            raise RungUnknownError
        # Who only answers is given no licence, so needs no grant.
        if _handles(identity, row):
            demand_granted(uow, self._grants, identity, row.decision_id, row.requirement)
        return row

    def _can(
        self, uow: UnitOfWork, identity: Identity, row: LadderRung, case: Case
    ) -> frozenset[RungEventKind]:
        """Give what an identity may do to a rung now; a question ends with its case."""
        open_to = possible(RungState(row.state)) - BY_CLOCK
        if case.state is not CaseState.OPEN:
            open_to -= WHILE_OPEN
        # Nobody answers their own question, whatever department they act for.
        answers = _is_asked(identity, row) and not took(uow, operator_of(identity), row)
        mine = open_to & BY_ASKED if answers else frozenset()
        if _handles(identity, row):
            return mine | (open_to - BY_ASKED)
        if identity.has(Role.HOLDER) and identity.id == row.holder_id:
            return mine | (open_to & {RungEventKind.COMMITTED, RungEventKind.DROPPED})
        return mine


def _begun(
    uow: UnitOfWork, identity: Identity, decision: Decision, case: Case, requirement: Requirement, kind: str
) -> LadderRung:
    rung = requirement.rung(kind)
    to = rung if isinstance(rung, Cooperation) else None
    return LadderRung(
        id=uow.ids.new_id(),
        case_id=case.id,
        holder_id=case.holder_id,
        item_code=case.item_code,
        kind=kind,
        requirement=requirement.id,
        material=requirement.material,
        decision_id=decision.id,
        rule_digest=decision.rule_digest,
        purpose=decision.purpose,
        organisation=case.organisation,
        asked=to.to if to else None,
        predicate=to.predicate.code if to else None,
        taken_by=identity.id,
        taken_at=uow.clock.now(),
        state=str(FIRST[kind][1]),
    )


def _may_take(identity: Identity) -> bool:
    if operator_of(identity) is None:
        return False
    return identity.has(Role.CLERK) or (identity.has(Role.CLIENT) and "ask" in identity.scopes)


def _may_for(identity: Identity, case: Case) -> bool:
    """Tell whether a client may still act for a case of this source and item."""
    if not identity.has(Role.CLIENT):
        return True
    return case.source in identity.sources and case.item_code in identity.items


def _own(identity: Identity, decision: Decision) -> bool:
    if identity.has(Role.CLIENT):
        return decision.actor_id == identity.id
    return decision.actor_id == identity.id or decision.organisation == identity.organisation


def _handles(identity: Identity, row: LadderRung) -> bool:
    if identity.has(Role.CLIENT):
        may = "ask" in identity.scopes and row.item_code in identity.items
        return may and row.taken_by == identity.id and operator_of(identity) is not None
    return identity.has(*HANDLERS) and covers(identity, row.organisation)


def answers_for(identity: Identity, department: str) -> bool:
    """Tell whether a person or a system, for a named operator, answers what a department is asked."""
    if identity.has(Role.CLIENT):
        may = "answer" in identity.scopes and operator_of(identity) is not None
        return may and covers(identity, department)
    return identity.has(*HANDLERS) and covers(identity, department)


def _is_asked(identity: Identity, row: LadderRung) -> bool:
    return row.asked is not None and answers_for(identity, row.asked)


def _watches(identity: Identity, row: LadderRung) -> bool:
    if identity.has(Role.HOLDER):
        return identity.id == row.holder_id
    concerned = (row.organisation, *((row.asked,) if row.asked is not None else ()))
    return identity.has(Role.SUPERVISOR) and any(covers(identity, one) for one in concerned)


def _words(happening: Happening) -> str:
    words = " ".join(happening.words.split())
    if len(words) > LONGEST or not is_plain(words) or (happening.kind in _SPEAKING and not words):
        raise RungWordsError(field="words", rule=f"1 to {LONGEST} characters")
    if (happening.holds is None) is (happening.kind in GIVING):
        raise RungWordsError(field="holds", rule="yes or no, for an answer only")
    return words


def _use(uow: UnitOfWork, who: Identity, row: LadderRung, result: str) -> LicenseUsage:
    use = Use(
        action="cooperation",
        holder_id=row.holder_id,
        asked=f"{row.requirement} {row.predicate}",
        result=result,
        decision_id=row.decision_id,
    )
    return usage_row(uow, who, use)
