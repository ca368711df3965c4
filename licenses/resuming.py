# SPDX-License-Identifier: Apache-2.0
"""Licences that no step issues and copies that none makes: after a restore their steps are added again."""

from sqlalchemy import select

from licenses.copies.making import abandon_intent
from licenses.copies.models import LicenseCopy
from licenses.copies.services import COPY_STEP, ORDERED
from licenses.events import state_of
from licenses.lifecycle import State
from licenses.models import License
from licenses.services import ISSUE_STEP
from storage.database import UnitOfWork
from storage.step_recovery import without_step


def resume_issuing(uow: UnitOfWork) -> int:
    """Add the step of every reserved licence that is to be issued and has none; give their number."""
    waiting = uow.session.scalars(select(License).where(License.issued_at.is_(None))).all()
    reserved = {one.id: one for one in waiting if state_of(uow, one.id) is State.RESERVED}
    missing = list(without_step(uow.session, dict.fromkeys(reserved, ISSUE_STEP)))
    for subject, kind in missing:
        reserved[subject].issue_step = uow.add_step(kind, subject)
    return len(missing)


def resume_copying(uow: UnitOfWork) -> int:
    """Add the step of every ordered copy that has none, and close what was intended; give their number."""
    ordered = {
        one.id: one for one in uow.session.scalars(select(LicenseCopy).where(LicenseCopy.state == ORDERED))
    }
    for copy in ordered.values():
        abandon_intent(uow, copy)
    missing = list(without_step(uow.session, dict.fromkeys(ordered, COPY_STEP)))
    for subject, kind in missing:
        ordered[subject].step = uow.add_step(kind, subject)
    return len(missing)
