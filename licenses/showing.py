# SPDX-License-Identifier: Apache-2.0
"""Showing a licence 亮证: a code that changes each minute and tells anybody who scans it what the face says.

The code states the licence and the minute under a keyed hash of the installation, so nobody can make one and
none is good for long. Whoever scans it sees face, status and time, sensitive fields masked; that is a use
which the holder sees. Nothing is stored for a code.
"""

import base64
import datetime as dt
import hmac
import re
from dataclasses import dataclass
from typing import Final

from licenses.errors import CodeUnknownError
from licenses.models import License
from licenses.reading import LicenseReader
from licenses.views import LicenseView
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity

EVERY: Final = dt.timedelta(seconds=60)
"""How often the code changes."""
GOOD: Final = dt.timedelta(seconds=90)
"""How long each is good, from the beginning of its minute."""
ACTION: Final = "shown"
PURPOSE: Final = "show"
_MAC_BYTES: Final = 16
_TOKEN: Final = re.compile(r"([0-9a-z]{26})-([0-9]{1,12})-([0-9a-z]{26})")


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code to be shown now.

    Attributes:
        view: The licence, for the holder who shows it.
        token: What the code says.
        until: When it is good no more.
        fresh_in: Seconds until the next one.
    """

    view: LicenseView
    token: str
    until: dt.datetime
    fresh_in: int


@dataclass(frozen=True, slots=True)
class ShownFace:
    """What whoever scans a good code sees, and when that was.

    Attributes:
        view: The licence; its face holds the items that stand on the page, sensitive ones masked.
    """

    view: LicenseView
    at: dt.datetime


class ShowService:
    """Makes and reads such codes.

    Args:
        reader: Shows licences.
    """

    def __init__(self, reader: LicenseReader) -> None:
        self._reader = reader

    def code(self, uow: UnitOfWork, identity: Identity, license_id: str) -> ShownCode:
        """Give the code of this minute for an own licence; the caller records the look.

        Raises:
            NotPermittedError: Whoever asks is no holder.
            CodeUnknownError: It is no issued licence of the holder.
        """
        views = self._reader.own(uow, identity)
        view = next((one for one in views if one.id == license_id), None)
        if view is None:
            raise CodeUnknownError
        now = uow.clock.now()
        minute = _minute(now)
        token = f"{license_id}-{minute}-{_mac(uow, license_id, minute)}"
        begun = dt.datetime.fromtimestamp(minute * EVERY.total_seconds(), dt.UTC)
        fresh_in = int((begun + EVERY - now).total_seconds()) + 1
        return ShownCode(view, token, begun + GOOD, fresh_in)

    def look(self, uow: UnitOfWork, identity: Identity, token: str) -> ShownFace:
        """Give what a scanned code shows; the use is recorded.

        Raises:
            CodeUnknownError: No code of this installation that is good now; why makes no difference.
        """
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise CodeUnknownError
        license_id, minute, mac = found[1], int(found[2]), found[3]
        right = hmac.compare_digest(mac, _mac(uow, license_id, minute))
        age = uow.clock.now().timestamp() - minute * EVERY.total_seconds()
        license_ = uow.session.get(License, license_id)
        if not right or not 0 <= age < GOOD.total_seconds() or license_ is None:
            raise CodeUnknownError
        who = identity.on(AccessBasis(Basis.HOLDER, purpose=PURPOSE))
        view = self._reader.show(uow, who, license_, ACTION)
        return ShownFace(view, uow.clock.now())


def _minute(now: dt.datetime) -> int:
    return int(now.timestamp() // EVERY.total_seconds())


def _mac(uow: UnitOfWork, license_id: str, minute: int) -> str:
    digest = uow.secrets.lookup_hash("license-shown", f"{license_id}-{minute}")
    return base64.b32encode(digest[:_MAC_BYTES]).decode().rstrip("=").lower()
