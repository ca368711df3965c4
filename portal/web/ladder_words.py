# SPDX-License-Identifier: Apache-2.0
"""Words for rungs of the ladder: kinds, states, what happens to them, and what somebody may do."""

from collections.abc import Mapping
from typing import Final

from licenses.ladder.states import RungEventKind, RungState
from portal.i18n import mark as _

KINDS: Final[Mapping[str, str]] = {
    "commitment": _("Written commitment"),
    "cooperation": _("Asking the responsible department"),
    "supply_later": _("Supply later"),
    "citizen_upload": _("Collected from the applicant"),
}
STATES: Final[Mapping[RungState, tuple[str, str]]] = {
    RungState.TOLD: (_("Told, not committed yet"), "wait"),
    RungState.COMMITTED: (_("Committed, not accepted yet"), "wait"),
    RungState.ACCEPTED: (_("Accepted, to be checked"), "wait"),
    RungState.CHECK_DUE: (_("The check is due"), "wait"),
    RungState.CONFIRMED: (_("Checked and true"), "good"),
    RungState.FALSE: (_("Found false"), "bad"),
    RungState.RECTIFIED: (_("Made good"), "good"),
    RungState.REVOKED: (_("Found false, decision revoked"), "bad"),
    RungState.DROPPED: (_("Dropped"), "unknown"),
    RungState.ASKED: (_("Waits for the department"), "wait"),
    RungState.ESCALATED: (_("Late, supervision was told"), "bad"),
    RungState.ACCEPTED_BEFORE_ANSWER: (_("Late, accepted before the answer"), "wait"),
    RungState.ANSWERED: (_("Answered"), "good"),
    RungState.UNANSWERABLE: (_("The department cannot say"), "unknown"),
    RungState.ADMITTED: (_("To be supplied"), "wait"),
    RungState.MISSED: (_("Not supplied in time"), "bad"),
    RungState.SUPPLIED: (_("Supplied"), "good"),
    RungState.COLLECTED: (_("Collected"), "plain"),
}
HAPPENED: Final[Mapping[RungEventKind, str]] = {
    RungEventKind.TOLD: _("Told what the commitment means"),
    RungEventKind.COMMITTED: _("Committed in writing"),
    RungEventKind.ACCEPTED: _("Commitment accepted"),
    RungEventKind.CHECK_DUE: _("The check fell due"),
    RungEventKind.CONFIRMED: _("Checked: it is true"),
    RungEventKind.FOUND_FALSE: _("Checked: it is false"),
    RungEventKind.RECTIFIED: _("Made good in time"),
    RungEventKind.REVOKED: _("Decision revoked"),
    RungEventKind.DROPPED: _("Dropped: another way is taken, or the case is over"),
    RungEventKind.ASKED: _("The department was asked"),
    RungEventKind.REMINDED: _("The department was reminded"),
    RungEventKind.ESCALATED: _("Late: supervision was told"),
    RungEventKind.ACCEPTED_BEFORE_ANSWER: _("Late: accepted before the answer"),
    RungEventKind.ANSWERED: _("The department answered"),
    RungEventKind.CORRECTED: _("The department corrected its answer"),
    RungEventKind.UNANSWERABLE: _("The department cannot say"),
    RungEventKind.ADMITTED: _("Admitted without it"),
    RungEventKind.MISSED: _("The term passed without it"),
    RungEventKind.SUPPLIED: _("It was supplied"),
    RungEventKind.COLLECTED: _("It was collected"),
}
DO: Final[Mapping[RungEventKind, str]] = {
    RungEventKind.COMMITTED: _("The applicant has committed in writing"),
    RungEventKind.DROPPED: _("Drop it: another way is taken"),
    RungEventKind.ACCEPTED: _("Accept the commitment"),
    RungEventKind.CONFIRMED: _("Checked: it is true"),
    RungEventKind.FOUND_FALSE: _("Checked: it is false"),
    RungEventKind.RECTIFIED: _("It was made good in time"),
    RungEventKind.REVOKED: _("The decision was revoked"),
    RungEventKind.UNANSWERABLE: _("We cannot say"),
    RungEventKind.SUPPLIED: _("It was supplied"),
}
"""What a button offers; an answer has two of its own."""
CHECKS: Final[Mapping[str, str]] = {
    "written": _("by what registers and papers say"),
    "online": _("by asking other systems"),
    "on_site": _("on site"),
    "public_notice": _("by public notice"),
}
"""How a commitment is checked."""
