# SPDX-License-Identifier: Apache-2.0
"""Which licences are effectively valid at an instant: one rule for every engine.

A document states from when to when its licence is valid by its dates and events, and the seal that it
rests on. What is valid is computed when somebody searches: a day that passes, or a seal that is revoked,
changes no document.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from indexer.document import IndexDocument

LICENCE: Final = "licence"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OPEN: Final = 2**62


@dataclass(frozen=True, slots=True)
class Judged:
    """When licences are judged, and whether those that are not valid then are found, too.

    Attributes:
        at: The instant, that of the search.
        revoked: Seals that are revoked by then; nothing that rests on one is valid.
        ended: Whether licences that are not valid are found, too; each hit says what it is.
    """

    at: dt.datetime
    revoked: frozenset[str] = frozenset()
    ended: bool = False

    @property
    def place(self) -> int:
        """Give the instant as engines compare it."""
        return microseconds(self.at)


def microseconds(at: dt.datetime) -> int:
    """Give an instant as a whole number, which both engines compare alike."""
    return (at - _EPOCH) // dt.timedelta(microseconds=1)


def span_of(document: IndexDocument) -> tuple[int, int] | None:
    """Give from when, and until before when a licence is valid; ``None`` for what is never."""
    if document.kind != LICENCE or document.since is None:
        return None
    until = _OPEN if document.until is None else microseconds(document.until)
    return microseconds(document.since), until


def is_valid(fields: Mapping[str, Any], span: tuple[int, int] | None, judged: Judged | None) -> bool | None:
    """Tell whether a hit is a licence that is valid; ``None`` for anything else, or where nobody judges.

    Args:
        fields: Kind and seal of the hit.
        span: What :func:`span_of` gave for it.
        judged: When.
    """
    if judged is None or fields["kind"] != LICENCE:
        return None
    return span is not None and span[0] <= judged.place < span[1] and fields["seal"] not in judged.revoked
