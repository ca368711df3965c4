# SPDX-License-Identifier: Apache-2.0
"""Replays a decision: the same rule, the facts of that instant gathered anew, and the same clock.

What comes out must be the decision byte for byte. Where it is not, either what was answered or what the
library holds of that instant was changed.
"""

import enum
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cases.models import Case
from cases.organisations import covers
from licenses.evaluation import evaluate
from licenses.facts import Facts
from licenses.inquiry import Inquiry
from licenses.models import Decision
from licenses.reason_table import ReasonTable
from licenses.rules import RuleBook
from storage.clock import parse_rfc3339
from storage.database import UnitOfWork
from storage.errors import NotFoundError
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind
from storage.secrets import ErasedError

_MOST: Final = 50
_EVALUATED: Final = ("at", "rule", "sentences", "given", "inputs", "result", "requirements")


class ReplayState(enum.StrEnum):
    """What a replay came to."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT = "cannot-replay"


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome.

    Attributes:
        state: Whether the decision came out again.
        reason: Why it cannot be replayed: ``rule-gone``, ``sentences-gone``, ``erased``, ``older-format``.
        differences: JSON pointers to what differs, at most fifty; never a value.
    """

    state: ReplayState
    reason: str | None = None
    differences: Sequence[str] = ()


class ReplayService:
    """Replays decisions.

    Args:
        rules: The rules, those that are in force no more included.
        inquiry: Gathers facts.
        tables: Sentences of reasons by digest; those that come with the product, earlier ones included.
    """

    def __init__(
        self, rules: RuleBook, inquiry: Inquiry, tables: Mapping[str, ReasonTable] | None = None
    ) -> None:
        self._rules = rules
        self._inquiry = inquiry
        self._tables = ReasonTable.held() if tables is None else tables

    def replay(self, uow: UnitOfWork, identity: Identity, decision_id: str) -> Replay:
        """Replay a decision; that it was replayed is recorded.

        Raises:
            NotFoundError: Unknown, or not of a department that this supervisor covers; they look the same.
        """
        decision = uow.session.get(Decision, decision_id)
        case = uow.session.get(Case, decision.case_id) if decision is not None else None
        may = identity.has(Role.SYSTEM) or (
            identity.has(Role.SUPERVISOR) and case is not None and covers(identity, case.organisation)
        )
        if decision is None or case is None or not may:
            raise NotFoundError
        outcome = self._replay(uow, decision, case)
        uow.record(
            Act(
                kind=ActKind.PROOF_REPLAYED,
                actor=identity,
                object_type="decision",
                object_id=decision.id,
                case=case.id,
                subject=decision.holder_id,
                object_sha256=decision.body_sha256,
                reasons=[str(outcome.state), *([outcome.reason] if outcome.reason else [])],
            )
        )
        return outcome

    def _replay(self, uow: UnitOfWork, decision: Decision, case: Case) -> Replay:
        try:
            written = uow.secrets.decrypt(decision.body_cipher)
            stored: dict[str, Any] = json.loads(written)
            if "given" not in stored:
                return Replay(ReplayState.CANNOT, "older-format")
            rule = self._rules.of_digest(decision.rule_digest)
            table = self._tables.get(stored["sentences"]["digest"])
            if rule is None or table is None:
                return Replay(ReplayState.CANNOT, "rule-gone" if rule is None else "sentences-gone")
            at = parse_rfc3339(stored["at"])
            facts = _as_given(
                self._inquiry.facts(uow, rule, case, at, stored.get("subjects", {})), stored["given"]
            )
        except ErasedError:
            return Replay(ReplayState.CANNOT, "erased")
        again = evaluate(rule, facts, at, table, stored["asked"]).body
        whole = {**stored, **again}
        if canonical(whole) == written and hashlib.sha256(written).hexdigest() == decision.body_sha256:
            return Replay(ReplayState.SAME)
        if any(one.erased for one in facts.related.values()):
            return Replay(ReplayState.CANNOT, "erased")
        return _different(stored, whole)


def _different(stored: dict[str, Any], whole: dict[str, Any]) -> Replay:
    found = [
        path for name in _EVALUATED for path in _differences(stored.get(name), whole.get(name), f"/{name}")
    ]
    return Replay(ReplayState.DIFFERENT, differences=found[:_MOST] or ["/"])


def _as_given(facts: Facts, given: Mapping[str, Any]) -> Facts:
    """Put what does not depend on the holder as it was: the library, relations of items, what bars."""
    return replace(
        facts,
        library_types=tuple(given["library"]),
        counted_as=given.get("counted_as", {}),
        barred=tuple(given.get("barred", ())),
    )


def _differences(one: Json, other: Json, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            yield from _differences(one.get(name), other.get(name), f"{path}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, f"{path}/{place}")
    elif one != other:
        yield path
