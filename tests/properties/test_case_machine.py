# SPDX-License-Identifier: Apache-2.0
"""Whatever order announcements, closings and filings come in, the cases follow a simple model."""

import dataclasses
import datetime as dt
import shutil
import tempfile
from pathlib import Path

import hypothesis
from fakes import make_database
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from cases.errors import CaseConflictError
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.models import Case
from cases.services import Announcement, CaseService
from storage.database import UnitOfWork
from storage.identity import system_identity
from storage.ledger.models import LedgerAct

SOURCE = system_identity("test")
HOLDERS = ("91339999MADEM0011X", "91339999MADEM002XM")
FOOD, FIRM = "339999010002", "339999010001"
ACCEPTED = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
CLOSINGS = (ACCEPTED + dt.timedelta(days=1), ACCEPTED + dt.timedelta(days=2))

numbers = st.sampled_from(["N1", "N2"])
holders = st.sampled_from(HOLDERS)
items = st.sampled_from([FOOD, FIRM])
closings = st.sampled_from(CLOSINGS)


class Cases(RuleBasedStateMachine):
    """The model is a dictionary: number → (holder, item, closed at)."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.database = make_database(self.folder)
        self.service = CaseService(ItemCatalogue.load(), HolderService())
        self.model: dict[str, tuple[str, str, dt.datetime | None]] = {}
        self.changes = 0

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    @rule(number=numbers, holder=holders, item=items, closed=st.none() | closings)
    def announce(self, number: str, holder: str, item: str, closed: dt.datetime | None) -> None:
        known = self.model.get(number)
        conflict = known is not None and (
            known[:2] != (holder, item) or (known[2] is not None and closed != known[2])
        )
        try:
            with self.database.writing() as uow:
                _, created = self.service.announce(uow, SOURCE, _announcement(number, holder, item, closed))
        except CaseConflictError:
            assert conflict
            return
        assert not conflict
        assert created is (known is None)
        self._follow(number, holder, item, closed)

    @rule(number=numbers, holder=holders, item=items, closed=closings)
    def file(self, number: str, holder: str, item: str, closed: dt.datetime) -> None:
        known = self.model.get(number)
        conflict = known is not None and known[:2] != (holder, item)
        try:
            with self.database.writing() as uow:
                self.service.ensure_case(uow, SOURCE, _announcement(number, holder, item, closed))
        except CaseConflictError:
            assert conflict
            return
        assert not conflict
        self._follow(number, holder, item, closed)

    def _follow(self, number: str, holder: str, item: str, closed: dt.datetime | None) -> None:
        known = self.model.get(number)
        before = known[2] if known else None
        self.changes += (known is None) + (before is None and closed is not None)
        self.model[number] = (holder, item, before or closed)

    @invariant()
    def the_cases_are_those_of_the_model(self) -> None:
        with self.database.reading() as uow:
            rows = uow.session.scalars(select(Case)).all()
            stood = {
                row.number: (
                    self.holder_code(uow, row),
                    row.item_code,
                    row.closed_at,
                )
                for row in rows
            }
            assert stood == self.model
            assert len(uow.session.scalars(select(LedgerAct.act_id)).all()) == self.changes

    def holder_code(self, uow: UnitOfWork, row: Case) -> str:
        return HolderService().reveal(uow, self.service.holder(uow, row)).code


def _announcement(number: str, holder: str, item: str, closed: dt.datetime | None) -> Announcement:
    base = Announcement("yctb", number, item, "2026-03", "001", holder, "浙江演示有限公司", "scjg", ACCEPTED)
    return dataclasses.replace(base, closed_at=closed)


TestCases = Cases.TestCase
TestCases.settings = hypothesis.settings(max_examples=25, stateful_step_count=20)
