# SPDX-License-Identifier: Apache-2.0
"""Which systems may be told of changes, as sharing asks it."""

from collections.abc import Sequence

from sqlalchemy import select

from licenses.sharing.services import SCOPE
from portal.accounts.models import Client
from storage.database import UnitOfWork


class KnownClients:
    """Reads the clients' table."""

    def may_subscribe(self, uow: UnitOfWork, client_ids: Sequence[str]) -> frozenset[str]:
        """Give those of the clients that have not ended, are not out of date, and hold the scope."""
        query = select(Client).where(Client.id.in_(client_ids), Client.ended_at.is_(None))
        now = uow.clock.now()
        found = uow.session.scalars(query)
        return frozenset(one.id for one in found if one.expires_at > now and SCOPE in one.scopes)
