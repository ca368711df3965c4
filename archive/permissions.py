# SPDX-License-Identifier: Apache-2.0
"""Who may see what is filed. Unknown and forbidden look alike everywhere."""

from sqlalchemy import ColumnElement, false, select

from archive.models import Dossier, Filing
from cases.models import Case
from cases.organisations import reached
from storage.identity import Identity, Role

_READERS = (Role.ARCHIVIST, Role.CLERK, Role.LICENSE_MANAGER)


def filings_visible_to(identity: Identity) -> ColumnElement[bool]:
    """Give the condition on :class:`Filing` rows that this identity may see."""
    return _visible_to(identity, Filing)


def dossiers_visible_to(identity: Identity) -> ColumnElement[bool]:
    """Give the condition on :class:`Dossier` rows that this identity may see."""
    return _visible_to(identity, Dossier)


def _visible_to(identity: Identity, table: type[Filing | Dossier]) -> ColumnElement[bool]:
    if identity.has(Role.CLIENT):
        own = select(Case.id).where(Case.source.in_(sorted(identity.sources)))
        return table.case_id.in_(own)
    if identity.has(Role.SYSTEM, Role.SUPERVISOR, *_READERS):
        return reached(table.organisation, identity)
    return false()
