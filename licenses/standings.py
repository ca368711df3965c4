# SPDX-License-Identifier: Apache-2.0
"""What the seal register says of seals that licences were sealed with."""

import datetime as dt
from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select

from seals.lifecycle import SealState
from seals.models import SealEvent
from storage.database import UnitOfWork

_REVOKED = select(SealEvent.seal_id, SealEvent.at).where(SealEvent.state == str(SealState.REVOKED))
_REVOKED_OF = _REVOKED.where(SealEvent.seal_id.in_(bindparam("seals", expanding=True)))


class RegisterStandings:
    """Reads the seal register; fulfils :class:`licenses.ports.SealStandings`."""

    def revocations(self, uow: UnitOfWork, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        """Give which of these seals, or of all, were revoked, and when."""
        if seals is None:
            rows = uow.session.execute(_REVOKED)
        else:
            rows = uow.session.execute(_REVOKED_OF, {"seals": sorted(seals)})
        return {row.seal_id: row.at for row in rows}
