# SPDX-License-Identifier: Apache-2.0
"""What an answered question leaves behind of the call that asked it."""

from typing import Any

from licenses.requests import SignedRequest
from storage.database import UnitOfWork


def request_values(
    uow: UnitOfWork, holder_id: str, decision_id: str, call: SignedRequest | None
) -> list[dict[str, Any]]:
    """Give the row of the call that a client signed, by column; of a person's question there is none."""
    if call is None:
        return []
    kept = uow.secrets.encrypt(holder_id, call.kept())
    return [{"decision_id": decision_id, "client_id": call.client_id, "kid": call.kid, "call_cipher": kept}]
