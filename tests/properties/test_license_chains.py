# SPDX-License-Identifier: Apache-2.0
"""Whatever is wished for in whatever order: a chain of versions never has two valid ones."""

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from license_library import FOOD, GROUNDS, MANAGER, Library

from licenses.errors import LicenseDataError, LicenseStateError
from licenses.lifecycle import EventKind, Process, SealState, Status
from licenses.models import License
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


class Chain(RuleBasedStateMachine):
    """A chain of versions in a real database."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.library = Library(Path(self.folder.name))
        self.versions = [self.library.issue(FOOD)]
        self.waiting: License | None = None

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
        self.versions.append(self.library.issue_reserved(self.waiting))
        self.waiting = None

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
    def nothing_is_valid_without_a_seal_or_a_declared_trust(self) -> None:
        now = self.library.clock.now()
        with self.library.database.reading() as uow:
            for one in self.versions if self.waiting is None else [*self.versions, self.waiting]:
                row = uow.session.get_one(License, one.id)
                vouched = self.library.holdings.seal_state(uow, row, now)
                if self.library.holdings.status(uow, row, now) is Status.VALID:
                    assert vouched in {SealState.VERIFIED, SealState.DECLARED}


TestChain = Chain.TestCase
TestChain.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
