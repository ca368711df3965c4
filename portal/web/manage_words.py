# SPDX-License-Identifier: Apache-2.0
"""Words for the page of a licence and its chain: what may be decided, and what happened."""

from collections.abc import Mapping
from typing import Final

from licenses.events import ACT_OF_EVENT
from licenses.lifecycle import EventKind
from licenses.managing import Decision
from portal.i18n import mark as _
from storage.ledger.kinds import TITLES, ActKind

DECISIONS: Final[Mapping[Decision, str]] = {
    Decision.SUSPEND: _("Suspend"),
    Decision.RESUME: _("End the suspension"),
    Decision.OPEN_CHECK: _("Open the annual check"),
    Decision.CHECK: _("Annual check passed"),
    Decision.CLOSE_CHECK: _("End the annual check without a finding"),
    Decision.OPEN_CANCELLATION: _("Open a cancellation"),
    Decision.CLOSE_CANCELLATION: _("End the cancellation without a decision"),
    Decision.CANCEL: _("Cancel (its purpose is over)"),
    Decision.WITHDRAW: _("Withdraw (should not have been given)"),
    Decision.REVOKE: _("Revoke (as a sanction)"),
    Decision.LAPSE: _("Void after the annual check"),
}
HAPPENED: Final[Mapping[str, tuple[str, str]]] = {
    str(EventKind.ISSUED): TITLES[ActKind.LICENSE_ISSUED],
    str(EventKind.ADOPTED): ("存量证照导入", "Taken over from stock"),
    **{str(kind): TITLES[act] for kind, act in ACT_OF_EVENT.items()},
}
