# SPDX-License-Identifier: Apache-2.0
"""Makes what is published for strangers: the signed directory and the signed status list.

Each is made once and kept: a directory for an hour, the newest status list for a minute.
"""

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from licenses.published import DirectoryParts, SealEntry, directory, status_entries
from licenses.status_list import sign_list, status_list_url
from portal.errors import TimeAheadError
from portal.rooms import Rooms
from portal.settings import Settings
from seals.models import Seal

DIRECTORY_EVERY: Final = dt.timedelta(hours=1)
LIST_EVERY: Final = dt.timedelta(minutes=1)
_KEPT: Final = 8
"""Earlier lists that are kept: to make one goes through the whole library."""


@dataclass(frozen=True, slots=True)
class Published:
    """A signed document with the strong validator of what it says."""

    token: str
    etag: str


class Publications:
    """Makes and keeps what is published.

    Args:
        rooms: The composed rooms.
        settings: The settings they were composed of.
    """

    def __init__(self, rooms: Rooms, settings: Settings) -> None:
        self._rooms = rooms
        self._settings = settings
        self._directory: Published | None = None
        self._list: Published | None = None
        self._made = rooms.clock.now()
        self._asked: dict[dt.datetime, Published] = {}
        self._one_at_a_time = threading.Lock()

    def directory(self) -> Published:
        """Give the directory of issuers, types and keys."""
        rooms, settings = self._rooms, self._settings
        at = _floor(rooms.clock.now(), DIRECTORY_EVERY)
        ca, seals = rooms.pki.pem(), self._seals()
        editions = "".join(f"{kind.code}{kind.version}" for kind in rooms.license_types.all())
        etag = hashlib.sha256(
            ca + f"{at.isoformat()}{rooms.proofs.keys.kid}{editions}{seals}".encode()
        ).hexdigest()
        known = self._directory
        if known is None or known.etag != etag:
            parts = DirectoryParts(
                settings.log_origin, rooms.keys.log_key, ca, status_list_url(settings.public_url), seals
            )
            token = directory(rooms.items, rooms.license_types, rooms.proofs.keys, parts, at)
            self._directory = known = Published(token, etag)
        return known

    def _seals(self) -> tuple[SealEntry, ...]:
        issuers = {one.code: one.uscc for one in self._rooms.items.departments}
        with self._rooms.database.reading() as uow:
            found = uow.session.scalars(select(Seal).order_by(Seal.id)).all()
        return tuple(
            SealEntry(
                one.certificate_sha256,
                tuple(issuers[code] for code in one.scope["departments"] if code in issuers),
                tuple(one.scope["document_types"]),
            )
            for one in found
        )

    def status_list(self, at: dt.datetime | None = None) -> Published:
        """Give the status list, the newest one or as it was at the beginning of an earlier minute.

        Raises:
            TimeAheadError: The instant is still to come.
        """
        now = self._rooms.clock.now()
        if at is not None:
            if at > now:
                raise TimeAheadError
            return self._earlier(_floor(at, LIST_EVERY))
        with self._one_at_a_time:
            if self._list is None or not self._made <= now < self._made + LIST_EVERY:
                self._list, self._made = self._list_at(now), now
            return self._list

    def _earlier(self, at: dt.datetime) -> Published:
        with self._one_at_a_time:
            kept = self._asked.pop(at, None) or self._list_at(at)
            # The one that was asked for last stands last.
            self._asked[at] = kept
            if len(self._asked) > _KEPT:
                del self._asked[next(iter(self._asked))]
            return kept

    def _list_at(self, at: dt.datetime) -> Published:
        with self._rooms.database.reading() as uow:
            entries = status_entries(uow, at, self._rooms.holdings.revoked_seals(uow))
        uri = status_list_url(self._settings.public_url)
        token = sign_list(self._rooms.proofs.keys, uri, entries, at)
        etag = hashlib.sha256(entries + f"{int(at.timestamp())}{self._rooms.proofs.keys.kid}".encode())
        return Published(token, etag.hexdigest())


def _floor(instant: dt.datetime, step: dt.timedelta) -> dt.datetime:
    seconds = int(step.total_seconds())
    return dt.datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, dt.UTC)
