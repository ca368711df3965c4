# SPDX-License-Identifier: Apache-2.0
"""What an answered question leaves behind of the call that asked it."""

from cases.models import Case
from licenses.models import Decision, LicenseRequest
from licenses.requests import SignedRequest
from storage.database import UnitOfWork


def request_rows(
    uow: UnitOfWork, case: Case, decision: Decision, call: SignedRequest | None
) -> list[LicenseRequest]:
    """Give the row of the call that a client signed; of a person's question there is none."""
    if call is None:
        return []
    kept = uow.secrets.encrypt(case.holder_id, call.kept())
    return [LicenseRequest(decision_id=decision.id, client_id=call.client_id, kid=call.kid, call_cipher=kept)]
