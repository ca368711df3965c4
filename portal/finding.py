# SPDX-License-Identifier: Apache-2.0
"""How licences are judged that a search finds: at this instant, with the seals that are revoked by now."""

from indexer.validity import Judged
from portal.rooms import Rooms


def judged_now(rooms: Rooms, *, ended: bool) -> Judged:
    """Judge licences now.

    Args:
        rooms: The rooms.
        ended: Whether those that are not valid are found, too.
    """
    with rooms.database.reading() as uow:
        now = uow.clock.now()
        return Judged(now, rooms.holdings.revoked_by(uow, now), ended=ended)
