# SPDX-License-Identifier: Apache-2.0
"""What an answered question leaves behind of the call that asked it."""

from typing import Any

from licenses.requests import SignedRequest
from storage.secrets import SubjectKey


def request_values(key: SubjectKey, decision_id: str, call: SignedRequest | None) -> list[dict[str, Any]]:
    """Give the row of the call that a client signed, by column; of a person's question there is none.

    Args:
        key: The holder's.
        decision_id: The answer.
        call: The call.
    """
    if call is None:
        return []
    kept = key.encrypt(call.kept())
    return [{"decision_id": decision_id, "client_id": call.client_id, "kid": call.kid, "call_cipher": kept}]
