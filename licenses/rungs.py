# SPDX-License-Identifier: Apache-2.0
"""What a clerk may do next where evidence does not establish a requirement: the ladder, cheapest first."""

import datetime as dt

from licenses.facts import Facts
from licenses.periods import on_from
from licenses.predicates import Answer
from licenses.reason_table import ReasonTable, Sentence
from licenses.rule_definition import (
    Commitment,
    Cooperation,
    Requirement,
    SupplyLater,
)
from storage.clock import legal_date
from storage.ledger.canonical import Json

_OPEN = frozenset({Answer.UNKNOWN, Answer.PENDING})
"""Answers after which a rung may be taken."""


def next_actions(
    requirement: Requirement,
    answer: Answer,
    sentence: Sentence,
    facts: Facts,
    at: dt.datetime,
    table: ReasonTable,
) -> list[Json]:
    """Give the actions that are open, the cheapest first, with their deadlines.

    Args:
        requirement: What is to be established.
        answer: What it came to.
        sentence: The reason's; what it says would help stands first.
        facts: What bars a commitment, and which rungs were taken already.
        at: The instant of the question, from which deadlines count.
        table: Titles of the actions.
    """
    if answer in {Answer.MET, Answer.PROVISIONAL}:
        return []
    actions: list[Json] = []
    if sentence.resolve_zh:
        actions.append({"kind": "resolve", "zh": sentence.resolve_zh, "en": sentence.resolve_en})
    if answer not in _OPEN:
        return actions
    taken = {one.kind for one in facts.rungs.get(requirement.id, ())}
    day = legal_date(at)
    for rung in requirement.fallback:
        if rung.kind in taken or (isinstance(rung, Commitment) and facts.barred):
            continue
        title = table.actions[rung.kind]
        action: dict[str, Json] = {"kind": rung.kind, "zh": title.zh, "en": title.en}
        if isinstance(rung, Commitment):
            action["check_by"] = on_from(day, rung.verify_within).isoformat()
        elif isinstance(rung, SupplyLater):
            action["supply_by"] = on_from(day, rung.deadline).isoformat()
        elif isinstance(rung, Cooperation):
            action |= {"to": rung.to, "working_hours": rung.deadline}
        actions.append(action)
    return actions
