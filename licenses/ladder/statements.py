# SPDX-License-Identifier: Apache-2.0
"""Signed statements of rungs: after each event a JWS that says what happened so far, with the act's promise.

The newest one of each rung is filed in the dossier of its case; :func:`licenses.answers.verify_signed` checks
it offline. What was said stays under the holder's key and is no part of it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Select, exists, func, or_, select

from cases.models import Case
from licenses.answers import AnswerKeys
from licenses.ladder.assertions import newest_answer
from licenses.ladder.events import Spoken, events_of
from licenses.ladder.models import DepartmentAssertion, LadderEvent, LadderRung, RungStatement
from licenses.ladder.states import RungEventKind
from licenses.models import Decision, DecisionReliance
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.ledger.acts import Promise
from storage.ledger.canonical import Json

TYPE: Final = "cunzheng-rung+json"


def state_signed(
    uow: UnitOfWork, keys: AnswerKeys, row: LadderRung, event: LadderEvent, promise: Promise
) -> str:
    """Sign and keep what happened to a rung up to its newest event; gives the JWS."""
    payload = {"rung": stated(uow, row), "promise": promise.as_json()}
    jws = keys.sign_payload(payload, TYPE)
    uow.session.add(
        RungStatement(
            event_id=event.id,
            rung_id=row.id,
            act_id=promise.core_sha256,
            jws_cipher=uow.secrets.encrypt(row.holder_id, jws.encode()),
        )
    )
    uow.session.flush()
    return jws


def stated(uow: UnitOfWork, row: LadderRung) -> Mapping[str, Json]:
    """Give a rung as JSON: never who it is about, who is known by the case."""
    case = uow.session.get_one(Case, row.case_id)
    answer = newest_answer(uow, row)
    return {
        "v": 1,
        "id": row.id,
        "case": {"source": case.source, "number": case.number},
        "item": {"code": case.item_code, "edition": case.item_edition},
        "requirement": row.requirement,
        "rule": row.rule_digest,
        "kind": row.kind,
        "state": row.state,
        "asked": {"department": row.asked, "predicate": row.predicate} if row.asked else None,
        "answer": {"holds": answer.holds, "valid_until": answer.valid_until.isoformat()} if answer else None,
        "events": [_event(one) for one in events_of(uow, row)],
    }


def _event(event: Spoken) -> dict[str, Json]:
    """Give an event; of one that a system told of also whose key signed that, over exactly which base."""
    stated: dict[str, Json] = {
        "kind": str(event.kind),
        "at": rfc3339(event.at),
        "by": {"id": event.actor_id, "operator": event.operator, "organisation": event.organisation},
    }
    if event.signed is not None:
        kid, base = event.signed
        stated["request"] = {"kid": kid, "base_sha256": base}
    return stated


def newest_statements(
    uow: UnitOfWork, case_id: str, held: Collection[str]
) -> Sequence[tuple[RungStatement, LadderRung]]:
    """Give the newest statement of each rung of a case, without those whose event is held already.

    An answer of a department that another case of the same holder had asked for is one of them, where a
    decision of this case relied on it (证明材料内部互认).
    """
    newest = (
        select(LadderEvent.rung_id, func.max(LadderEvent.position).label("position"))
        .join(RungStatement, RungStatement.event_id == LadderEvent.id)
        .group_by(LadderEvent.rung_id)
        .subquery()
    )
    rows = uow.session.execute(
        select(RungStatement, LadderRung)
        .join(LadderEvent, LadderEvent.id == RungStatement.event_id)
        .join(newest, (newest.c.rung_id == LadderEvent.rung_id) & (newest.c.position == LadderEvent.position))
        .join(LadderRung, LadderRung.id == RungStatement.rung_id)
        .where(or_(LadderRung.case_id == case_id, LadderRung.id.in_(_relied_on(case_id))))
        .order_by(LadderRung.taken_at, LadderRung.id)
    )
    return [(statement, row) for statement, row in rows if statement.event_id not in held]


def _relied_on(case_id: str) -> Select[str]:
    """Give the rungs by which departments answered about a case's holder what its decisions relied on."""
    return (
        select(DepartmentAssertion.rung_id)
        .join(DecisionReliance, DecisionReliance.object_id == DepartmentAssertion.id)
        .join(Decision, Decision.id == DecisionReliance.decision_id)
        .where(
            Decision.case_id == case_id,
            DecisionReliance.kind == "assertion",
            DepartmentAssertion.holder_id == Decision.holder_id,
        )
    )


def forms_of(uow: UnitOfWork, case_id: str) -> Sequence[LadderRung]:
    """Give the rungs of a case whose form is made, in the order in which they were taken."""
    made = select(LadderRung).where(LadderRung.case_id == case_id, LadderRung.form_sha256.is_not(None))
    return uow.session.scalars(made.order_by(LadderRung.taken_at, LadderRung.id)).all()


def awaits_form(uow: UnitOfWork, case_id: str) -> bool:
    """Tell whether a commitment of a case was accepted and its form is not made yet."""
    accepted = exists().where(
        LadderEvent.rung_id == LadderRung.id, LadderEvent.kind == str(RungEventKind.ACCEPTED)
    )
    missing = select(LadderRung.id).where(
        LadderRung.case_id == case_id, LadderRung.form_sha256.is_(None), accepted
    )
    return uow.session.scalar(missing.limit(1)) is not None
