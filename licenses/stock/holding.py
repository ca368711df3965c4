# SPDX-License-Identifier: Apache-2.0
"""Holders of a block of stock: those that are known, and the rows of those that are not.

A holder is its code. Stock never changes the name of a holder who is known: it is older than what is filed,
and less is vouched for.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from cases.identifiers import ORGANISATION_SCHEMES
from cases.models import Holder, HolderKind
from licenses.stock.blocks import Blocks
from licenses.stock.chaining import parts
from licenses.stock.records import StockParty
from storage.database import UnitOfWork

# The scheme leads the index: without it each look would go through all holders.
_KNOWN = select(Holder.code_hash, Holder.id).where(
    Holder.scheme == bindparam("scheme"), Holder.code_hash.in_(bindparam("hashes", expanding=True))
)


class KnownHolders:
    """Finds holders by scheme and code, for one block.

    Args:
        uow: The unit of work.
        blocks: Gives subjects.
        parties: Every holder of the block.
    """

    def __init__(self, uow: UnitOfWork, blocks: Blocks, parties: Iterable[StockParty]) -> None:
        self._uow, self._blocks = uow, blocks
        self._hashes = {
            (one.scheme, one.code): uow.secrets.lookup_hash(one.scheme, one.code) for one in parties
        }
        self._ids: dict[tuple[str, bytes], str] = {}
        connection = uow.session.connection()
        for scheme in {scheme for scheme, _ in self._hashes}:
            wanted = {code_hash for (of, _), code_hash in self._hashes.items() if of == scheme}
            for some in parts(sorted(wanted)):
                for code_hash, holder_id in connection.execute(_KNOWN, {"scheme": scheme, "hashes": some}):
                    self._ids[scheme, code_hash] = holder_id

    def encrypted(
        self, rows: list[dict[str, Any]], party: StockParty, values: Sequence[bytes]
    ) -> tuple[str, list[bytes]]:
        """Give the id of a holder, and values under the holder's key.

        Args:
            rows: Where the row of a holder goes who is not known.
            party: The holder.
            values: What is encrypted.
        """
        code_hash = self._hashes[party.scheme, party.code]
        known = self._ids.get((party.scheme, code_hash))
        if known is not None:
            return known, self._uow.secrets.encrypt_all(known, values) if values else []
        holder_id, key = self._blocks.new_subject()
        organisation = party.scheme in ORGANISATION_SCHEMES
        rows.append(
            {
                "id": holder_id,
                "scheme": party.scheme,
                "code_hash": code_hash,
                "code_cipher": key.encrypt(party.code.encode()),
                "name_cipher": key.encrypt(party.name.encode()),
                "kind": str(HolderKind.ORGANISATION if organisation else HolderKind.PERSON),
            }
        )
        self._ids[party.scheme, code_hash] = holder_id
        return holder_id, [key.encrypt(value) for value in values]
