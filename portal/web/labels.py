# SPDX-License-Identifier: Apache-2.0
"""How states look: always a word, an icon and a colour, never a colour alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from archive.models import IN_PROGRESS
from licenses.lifecycle import Standing, Status, status_titles
from portal.i18n import choose
from portal.i18n import mark as _
from portal.web import ladder_words, pattern_words, rights_words, use_words
from storage.identity import Role

GOOD: Final = "good"
WAIT: Final = "wait"
BAD: Final = "bad"
UNKNOWN: Final = "unknown"
PLAIN: Final = "plain"
ICONS: Final[Mapping[str, str]] = {GOOD: "●", WAIT: "▲", BAD: "✕", UNKNOWN: "?", PLAIN: ""}


@dataclass(frozen=True, slots=True)
class Label:
    """A state's word (a message identifier) and tone."""

    word: str
    tone: str

    @property
    def icon(self) -> str:
        """The tone's sign."""
        return ICONS[self.tone]


STATES: Final[Mapping[str, Mapping[str, Label]]] = {
    "filing": {
        **dict.fromkeys((*map(str, IN_PROGRESS), "in-progress"), Label(_("In progress"), WAIT)),
        "filed": Label(_("Filed"), GOOD),
        "returned": Label(_("Returned"), BAD),
        "quarantined": Label(_("Quarantined"), UNKNOWN),
    },
    "case": {
        "open": Label(_("Open"), GOOD),
        "closed": Label(_("Closed"), PLAIN),
        "filed": Label(_("Filed"), GOOD),
    },
    "stock": {
        "accepted": Label(_("Taken over"), GOOD),
        "quarantined": Label(_("Quarantined"), UNKNOWN),
        "rejected": Label(_("Rejected"), BAD),
    },
    "stock-run": {
        "arriving": Label(_("Upload is stored"), WAIT),
        "open": Label(_("In progress"), WAIT),
        "done": Label(_("Done"), GOOD),
        "failed": Label(_("Failed"), BAD),
    },
    "stock-record": {
        "open": Label(_("Waits for a decision"), WAIT),
        "corrected": Label(_("Corrected and taken over"), GOOD),
        "rejected": Label(_("Rejected"), BAD),
        "retried": Label(_("Taken over when tried again"), GOOD),
    },
    "verdict": {
        **dict.fromkeys(("valid", "valid-with-later-permitted-changes"), Label(_("Valid"), GOOD)),
        "invalid": Label(_("Invalid"), BAD),
        **dict.fromkeys(("indeterminate", "unsupported"), Label(_("Cannot tell"), UNKNOWN)),
    },
    "found": {
        "valid": Label(_("Valid"), GOOD),
        "ended": Label(_("Not valid now"), BAD),
    },
    "requirement": {
        "MET": Label(_("Established"), GOOD),
        "NOT_MET": Label(_("Not met"), BAD),
        "UNKNOWN": Label(_("Cannot establish"), UNKNOWN),
        "PENDING": Label(_("A department is asked"), WAIT),
        "PROVISIONAL": Label(_("Accepted provisionally"), WAIT),
    },
    "relation": {
        "PROVEN": Label(_("Proven"), GOOD),
        "name-only": Label(_("Unknown: only a name is stated"), UNKNOWN),
        "name-masked": Label(_("Unknown: the name is masked"), UNKNOWN),
        "code-invalid": Label(_("Unknown: the code does not check"), UNKNOWN),
        "licence-not-valid": Label(_("Unknown: that licence is not valid now"), UNKNOWN),
        "trust-too-low": Label(_("Unknown: the trust level is too low"), UNKNOWN),
        "contradicted": Label(_("Unknown: licences contradict each other"), UNKNOWN),
    },
    "scope": {
        "announce": Label(_("announce and close cases"), PLAIN),
        "file": Label(_("file cases"), PLAIN),
        "ask": Label(_("ask no-proof questions"), PLAIN),
        "read": Label(_("read dossiers and licences"), PLAIN),
        "verify": Label(_("checks (no longer used)"), PLAIN),
        "audit": Label(_("read the ledger"), PLAIN),
        "subscribe": Label(_("be told of changes"), PLAIN),
        "dispute": Label(_("dispute licences"), PLAIN),
        "answer": Label(_("answer other departments"), PLAIN),
    },
    "object": {
        "account": Label(_("Account"), PLAIN),
        "bulk-change": Label(_("Change of many licences"), PLAIN),
        "case": Label(_("Case"), PLAIN),
        "catalogue": Label(_("Catalogue"), PLAIN),
        "client": Label(_("Calling system"), PLAIN),
        "command": Label(_("Command"), PLAIN),
        "decision": Label(_("Decision"), PLAIN),
        "dossier": Label(_("Dossier"), PLAIN),
        "edition": Label(_("Edition"), PLAIN),
        "filing": Label(_("Filing"), PLAIN),
        "holder": Label(_("Holder"), PLAIN),
        "ledger": Label(_("Ledger"), PLAIN),
        "licence": Label(_("Licence"), PLAIN),
        "list": Label(_("Search list"), PLAIN),
        "commitment": Label(_("Written commitment"), PLAIN),
        "manifest": Label(_("Manifest"), PLAIN),
        "material": Label(_("Material"), PLAIN),
        "objection": Label(_("Objection"), PLAIN),
        "rung": Label(_("Commitment, cooperation or later supply"), PLAIN),
        "rendition": Label(_("Rendition"), PLAIN),
        "right-change": Label(_("Change of rights"), PLAIN),
        "grant": Label(_("Grant"), PLAIN),
        "route": Label(_("Page"), PLAIN),
        "copy": Label(_("Annotated copy"), PLAIN),
        "code": Label(_("Authorisation code"), PLAIN),
        "seal": Label(_("Seal"), PLAIN),
        "sealing": Label(_("Use of a seal"), PLAIN),
        "stock-record": Label(_("Record of the stock"), PLAIN),
        "stock-run": Label(_("Import run"), PLAIN),
        "step": Label(_("Step"), PLAIN),
        "subscription": Label(_("Subscription"), PLAIN),
        "feed": Label(_("Feed of changes"), PLAIN),
    },
    "recall": {"corrected": Label(_("What it states was corrected"), BAD)},
    "result": {
        "COPIED": Label(_("Copied"), PLAIN),
        "MADE": Label(_("Made"), PLAIN),
        "REVOKED": Label(_("Revoked"), PLAIN),
        "MET": Label(_("Established"), GOOD),
        "NOT_MET": Label(_("Not met"), BAD),
        "ASKED": Label(_("Asked"), WAIT),
        "PENDING": Label(_("A department is asked"), WAIT),
        "PROVISIONAL": Label(_("Accepted provisionally"), WAIT),
        "ORDERED": Label(_("Being made"), WAIT),
        "READ": Label(_("Read"), PLAIN),
        "REFUSED": Label(_("Refused"), BAD),
        "UNKNOWN": Label(_("Cannot establish"), UNKNOWN),
    },
    "own-use": {
        **dict.fromkeys(
            ("MET", "NOT_MET", "UNKNOWN", "PENDING", "PROVISIONAL", "READ"), Label(_("Answered"), GOOD)
        ),
        "ASKED": Label(_("Asked"), WAIT),
        "COPIED": Label(_("Given"), GOOD),
        "MADE": Label(_("Made"), PLAIN),
        "REVOKED": Label(_("Revoked"), PLAIN),
        "ORDERED": Label(_("Being made"), WAIT),
        "REFUSED": Label(_("Refused"), BAD),
    },
    "use": {action: Label(word, PLAIN) for action, word in use_words.DONE.items()},
    "basis": {
        "case": Label(_("Case"), PLAIN),
        "filing": Label(_("Filing"), PLAIN),
        "supervision": Label(_("Supervision"), PLAIN),
        "holder": Label(_("Holder"), PLAIN),
        "public-check": Label(_("Public check"), PLAIN),
    },
    "group": {
        "application": Label(_("Application"), PLAIN),
        "process": Label(_("Process"), PLAIN),
        "result": Label(_("Result"), PLAIN),
    },
    "material": {
        "received": Label(_("In progress"), WAIT),
        "converted": Label(_("Rendered"), GOOD),
        "kept": Label(_("Kept, is PDF/A already"), GOOD),
        "sealed-kept": Label(_("Sealed elsewhere, kept untouched"), GOOD),
        "original-only": Label(_("Original only"), WAIT),
        "untouched": Label(_("Not processed, original kept"), PLAIN),
    },
    "member": {
        "metadata": Label(_("Metadata"), PLAIN),
        "original": Label(_("Original"), PLAIN),
        "rendition": Label(_("Rendition"), PLAIN),
        "licence": Label(_("Licence"), PLAIN),
        "called-up": Label(_("Called up"), PLAIN),
        "decision": Label(_("Decision"), PLAIN),
        "commitment": Label(_("Written commitment"), PLAIN),
        "checks": Label(_("Checks"), PLAIN),
        "catalogue": Label(_("Catalogue"), PLAIN),
    },
    "step": {
        "archive.accept": Label(_("Checking the closure"), PLAIN),
        "archive.check": Label(_("Checking the materials"), PLAIN),
        "archive.render": Label(_("Making renditions"), PLAIN),
        "archive.assemble": Label(_("Putting the dossier together"), PLAIN),
        "archive.seal": Label(_("Sealing the dossier"), PLAIN),
        "archive.manifest": Label(_("Sealing the manifest"), PLAIN),
        "archive.store": Label(_("Storing the dossier"), PLAIN),
        "index.put": Label(_("Indexing"), PLAIN),
        "license.copy": Label(_("Making the annotated copy"), PLAIN),
        "ladder.form": Label(_("Making the form of a commitment"), PLAIN),
        "license.issue": Label(_("Issuing the licence"), PLAIN),
        "notify.deliver": Label(_("Sending changes"), PLAIN),
    },
    "right": {str(kind): Label(word, PLAIN) for kind, word in rights_words.CHANGES.items()},
    "ceiling": {str(ceiling): Label(word, PLAIN) for ceiling, word in rights_words.CEILINGS.items()},
    "grant": {state: Label(word, tone) for state, (word, tone) in rights_words.STANDINGS.items()},
    "right-state": {
        "open": Label(_("Waits for a second person"), WAIT),
        "approved": Label(_("Approved"), GOOD),
        "refused": Label(_("Refused"), BAD),
        "withdrawn": Label(_("Withdrawn"), PLAIN),
        "late": Label(_("Out of date"), UNKNOWN),
    },
    "license-change": {
        "renewal": Label(_("Renewal"), PLAIN),
        "change": Label(_("Change"), PLAIN),
        "reissue": Label(_("Reissue"), PLAIN),
        "correction": Label(_("Correction"), PLAIN),
    },
    "pending": {
        "renewal": Label(_("Renewal under way"), WAIT),
        "change": Label(_("Change under way"), WAIT),
        "reissue": Label(_("Reissue under way"), WAIT),
        "correction": Label(_("Correction under way"), WAIT),
        "annual-check": Label(_("Annual check under way"), WAIT),
        "cancellation": Label(_("Cancellation under way"), WAIT),
    },
    "bulk-kind": {
        "open-check": Label(_("Open the annual check"), PLAIN),
        "check": Label(_("Annual check passed"), GOOD),
        "lapse": Label(_("Void after the annual check"), BAD),
        "suspend": Label(_("Suspend"), WAIT),
        "resume": Label(_("End the suspension"), GOOD),
        "cancel": Label(_("Cancel licences"), BAD),
    },
    "bulk-state": {
        "open": Label(_("Waits for a second person"), WAIT),
        "late": Label(_("Out of date"), UNKNOWN),
        "refused": Label(_("Refused"), BAD),
        "withdrawn": Label(_("Withdrawn"), PLAIN),
        "running": Label(_("Being carried out"), WAIT),
        "done": Label(_("Carried out"), GOOD),
    },
    "subscription": {
        "open": Label(_("Waits for a second person"), WAIT),
        "approved": Label(_("Approved"), GOOD),
        "refused": Label(_("Refused"), BAD),
        "late": Label(_("Out of date"), UNKNOWN),
        "ended": Label(_("Ended"), PLAIN),
    },
    "subscription-end": {
        "client": Label(_("by the calling system"), PLAIN),
        "administrator": Label(_("by an administrator"), PLAIN),
        "gone": Label(_("the endpoint wants nothing more"), PLAIN),
        "client-ended": Label(_("the calling system's access ended"), PLAIN),
    },
    "delivery": {
        "address-refused": Label(_("Address not allowed"), BAD),
        "broken-off": Label(_("Connection broke off"), BAD),
        "gone": Label(_("Wants nothing more"), BAD),
        "no-connection": Label(_("No connection"), BAD),
        "time-out": Label(_("No answer in time"), BAD),
        "skipped": Label(_("Skipped by an administrator"), PLAIN),
        "tls": Label(_("Certificate not valid"), BAD),
    },
    "code-mode": {
        "own": Label(_("By myself"), PLAIN),
        "online": Label(_("Online"), PLAIN),
        "delegated": Label(_("For a delegate"), PLAIN),
        "function": Label(_("By an office under its item"), PLAIN),
    },
    "copy": {
        "ordered": Label(_("Being made"), WAIT),
        "made": Label(_("Ready"), GOOD),
        "refused": Label(_("Refused"), BAD),
    },
    "objection": {
        "open": Label(_("Waits for an answer"), WAIT),
        "overdue": Label(_("Answer overdue"), BAD),
        "upheld": Label(_("Upheld"), GOOD),
        "declined": Label(_("Not upheld"), BAD),
    },
    "objected": {
        "use": Label(_("A use"), PLAIN),
        "licence": Label(_("A licence"), PLAIN),
        "dispute": Label(_("A licence, disputed by another office"), PLAIN),
    },
    "remedy": {
        "correction": Label(_("Correction by the next version"), PLAIN),
        "suspend": Label(_("Suspension"), PLAIN),
        "withdraw": Label(_("Withdrawal"), PLAIN),
    },
    "edition": {
        "items": Label(_("Catalogue of items"), PLAIN),
        "license-types": Label(_("Licence types"), PLAIN),
        "numbering": Label(_("Number templates"), PLAIN),
        "rules": Label(_("No-proof rules"), PLAIN),
        "profiles": Label(_("Mapping profiles"), PLAIN),
        "relations": Label(_("Relations of holders"), PLAIN),
    },
    "type-state": {
        "published": Label(_("Published"), GOOD),
        "cancelled": Label(_("Cancelled"), BAD),
        "unpublished": Label(_("Not published"), WAIT),
    },
    "type-kind": {
        "proof": Label(_("Proof"), PLAIN),
        "approval": Label(_("Approval"), PLAIN),
        "appraisal": Label(_("Appraisal"), PLAIN),
        "other": Label(_("Other"), PLAIN),
    },
    "type-holder": {
        "person": Label(_("Natural persons"), PLAIN),
        "organisation": Label(_("Organisations"), PLAIN),
        "both": Label(_("Persons and organisations"), PLAIN),
    },
    "type-rank": {
        "national": Label(_("National"), PLAIN),
        "province": Label(_("Province"), PLAIN),
        "city": Label(_("City"), PLAIN),
        "county": Label(_("County"), PLAIN),
        "township": Label(_("Township"), PLAIN),
        "other": Label(_("Other"), PLAIN),
    },
    "type-sharing": {
        "by-item": Label(_("By service item"), PLAIN),
        "conditional": Label(_("Conditional"), PLAIN),
    },
    "data-type": {
        "text": Label(_("Text"), PLAIN),
        "date": Label(_("Date"), PLAIN),
        "integer": Label(_("Whole number"), PLAIN),
        "decimal": Label(_("Decimal"), PLAIN),
        "choice": Label(_("Choice"), PLAIN),
    },
    "pattern": {str(pattern): Label(word, WAIT) for pattern, word in pattern_words.TITLES.items()},
    "rung": {str(state): Label(word, tone) for state, (word, tone) in ladder_words.STATES.items()},
    "rung-kind": {kind: Label(word, PLAIN) for kind, word in ladder_words.KINDS.items()},
    "rung-event": {str(kind): Label(word, PLAIN) for kind, word in ladder_words.HAPPENED.items()},
    "outcome": {
        "done": Label(_("Done"), GOOD),
        "refused": Label(_("Refused"), BAD),
        "failed": Label(_("Failed"), BAD),
        "intended": Label(_("Planned"), WAIT),
        "abandoned": Label(_("Abandoned"), UNKNOWN),
    },
}

