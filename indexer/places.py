# SPDX-License-Identifier: Apache-2.0
"""Places in a list of hits: what a cursor holds, for each order.

A place is made of what its hit is sorted by, never of a position: hits that arrive or leave move nothing. A
cursor of another order is refused, since it would leave hits out.
"""

import base64
import binascii
import json
from typing import Final

from indexer.query import Hit, Query, Sort
from storage.clock import parse_rfc3339, rfc3339
from storage.cursors import CursorError, read_cursor, write_cursor

Place = tuple[str | int, ...]
"""What a hit is sorted by, most significant first; by relevance that is 1 for a best hit, else 0."""
_KINDS: Final[dict[Sort, tuple[type, ...]]] = {Sort.RELEVANCE: (int, str, str), Sort.NUMBER: (str, str)}


def write_place(sort: Sort, hit: Hit, *, best: bool = False) -> str:
    """Write the place of a hit as a cursor.

    Args:
        sort: The order.
        hit: The hit.
        best: Whether its title or number holds every term.
    """
    if sort is Sort.NEWEST:
        return write_cursor(hit.at, hit.id)
    place = (hit.number, hit.id) if sort is Sort.NUMBER else (int(best), rfc3339(hit.at), hit.id)
    written = json.dumps([str(sort), *place], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def read_place(query: Query) -> Place | None:
    """Give the place behind which a query's page begins; ``None`` for the first page.

    Raises:
        CursorError: No page of this order gave the cursor.
    """
    if query.after is None:
        return None
    if query.sort is Sort.NEWEST:
        at, document_id = read_cursor(query.after)
        return rfc3339(at), document_id
    try:
        padded = query.after.encode("ascii") + b"=" * (-len(query.after) % 4)
        name, *place = json.loads(base64.b64decode(padded, b"-_", validate=True))
        kinds = _KINDS[query.sort]
        if name != query.sort or tuple(map(type, place)) != kinds:
            raise CursorError
        if query.sort is Sort.RELEVANCE:
            if place[0] not in {0, 1}:
                raise CursorError
            place[1] = rfc3339(parse_rfc3339(place[1]))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise CursorError from error
    return tuple(place)
