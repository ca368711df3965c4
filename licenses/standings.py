# SPDX-License-Identifier: Apache-2.0
"""What the seal register says of seals that licences were sealed with."""

import datetime as dt

from sqlalchemy import select

from seals.lifecycle import SealState
from seals.models import SealEvent
from storage.database import UnitOfWork


class RegisterStandings:
    """Reads the seal register; fulfils :class:`licenses.ports.SealStandings`."""

    def revoked_at(self, uow: UnitOfWork, seal_id: str) -> dt.datetime | None:
        """Give when the seal was revoked; ``None`` while it is not."""
        return uow.session.scalar(
            select(SealEvent.at).where(
                SealEvent.seal_id == seal_id, SealEvent.state == str(SealState.REVOKED)
            )
        )
