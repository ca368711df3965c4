# SPDX-License-Identifier: Apache-2.0
"""An answer that waits for a department: by when it is expected, and when to ask again. Pure."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from licenses.predicates import Answer
from storage.clock import parse_rfc3339
from storage.ledger.canonical import Json

SHORTEST_WAIT_SECONDS: Final = 60
"""Nobody need ask more often: an answer is a person's."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """What an answer waits for.

    Attributes:
        expected_at: The earliest deadline that still runs; ``None`` when all of them have passed.
        wait_seconds: How long whoever asks again should wait.
    """

    expected_at: dt.datetime | None
    wait_seconds: int


def awaited(decision: Mapping[str, Json], now: dt.datetime) -> Awaited | None:
    """Give what a decision waits for at an instant; ``None`` when its result is not that it does."""
    if decision.get("result") != str(Answer.PENDING):
        return None
    answers = decision.get("requirements")
    dues = [_due(one) for one in answers if isinstance(one, dict)] if isinstance(answers, list) else []
    expected = min((one for one in dues if one is not None and one > now), default=None)
    seconds = 0 if expected is None else math.ceil((expected - now).total_seconds())
    return Awaited(expected, max(SHORTEST_WAIT_SECONDS, seconds))


def _due(answer: Mapping[str, Json]) -> dt.datetime | None:
    standing = answer.get("standing")
    if answer.get("result") != str(Answer.PENDING) or not isinstance(standing, dict):
        return None
    due = standing.get("due")
    return parse_rfc3339(due) if isinstance(due, str) else None
