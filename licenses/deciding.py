# SPDX-License-Identifier: Apache-2.0
"""What answers leave behind: decisions, what they rest on, records of use, two acts and a signed answer each.

Those of several questions that wait together are written together; each has its own acts and its own answer.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from licenses.admitting import Admitted
from licenses.answer_uses import uses_of
from licenses.answers import AnswerKeys
from licenses.asked import request_values
from licenses.evaluation import Evaluation
from licenses.models import Decision, DecisionReliance, LicenseRequest, LicenseUsage, SignedAnswer
from licenses.usage import operator_of
from storage.base import Base
from storage.clock import parse_rfc3339
from storage.database import UnitOfWork
from storage.inserting import insert_many
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind
from storage.ledger.rows import TableRows
from storage.secrets import SubjectKey

_TABLES: Final[tuple[type[Base], ...]] = (Decision, LicenseUsage, DecisionReliance, LicenseRequest)


@dataclass(frozen=True, slots=True)
class AnsweredProof:
    """The answer to a question.

    Attributes:
        row: The decision as it is stored, by column.
        body: The decision as JSON, as signed.
        promise: Redeemed by the receipt of the act ``proof.answered``.
        jws: The signed answer.
    """

    row: Mapping[str, Any]
    body: Mapping[str, Json]
    promise: Promise
    jws: str

    @property
    def id(self) -> str:
        """Give the id of the decision."""
        return str(self.row["id"])

    @property
    def decision(self) -> Decision:
        """Give the decision, made of its row; most who ask want its id alone."""
        return Decision(**self.row)


class _Made(NamedTuple):
    """A decision before it is written: its JSON, that JSON's bytes, its holder's key, its rows by table."""

    body: dict[str, Json]
    written: bytes
    key: SubjectKey
    rows: tuple[TableRows, ...]

    @property
    def decision(self) -> Mapping[str, Any]:
        return self.rows[0].rows[0]


def record_each(
    uow: UnitOfWork, keys: AnswerKeys, found: Sequence[tuple[Admitted, Evaluation]]
) -> list[AnsweredProof]:
    """Record questions, each before its answer, and what they came to; give the signed answers."""
    made: list[_Made] = []

    def decided(intents: Sequence[Promise]) -> list[Act]:
        made.extend(_decide(uow, one, evaluation) for one, evaluation in found)
        return [
            _answering(admitted, one, intent)
            for (admitted, _), one, intent in zip(found, made, intents, strict=True)
        ]

    promises = uow.record_all([_asking(one) for one, _ in found], decided)[len(found) :]
    connection = uow.session.connection()
    for place, table in enumerate(_TABLES):
        insert_many(connection, table, [row for one in made for row in one.rows[place].rows])
    signed = [keys.sign_written(one.written, promise) for one, promise in zip(made, promises, strict=True)]
    answers = [
        {
            "decision_id": one.decision["id"],
            "act_id": promise.core_sha256,
            "jws_cipher": one.key.encrypt(jws.encode()),
        }
        for one, promise, jws in zip(made, promises, signed, strict=True)
    ]
    insert_many(connection, SignedAnswer, answers)
    return [
        AnsweredProof(one.decision, one.body, promise, jws)
        for one, promise, jws in zip(made, promises, signed, strict=True)
    ]


def _asking(one: Admitted) -> Act:
    return Act(
        kind=ActKind.PROOF_ASKED,
        actor=one.asker,
        object_type="case",
        object_id=one.case.id,
        outcome=Outcome.INTENDED,
        case=one.case.id,
        subject=one.case.holder_id,
        notes={"rule": one.rule.digest, "requirements": list(one.asked)},
    )


def _answering(admitted: Admitted, made: _Made, intent: Promise) -> Act:
    return Act(
        kind=ActKind.PROOF_ANSWERED,
        actor=admitted.asker,
        object_type="decision",
        object_id=made.decision["id"],
        case=admitted.case.id,
        object_sha256=made.decision["body_sha256"],
        subject=admitted.case.holder_id,
        tables=made.rows,
        reasons=_reason_codes(made.body),
        intent=intent.core_sha256,
    )


def _decide(uow: UnitOfWork, one: Admitted, evaluation: Evaluation) -> _Made:
    case, rule, question, asker = one.case, one.rule, one.question, one.asker
    at = parse_rfc3339(str(evaluation.body["at"]))
    key = uow.secrets.key_of(case.holder_id)
    decision_id = uow.ids.id_at(at)
    body: dict[str, Json] = {
        "v": 1,
        "id": decision_id,
        "case": {"source": case.source, "number": case.number},
        "item": {"code": case.item_code, "edition": case.item_edition},
        "purpose": question.purpose,
        "asker": {"id": asker.id, "operator": operator_of(asker)},
        "asked": list(one.asked),
        **({"subjects": {name: dict(said) for name, said in one.meant.items()}} if one.meant else {}),
        **evaluation.body,
    } | (question.signed.named() if question.signed else {})
    written = canonical(body)
    decision = {
        "id": decision_id,
        "case_id": case.id,
        "holder_id": case.holder_id,
        "item_code": case.item_code,
        "item_edition": case.item_edition,
        "rule_id": rule.body.rule_id,
        "rule_version": rule.body.version,
        "rule_digest": rule.digest,
        "result": str(evaluation.result),
        "purpose": question.purpose,
        "actor_id": asker.id,
        "operator": operator_of(asker) or "",
        "organisation": asker.organisation,
        "at": at,
        "body_cipher": key.encrypt(written),
        "body_sha256": hashlib.sha256(written).hexdigest(),
    }
    rests_on = [
        {"decision_id": decision_id, "requirement": each.requirement, "kind": each.kind, "object_id": each.id}
        for each in evaluation.reliances
    ]
    rows: tuple[list[dict[str, Any]], ...] = (
        [decision],
        uses_of(uow, asker, case, rule, evaluation, decision_id),
        rests_on,
        request_values(key, decision_id, question.signed),
    )
    tables = tuple(TableRows(table, of) for table, of in zip(_TABLES, rows, strict=True))
    return _Made(body, written, key, tables)


def _reason_codes(body: Mapping[str, Json]) -> list[str]:
    answers = body["requirements"]
    return sorted({answer["reason"]["code"] for answer in answers}) if isinstance(answers, list) else []
