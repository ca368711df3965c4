# SPDX-License-Identifier: Apache-2.0
"""Questions that are refused before their case is looked at: the holder of a case that they name is told.

The case is looked for once the refusal is certain, in the transaction that records it. So answers know
nothing of it, and neither do cores of acts: they are the same whether there is such a case or not. Nothing is
read of the holder but who it is.

Whoever may not ask must not fill a holder's list either: of what one asker is refused about one case in a
day, the same refusal is shown once, and :data:`MOST` are shown at all. Supervision sees each, as an act.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Select, select

from cases.models import Case
from licenses.models import LicenseUsage
from licenses.usage import Use, operator_of, usage_row
from storage.clock import legal_date, start_of_day
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity
from storage.ledger.acts import Act

MOST: Final = 5
"""Refusals of one asker that the holder of one case is shown of a legal day."""
_ASK: Final = "ask"
_REFUSED: Final = "REFUSED"


@dataclass(frozen=True, slots=True)
class Named:
    """The case that a refused question names, and how the question is told to its holder.

    Attributes:
        asker: Who asks.
        source: Source of the case, as the question states it; there may be no such case.
        number: Its number there.
        item: The item asked about, where the asker works on it; else the case's own is told.
        purpose: The purpose, if it is a published one.
        reason: Why it is refused.
    """

    asker: Identity
    source: str
    number: str
    item: str | None
    purpose: str | None
    reason: str

    def told(self, uow: UnitOfWork, act: Act) -> tuple[Act, Sequence[LicenseUsage]]:
        """Give the act of the refusal with the record of use that the holder sees.

        Returns:
            The act as it was and no record where no such case is, or its holder was shown enough of this.
        """
        connection = uow.session.connection()
        case = connection.execute(_case(self.source, self.number)).one_or_none()
        # Asked in either case: how long it takes depends on what is there as little as may be.
        shown = connection.execute(self._shown(uow, case.id if case is not None else "")).all()
        if case is None or len(shown) >= MOST:
            return act, ()
        item = self.item or case.item_code
        if (operator_of(self.asker), item, self.purpose, self.reason) in {tuple(one) for one in shown}:
            return act, ()
        basis = AccessBasis(Basis.CASE, case.id, item, self.purpose)
        use = Use(action=_ASK, holder_id=case.holder_id, result=_REFUSED, reason=self.reason)
        rows = (usage_row(uow, self.asker.on(basis), use),)
        return replace(act, subject=case.holder_id, rows=rows), rows

    def _shown(self, uow: UnitOfWork, case_id: str) -> Select[str | None, str | None, str | None, str | None]:
        today = start_of_day(legal_date(uow.clock.now()))
        return select(
            LicenseUsage.operator, LicenseUsage.item_code, LicenseUsage.purpose, LicenseUsage.reason
        ).where(
            LicenseUsage.case_id == case_id,
            LicenseUsage.at >= today,
            LicenseUsage.actor_id == self.asker.id,
            LicenseUsage.action == _ASK,
            LicenseUsage.result == _REFUSED,
        )


def _case(source: str, number: str) -> Select[str, str, str]:
    return select(Case.id, Case.holder_id, Case.item_code).where(Case.source == source, Case.number == number)
