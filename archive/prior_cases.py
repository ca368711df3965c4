# SPDX-License-Identifier: Apache-2.0
"""What the archive knows of a holder's earlier cases: those that are filed, as evidence for later ones."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, select

from archive.models import Dossier, Filing, FilingState
from cases.items import ItemCatalogue
from cases.models import Case
from licenses.facts import CaseFact
from storage.clock import legal_date
from storage.database import UnitOfWork

_FILED: Final = (
    select(
        Case.id,
        Case.holder_id,
        Filing.item_code,
        Filing.item_edition,
        Filing.organisation,
        Filing.result,
        Filing.closed_at,
    )
    .join(Case, Case.id == Filing.case_id)
    .join(Dossier, Dossier.id == Filing.dossier_id)
    .where(
        Case.holder_id.in_(bindparam("holders", expanding=True)),
        Filing.item_code.in_(bindparam("items", expanding=True)),
        Filing.state == str(FilingState.FILED),
        Filing.supplement.is_(None),
        Dossier.filed_at <= bindparam("at", type_=Dossier.filed_at.type),
    )
    .order_by(Filing.closed_at, Filing.id)
)


class FiledCases:
    """Finds filed cases.

    Args:
        items: Names of departments.
    """

    def __init__(self, items: ItemCatalogue) -> None:
        self._items = items

    def filed(
        self, uow: UnitOfWork, holders: Collection[str], items: Collection[str], at: dt.datetime
    ) -> Mapping[str, Sequence[CaseFact]]:
        """Give the cases of some items that were filed by an instant, by id of the holder, oldest first.

        A supplement adds to a filed case and is none of its own.
        """
        wanted = {"holders": sorted(holders), "items": sorted(items), "at": at}
        found: dict[str, list[CaseFact]] = {}
        for row in uow.session.connection().execute(_FILED, wanted):
            fact = CaseFact(
                id=row.id,
                item_code=row.item_code,
                item_edition=row.item_edition,
                department_zh=self._items.department(row.organisation).zh,
                result=row.result,
                decided_on=legal_date(row.closed_at),
            )
            found.setdefault(row.holder_id, []).append(fact)
        return found
