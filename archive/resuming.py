# SPDX-License-Identifier: Apache-2.0
"""Filings that no step works on: after a restore their next steps are added again, as their states say."""

from sqlalchemy import select

from archive.models import IN_PROGRESS, Dossier, Filing, FilingState
from archive.rendering import issue_step
from storage.database import UnitOfWork
from storage.step_recovery import without_step

_NEXT = {
    FilingState.RECEIVED: "archive.accept",
    FilingState.ACCEPTED: "archive.check",
    FilingState.CHECKED: "archive.render",
    FilingState.RENDERED: "archive.assemble",
    FilingState.ASSEMBLED: "archive.seal",
    FilingState.SEALED: "archive.manifest",
}


def resume_filings(uow: UnitOfWork) -> int:
    """Add the next step of every filing in progress that has none; give their number."""
    states = [str(state) for state in IN_PROGRESS]
    filings = uow.session.scalars(select(Filing).where(Filing.state.in_(states))).all()
    wanted = {filing.id: _next_step(uow, filing) for filing in filings}
    licenses = {filing.id: filing.license_id for filing in filings}
    missing = without_step(uow.session, wanted)
    for subject, kind in missing:
        waits = issue_step(uow, licenses[subject]) if kind == _NEXT[FilingState.RENDERED] else None
        uow.add_step(kind, subject, after=waits)
    return len(list(missing))


def _next_step(uow: UnitOfWork, filing: Filing) -> str:
    state = FilingState(filing.state)
    if state is FilingState.SEALED:
        dossier = uow.session.scalars(select(Dossier).where(Dossier.filing_id == filing.id)).one()
        if dossier.manifest_sha256:
            return "archive.store"
    return _NEXT[state]
