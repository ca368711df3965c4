# SPDX-License-Identifier: Apache-2.0
"""From when to when a licence is valid, by its dates and events: what a search needs to judge it later.

Events that lie ahead only end a licence. So from any instant on there is one span in which it is valid, the
last one; what is found is judged by that span at the instant of the search. The seal is not in it: one that
is revoked takes its licences along without an event of theirs.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from licenses.lifecycle import Dated, Happening, SealState, Status, effective_status
from storage.clock import start_of_day


class Span(NamedTuple):
    """From when, and until before when; ``None`` while nothing ends it."""

    since: dt.datetime
    until: dt.datetime | None


def last_valid(license_: Dated, events: Sequence[Happening]) -> Span | None:
    """Give the last span in which an issued licence is valid; ``None`` where there is none.

    Args:
        license_: Its validity interval.
        events: Its whole history, in order.

    Raises:
        LicenseStateError: The events are no possible history.
    """
    turns = {event.at for event in events}
    if license_.valid_from is not None:
        turns.add(start_of_day(license_.valid_from))
    if license_.valid_until is not None:
        turns.add(start_of_day(license_.valid_until + dt.timedelta(days=1)))
    span: Span | None = None
    for turn in sorted(turns):
        valid = effective_status(license_, events, turn, SealState.VERIFIED) is Status.VALID
        if valid and (span is None or span.until is not None):
            span = Span(turn, None)
        elif not valid and span is not None and span.until is None:
            span = Span(span.since, turn)
    return span
