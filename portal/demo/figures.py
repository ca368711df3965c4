# SPDX-License-Identifier: Apache-2.0
"""What the demonstration comes to: every figure that must close, and what does not."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from archive.models import Dossier
from archive.names import sent_names
from archive.views import Counts
from licenses.models import License
from portal.demo.script import CaseSpec, Script
from portal.rooms import Rooms, all_seeing
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Outcome
from storage.ledger.models import LedgerAct, LedgerEntry
from storage.ledger.reading import read_status
from storage.steps import unfinished


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a demonstration.

    Attributes:
        counts: What became of everything received.
        original_only: File names of materials kept as originals only.
        licenses: Issued licences.
        acts: Recorded acts; every one must be an entry.
        entries: Entries of the ledger.
        intents: Acts that announced an effect.
        problems: Sentences that say what does not close; empty when all is well.
    """

    counts: Counts
    original_only: Sequence[str]
    licenses: int
    acts: int
    entries: int
    intents: int
    problems: Sequence[str]


def is_sequenced(uow: UnitOfWork) -> bool:
    """Tell whether every act is an entry under a signed checkpoint."""
    status = read_status(uow.session)
    return status.pending == 0 and status.checkpoint_size == status.size


def gather(rooms: Rooms, script: Script | None = None) -> Figures:
    """Read the figures.

    Args:
        rooms: The demonstration's rooms.
        script: What they are compared with; without it only what must hold whatever visitors did.
    """
    identity = all_seeing()
    with rooms.database.reading() as uow:
        counts = rooms.filings.counts(uow, identity)
        only = [
            sent_names(uow, material).file_name for material in rooms.filings.original_only(uow, identity)
        ]
        licenses = _count(uow, License, License.issued_at.is_not(None))
        acts, entries = _count(uow, LedgerAct), _count(uow, LedgerEntry)
        intents, open_intents = _intents(uow)
        problems = [] if counts.closes else ["received is not the sum of what became of it"]
        if script is not None:
            problems += [
                *_counted(script, counts, only, licenses),
                *_ledger(uow, acts, entries),
                *(f"intent without one outcome: {kind}" for kind in open_intents),
                *(f"steps {state}: {number}" for state, number in unfinished(uow.session).items()),
                *_cases(rooms, uow, identity, script),
            ]
    return Figures(counts, sorted(only), licenses, acts, entries, intents, problems)


def _count(uow: UnitOfWork, table: Any, *conditions: Any) -> int:  # noqa: ANN401 - any mapped class
    return uow.session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _intents(uow: UnitOfWork) -> tuple[int, list[str]]:
    rows = uow.session.execute(
        select(LedgerAct.act_id, LedgerAct.kind).where(LedgerAct.outcome == Outcome.INTENDED)
    )
    intended = {act_id: kind for act_id, kind in rows}  # noqa: C416 - a row is no tuple to the type checker
    closed = Counter(uow.session.scalars(select(LedgerAct.intent).where(LedgerAct.intent.is_not(None))))
    return len(intended), [kind for act_id, kind in intended.items() if closed[act_id] != 1]


def _counted(script: Script, counts: Counts, only: Sequence[str], licenses: int) -> Iterator[str]:
    found = {
        "received": counts.received,
        "filed": counts.filed,
        "returned": counts.returned,
        "quarantined": counts.quarantined,
        "in_progress": counts.in_progress,
        "original_only": len(only),
        "licences": licenses,
    }
    for name, expected in script.counts.items():
        if found[name] != expected:
            yield f"{name}: expected {expected}, found {found[name]}"


def _ledger(uow: UnitOfWork, acts: int, entries: int) -> Iterator[str]:
    if acts != entries:
        yield f"acts {acts}, entries {entries}"
    last = uow.session.scalar(select(func.max(LedgerEntry.seq)))
    if entries and last != entries - 1:
        yield "the ledger is not dense"


def _cases(rooms: Rooms, uow: UnitOfWork, identity: Identity, script: Script) -> Iterator[str]:
    dossiers = Counter(uow.session.scalars(select(Dossier.case_id).where(Dossier.supplement.is_(None))))
    for spec in script.cases:
        data = spec.data()
        view = rooms.filings.case_state(uow, identity, data["source"], data["number"])
        attempt = next((one for one in view.attempts if one.attempt == spec.expect.get("attempt", 1)), None)
        state = attempt.state if attempt else view.state
        if state != spec.expect["state"]:
            yield f"{spec.name}: expected {spec.expect['state']}, found {state}"
        if dossiers[view.case.id] > 1:
            yield f"{spec.name}: more than one dossier"
        yield from _status(rooms, uow, spec, view.case.id)


def _status(rooms: Rooms, uow: UnitOfWork, spec: CaseSpec, case_id: str) -> Iterator[str]:
    if "licence" not in spec.expect:
        return
    found = uow.session.scalars(select(License).where(License.case_id == case_id)).first()
    status = str(rooms.holdings.status(uow, found, rooms.clock.now())) if found else None
    if status != spec.expect["licence"]:
        yield f"{spec.name}: expected licence {spec.expect['licence']}, found {status}"
