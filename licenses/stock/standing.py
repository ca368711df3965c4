# SPDX-License-Identifier: Apache-2.0
"""Whether stock holds a number already: a licence issued here must then name what it replaces."""

from sqlalchemy import select

from licenses.events import history_of
from licenses.lifecycle import TERMINAL, state_after
from licenses.stock.chaining import number_key
from licenses.stock.folding import folded_number
from licenses.stock.models import StockRecord
from storage.database import UnitOfWork


def stands_in_stock(uow: UnitOfWork, type_code: str, issuer_code: str, number: str) -> bool:
    """Tell whether stock holds a licence of a type, issuer and number that has not ended."""
    key = number_key(uow, type_code, issuer_code, folded_number(number))
    held = select(StockRecord.license_id).where(StockRecord.number_key == key)
    now = uow.clock.now()
    return any(state_after(history_of(uow, one), now) not in TERMINAL for one in uow.session.scalars(held))
