# SPDX-License-Identifier: Apache-2.0
"""What pages and answers show of filings and dossiers: plain values, holders masked."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from archive.findings import Finding
from archive.models import Dossier, DossierHold, DossierMember, FilingMaterial, FilingState
from archive.names import SentNames, Title
from archive.rendering import PDF
from archive.stepping import Progress
from cases.holders import MaskedHolder
from cases.models import Case
from storage.ledger.acts import Promise


@dataclass(frozen=True, slots=True)
class Waiting:
    """The step that an unfinished filing, or its licence, is at, and what keeps that step.

    Attributes:
        step: Kind of the step.
        state: Its standing (``storage.steps.STANDINGS``): ``stuck`` needs a person, ``waiting`` goes on by
            itself.
        problem: Stable code of what it waits for, or of its last error; ``None`` while nothing keeps it.
        since: Since when the problem keeps it; without one, when the step was added.
    """

    step: str
    state: str
    problem: str | None
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One filing of a case.

    Attributes:
        findings: Why it was returned or quarantined; warnings where it was not.
        original_only: Materials without a rendition.
        progress: Which step of how many it is at; ``None`` once it is decided.
        supplement: Number of the supplement that it is to become; none for a filing of the case itself.
    """

    id: str
    attempt: int
    state: FilingState
    set_sha256: str
    received_at: dt.datetime
    decided_at: dt.datetime | None
    findings: tuple[Finding, ...]
    original_only: int
    waiting: Waiting | None
    progress: Progress | None
    supplement: int | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with its filings, the newest last.

    Attributes:
        state: ``open``, ``closed`` (nothing received yet) or the state of the newest filing.
        due: Last legal date for filing, when the case is closed and not filed.
        license_waiting: What the making of its licence is at; ``None`` once it is issued, or without one.
        dossier_id: The dossier, once filed.
    """

    case: Case
    holder: MaskedHolder
    state: str
    due: dt.date | None
    attempts: tuple[AttemptView, ...]
    license_id: str | None
    license_waiting: Waiting | None
    dossier_id: str | None
    archival_number: str | None
    supplements: tuple[Dossier, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of everything received; filings without a final state are in progress.

    Attributes:
        original_only: Filed dossiers with at least one material without a rendition; a part of filed.
    """

    received: int
    filed: int
    returned: int
    quarantined: int
    in_progress: int
    original_only: int

    @property
    def closes(self) -> bool:
        """Tell whether nothing is lost: received = filed + returned + quarantined + in progress."""
        parts = self.filed + self.returned + self.quarantined + self.in_progress
        return self.received == parts and self.original_only <= self.filed


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A line of the archivist's list."""

    filing: AttemptView
    case_id: str
    source: str
    number: str
    item_code: str
    item_edition: str
    organisation: str
    holder: MaskedHolder
    dossier_id: str | None
    archival_number: str | None


@dataclass(frozen=True, slots=True)
class WorkPage:
    """A page of the archivist's list; ``total`` counts all rows of the list."""

    rows: tuple[WorkRow, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material as readers of its case see it.

    Attributes:
        outcome: What became of it; ``untouched`` where the filing was given back before it was processed.
        title: Its title by the item's catalogue.
        sent: Title and file name as sent.
    """

    row: FilingMaterial
    outcome: str
    title: Title
    sent: SentNames


@dataclass(frozen=True, slots=True)
class FilingDetail:
    """A filing with its materials, for the page of a case."""

    view: AttemptView
    materials: tuple[MaterialView, ...]


@dataclass(frozen=True, slots=True)
class DossierView:
    """A dossier with its members, as somebody with a basis may see it.

    Attributes:
        sent: Names as sent, by the id of the material.
        holds: Legal holds that stand on it, the oldest first.
        look: Of the act that this look is.
        family: The other dossiers of the case: what it supplements, and what supplements it.
    """

    dossier: Dossier
    case: Case
    holder: MaskedHolder
    members: tuple[DossierMember, ...]
    sent: Mapping[str, SentNames]
    holds: tuple[DossierHold, ...]
    look: Promise
    family: tuple[Dossier, ...] = ()


def has_pages(member: DossierMember) -> bool:
    """Tell whether pages of a file can be shown: a PDF/A that was checked, never a file as it was sent."""
    return member.media_type == PDF and member.level is not None and bool(member.pages)
