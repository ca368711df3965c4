# SPDX-License-Identifier: Apache-2.0
"""Whatever is wished for in whatever order: a chain of versions never has two valid ones.

The chain begins with a licence that is issued here or with one that was taken over; seals are revoked
meanwhile, and what was told of an instant that is over is told of it for ever.
"""

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from license_library import FOOD, GROUNDS, MANAGER, Library, license_data
from stock_record import StockDesk

from licenses.errors import LicenseDataError, LicenseStateError
from licenses.holdings import STOCK
from licenses.lifecycle import (
    TERMINAL,
    EventKind,
    Process,
    SealState,
    Standing,
    State,
    Status,
    state_after,
    status_titles,
)
from licenses.models import License
from licenses.stock.profiles import SourceStatus
from storage.clock import legal_date

BY_HAND = [
    EventKind.SUSPENDED,
    EventKind.RESUMED,
    EventKind.CANCELLED,
    EventKind.WITHDRAWN,
    EventKind.REVOKED,
    EventKind.LAPSED,
    EventKind.CHECKED,
]
DAYS = (0, 1, 20, 400)
NUMBER = license_data(FOOD).number
RECORDS = (-400, -20, -1, 0, 1, 20)


class Chain(RuleBasedStateMachine):
    """A chain of versions in a real database."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.library = Library(Path(self.folder.name))
        self.stock = StockDesk(self.library)
        self.versions: list[License] = []
        self.waiting: License | None = None
        self.seals = 1
        self.told: dict[dt.datetime, dict[str, Status]] = {}

    @initialize(records=st.lists(st.sampled_from(RECORDS), max_size=3, unique=True))
    def it_begins(self, records: list[int]) -> None:
        for days in records:
            self.a_record_is_taken_over(days, SourceStatus.VALID)
        if not records:
            self.versions.append(self.library.issue(FOOD))

    def state(self, license_: License) -> State:
        with self.library.database.reading() as uow:
            events = self.library.holdings.events(uow, [license_.id]).get(license_.id, ())
            return state_after(events, self.library.clock.now())

    def teardown(self) -> None:
        self.library.database.close()
        self.folder.cleanup()

    @rule(days=st.sampled_from(DAYS))
    def time_passes(self, days: int) -> None:
        self.library.clock.advance(days * 86_400 + 1)

    @precondition(lambda self: self.waiting is None)
    @rule(
        of=st.integers(0, 5),
        why=st.sampled_from(["renewal", "change", "reissue", "correction"]),
        ahead=st.sampled_from(DAYS),
    )
    def a_next_version_is_decided(self, of: int, why: str, ahead: int) -> None:
        previous = self.versions[of % len(self.versions)]
        starts = legal_date(self.library.clock.now()) + dt.timedelta(days=ahead)
        dates = {
            "valid_from": starts.isoformat(),
            "valid_until": (starts + dt.timedelta(days=900)).isoformat(),
        }
        try:
            self.waiting = self.library.reserve(FOOD, replaces=previous.identifier, change=why, **dates)
        except LicenseDataError:
            return

    @precondition(lambda self: self.waiting is not None)
    @rule()
    def it_is_issued(self) -> None:
        assert self.waiting is not None
        self.versions.append(self.library.issue_reserved(self.waiting, f"seal-{self.seals}"))
        self.waiting = None

    @rule(
        days=st.sampled_from(RECORDS),
        status=st.sampled_from(list(SourceStatus)),
        ahead=st.sampled_from(DAYS),
    )
    def a_record_is_taken_over(self, days: int, status: SourceStatus, ahead: int = 0) -> None:
        issued_on = legal_date(self.library.clock.now()) + dt.timedelta(days=days)
        taken = self.stock.take_over(issued_on, issued_on + dt.timedelta(days=900), status, NUMBER, ahead)
        self.versions += [] if taken is None else [taken]

    @rule()
    def the_seal_is_revoked(self) -> None:
        self.library.seals.revoked[f"seal-{self.seals}"] = self.library.clock.now()
        self.seals += 1

    @rule(of=st.integers(0, 5), kind=st.sampled_from(BY_HAND))
    def an_office_decides(self, of: int, kind: EventKind) -> None:
        license_ = self.versions[of % len(self.versions)]
        try:
            with self.library.database.writing() as uow:
                self.library.service.change(uow, MANAGER, license_.identifier, kind, GROUNDS)
        except LicenseStateError:
            return

    @rule(of=st.integers(0, 5), kind=st.sampled_from([EventKind.PROCESS_OPENED, EventKind.PROCESS_CLOSED]))
    def a_check_is_opened_or_closed(self, of: int, kind: EventKind) -> None:
        license_ = self.versions[of % len(self.versions)]
        try:
            with self.library.database.writing() as uow:
                self.library.service.change(
                    uow, MANAGER, license_.identifier, kind, GROUNDS, Process.ANNUAL_CHECK
                )
        except LicenseStateError:
            return

    @invariant()
    def one_version_is_valid_at_most_today_and_on_later_days(self) -> None:
        for days in (0, 1, 20, 400, 800):
            at = self.library.clock.now() + dt.timedelta(days=days)
            statuses = [self.library.status(one, at) for one in self.versions]
            assert statuses.count(Status.VALID) <= 1

    @invariant()
    def nothing_is_replaced_before_what_replaces_it_is_in_force(self) -> None:
        ids = [one.id for one in self.versions]
        with self.library.database.reading() as uow:
            for events in self.library.holdings.events(uow, ids).values():
                for one in events:
                    if one.kind == EventKind.SUPERSEDED and one.successor_id is not None:
                        successor = uow.session.get_one(License, one.successor_id)
                        status = self.library.holdings.status(uow, successor, one.at)
                        assert status is not Status.NOT_ACTIVATED

    @invariant()
    def nothing_is_valid_without_a_seal_or_a_declared_trust(self) -> None:
        now = self.library.clock.now()
        with self.library.database.reading() as uow:
            for one in self.versions if self.waiting is None else [*self.versions, self.waiting]:
                row = uow.session.get_one(License, one.id)
                vouched = self.library.holdings.seal_state(uow, row, now)
                if self.library.holdings.status(uow, row, now) is Status.VALID:
                    assert vouched in {SealState.VERIFIED, SealState.DECLARED}
                    # And by what this test knows itself:
                    declared = row.origin == STOCK and row.trust in "BCD"
                    sealed = row.seal_id is not None and row.seal_id not in self.library.seals.revoked
                    assert (declared, sealed) in {(True, False), (False, True)}

    @invariant()
    def a_revoked_seal_leaves_unknown_and_never_denied(self) -> None:
        for one in self.versions:
            if one.seal_id in self.library.seals.revoked:
                status = self.library.status(one)
                known = self.state(one) in TERMINAL
                assert known or status is Status.SEAL_UNDETERMINED
                assert known or status_titles()[status].standing is Standing.UNKNOWN

    @invariant()
    def as_of_an_instant_that_is_over_nothing_ever_changes(self) -> None:
        now = self.library.clock.now()
        over = [at for at in self.told if at < now]
        for at in (*over[:1], *over[-2:]):
            found = {one.id: self.library.status(one, at) for one in self.versions}
            assert {one: found[one] for one in self.told[at]} == self.told[at]
        self.told[now] = {one.id: self.library.status(one, now) for one in self.versions}


TestChain = Chain.TestCase
TestChain.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
