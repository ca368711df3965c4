# SPDX-License-Identifier: Apache-2.0
"""What the seal register and the revocation lists say of seals that licences were sealed with.

A certificate that its authority revoked takes its seal along, as in the check of a file. Lists are files:
they are read when the rooms open and then beside whoever asks, so that no question waits for a file.
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Final

from sqlalchemy import bindparam, select

from seals.lifecycle import SealState
from seals.models import Seal, SealEvent
from seals.trust import TrustList
from storage.clock import Clock
from storage.database import UnitOfWork
from storage.errors import CunzhengError

READ_EVERY: Final = 60.0
"""Seconds after which lists are read again."""
_REVOKED = select(SealEvent.seal_id, SealEvent.at).where(SealEvent.state == str(SealState.REVOKED))
_REVOKED_OF = _REVOKED.where(SealEvent.seal_id.in_(bindparam("seals", expanding=True)))
_SEALS = select(Seal.id)
_CERTIFICATES_OF = select(Seal.id, Seal.certificate).where(Seal.id.in_(bindparam("seals", expanding=True)))
_log = logging.getLogger(__name__)


class CertificateLists:
    """Revocation lists as they were last read, and what they say of seals.

    Args:
        read: Reads them, with the anchors that they count under.
        clock: Says how old they are.
    """

    def __init__(self, read: Callable[[], TrustList], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._renewing = threading.Lock()
        self._trust: TrustList | None = None
        self._judged: dict[str, dt.datetime | None] = {}
        self._looked = 0.0
        self.renew()

    def renew(self) -> None:
        """Read the lists now; where that fails, what was known stays."""
        self._looked = self._clock.monotonic()
        try:
            trust = self._read()
        except (OSError, CunzhengError) as error:
            _log.warning("revocation lists cannot be read: %s", type(error).__name__)
            return
        self._trust, self._judged = trust, {}

    def keep_fresh(self) -> None:
        """Have old lists read again, beside whoever asks."""
        if self._clock.monotonic() - self._looked >= READ_EVERY and self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew_beside, name="revocation-lists", daemon=True).start()

    def unjudged(self, seals: Collection[str]) -> list[str]:
        """Give the seals whose certificates these lists were not asked about yet."""
        judged = self._judged
        return sorted(seal for seal in seals if seal not in judged)

    def judge(self, certificates: Mapping[str, bytes], seals: Collection[str]) -> Mapping[str, dt.datetime]:
        """Give which of these seals are revoked by a list, and since when.

        Args:
            certificates: DER of the certificates of those that were not judged yet.
            seals: All that are asked about.
        """
        trust, judged = self._trust, self._judged
        if trust is None:
            return {}
        for seal, certificate in certificates.items():
            judged[seal] = trust.listed_since(certificate)
        known = ((seal, judged.get(seal)) for seal in seals)
        return {seal: since for seal, since in known if since is not None}

    def _renew_beside(self) -> None:
        try:
            self.renew()
        finally:
            self._renewing.release()


class RegisterStandings:
    """Reads the seal register and the lists; fulfils :class:`licenses.ports.SealStandings`.

    Args:
        lists: Revocation lists of the certificates; the register alone without them.
    """

    def __init__(self, lists: CertificateLists | None = None) -> None:
        self._lists = lists

    def revocations(self, uow: UnitOfWork, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        """Give which of these seals, or of all, were revoked, and when: by the register or by a list."""
        if seals is None:
            rows = uow.session.execute(_REVOKED)
        else:
            rows = uow.session.connection().execute(_REVOKED_OF, {"seals": sorted(seals)})
        found = {row.seal_id: row.at for row in rows}
        for seal, since in self._listed(uow, seals).items():
            found[seal] = min(since, found.get(seal, since))
        return found

    def _listed(self, uow: UnitOfWork, seals: Collection[str] | None) -> Mapping[str, dt.datetime]:
        if self._lists is None:
            return {}
        self._lists.keep_fresh()
        if seals is None:
            seals = uow.session.scalars(_SEALS).all()
        new = self._lists.unjudged(seals)
        rows = uow.session.execute(_CERTIFICATES_OF, {"seals": new}) if new else ()
        return self._lists.judge({row.id: row.certificate for row in rows}, seals)
