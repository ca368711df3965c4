# SPDX-License-Identifier: Apache-2.0
"""Ending a seal: the register first, then the revocation list that strangers read."""

from portal.rooms import Rooms
from seals.register import revoked_serials
from storage.identity import Identity
from storage.ledger.acts import Promise


def revoke_seal(rooms: Rooms, identity: Identity, seal_id: str, reason: str) -> Promise:
    """Revoke a seal and publish the revocation list anew.

    The register decides here; the list can be published again at any time by running this for another
    seal or by ``cunzheng init``.

    Raises:
        NotPermittedError: No seal manager, or no such seal.
        SealStateError: It is revoked already.
    """
    promise = rooms.database.write(lambda uow: rooms.seals.revoke(uow, identity, seal_id, reason))
    publish_revocations(rooms)
    return promise


def publish_revocations(rooms: Rooms) -> None:
    """Write the revocation list from the register."""
    with rooms.database.reading() as uow:
        revoked = revoked_serials(uow.session)
    rooms.pki.write_revocations(revoked)
