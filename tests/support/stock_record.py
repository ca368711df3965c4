# SPDX-License-Identifier: Apache-2.0
"""Takes over single records of stock, without a file of them."""

import datetime as dt
from dataclasses import dataclass, field

from license_library import COMPANY, FACES, FOOD, ITEM_OF, MANAGER, Library
from sqlalchemy import select

from licenses.identifiers import compose
from licenses.models import License
from licenses.stock.blocks import Blocks
from licenses.stock.folding import folded_number
from licenses.stock.profiles import ProfileBook, SourceStatus
from licenses.stock.reasons import Verdict
from licenses.stock.records import Draft, Normalised, StockParty, prepared
from licenses.stock.runs import SourceFile, StockRuns
from storage.clock import RandomIds

NUMBER = "JY13399990000001"


@dataclass
class StockDesk:
    """Takes records of one permit number over into a library; each is a version of the same licence."""

    library: Library
    taken: int = field(default=0)

    def take_over(
        self,
        issued_on: dt.date,
        valid_until: dt.date,
        status: SourceStatus = SourceStatus.VALID,
        number: str = NUMBER,
        ahead: int = 0,
    ) -> License | None:
        """Take a record over; ``None`` when it has no place among what is held.

        Args:
            ahead: Days between the date of issue and the first day.
        """
        self.taken += 1
        items = self.library.items
        issuer = items.department(items.get(ITEM_OF[FOOD], "2026-03").department)
        draft = Draft(
            type_code=FOOD,
            number=number,
            number_key=folded_number(number),
            identifier=compose(FOOD, issuer.uscc, f"{NUMBER}{self.taken:03d}"),
            issuer_name=issuer.zh,
            issuer_code=issuer.uscc,
            parties=(StockParty(*COMPANY),),
            issued_on=issued_on,
            valid_from=issued_on + dt.timedelta(days=ahead),
            valid_until=valid_until,
            status=status,
            face=dict(FACES[FOOD]),
        )
        one = prepared(Normalised(1, Verdict.ACCEPTED, (), {"number": NUMBER}, draft))
        runs, database = StockRuns(self.library.types), self.library.database
        source = SourceFile(f"{self.taken:064x}", 1)
        profile = ProfileBook.load().get("provincial-exchange")
        with database.writing() as uow:
            run = runs.start(uow, MANAGER, profile, source)
            blocks = Blocks(RandomIds(), database.secrets, subjects=1)
            runs.adopt(uow, MANAGER, run.id, [one], blocks)
            runs.end(uow, MANAGER, run.id)
        with database.reading() as uow:
            found = uow.session.scalar(select(License).where(License.identifier == draft.identifier))
            if found is not None:
                uow.session.expunge(found)
            return found