TONES: Final[Mapping[str, str]] = {"valid": GOOD, "cannot-tell": UNKNOWN, "invalid": BAD}
"""Tone of each headline of a document check."""

ROLES: Final[Mapping[Role, str]] = {
    Role.ARCHIVIST: _("Archivist"),
    Role.CLERK: _("Window clerk"),
    Role.INSPECTOR: _("Inspector"),
    Role.SUPERVISOR: _("Supervisor"),
    Role.SEAL_MANAGER: _("Seal manager"),
    Role.LICENSE_MANAGER: _("Licence manager"),
    Role.SYSTEM_ADMIN: _("System administrator"),
    Role.SECURITY_ADMIN: _("Security administrator"),
    Role.AUDIT_ADMIN: _("Audit administrator"),
    Role.CLIENT: _("Calling system"),
    Role.SYSTEM: _("The system"),
    Role.HOLDER: _("Holder"),
    Role.PUBLIC: _("Public"),
}

_STANDINGS: Final = {Standing.GOOD: GOOD, Standing.BAD: BAD, Standing.UNKNOWN: UNKNOWN}


def license_label(status: str) -> Label:
    """Give the label of a licence's effective status; its words are the licence room's data."""
    title = status_titles()[Status(status)]
    return Label(choose(title.zh, title.en), _STANDINGS[title.standing])


def label(kind: str, state: object) -> Label:
    """Give the label of a state; one that we do not know is shown as such, never as good."""
    if kind == "license":
        return license_label(str(state))
    return STATES[kind].get(str(state)) or Label(str(state), UNKNOWN)
