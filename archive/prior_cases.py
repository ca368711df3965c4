# SPDX-License-Identifier: Apache-2.0
"""What the archive knows of a holder's earlier cases: those that are filed, as evidence for later ones."""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import select

from archive.models import Dossier, Filing, FilingState
from cases.items import ItemCatalogue
from cases.models import Case
from licenses.facts import CaseFact
from storage.clock import legal_date
from storage.database import UnitOfWork


class FiledCases:
    """Finds filed cases.

    Args:
        items: Names of departments.
    """

    def __init__(self, items: ItemCatalogue) -> None:
        self._items = items

    def filed(
        self, uow: UnitOfWork, holder_id: str, items: Collection[str], at: dt.datetime
    ) -> Sequence[CaseFact]:
        """Give the cases of a holder and of some items that were filed by an instant, oldest first.

        A supplement adds to a filed case and is none of its own.
        """
        query = (
            select(Filing, Case)
            .join(Case, Case.id == Filing.case_id)
            .join(Dossier, Dossier.id == Filing.dossier_id)
            .where(
                Case.holder_id == holder_id,
                Filing.item_code.in_(sorted(items)),
                Filing.state == str(FilingState.FILED),
                Filing.supplement.is_(None),
                Dossier.filed_at <= at,
            )
            .order_by(Filing.closed_at, Filing.id)
        )
        return [
            CaseFact(
                id=case.id,
                item_code=filing.item_code,
                item_edition=filing.item_edition,
                department_zh=self._items.department(filing.organisation).zh,
                result=filing.result,
                decided_on=legal_date(filing.closed_at),
            )
            for filing, case in uow.session.execute(query)
        ]
