# SPDX-License-Identifier: Apache-2.0
"""Filings under any order of sending, resending, returning and filing: nothing is lost or counted twice."""

import json
import tempfile
from pathlib import Path

import pytest
from archive_world import ARCHIVIST, World
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from archive.errors import FilingConflictError, FilingRefusedError
from archive.filings import give_back, load, move
from archive.findings import finding
from archive.models import FINAL, REPEATABLE, Filing, FilingState, may_follow
from archive.queries import FilingQueries
from archive.staging import StagedFile, read_arrival
from cases.calendar import WorkingCalendar

STATES = st.sampled_from(list(FilingState))
CONTENTS = st.sampled_from(["one", "two", "three"])


class FilingMachine(RuleBasedStateMachine):
    """One case; the model keeps the state of each attempt and the receipt of each set."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self._folder.name))
        self.attempts: list[tuple[str, str, FilingState]] = []
        self.receipts: dict[str, bytes] = {}

    def teardown(self) -> None:
        self.world.database.close()
        self._folder.cleanup()

    @rule(content=CONTENTS)
    def send(self, content: str) -> None:
        arrival = self.world.arrival({"decision": content.encode()})
        known = self.receipts.get(content)
        busy = bool(self.attempts) and self.attempts[-1][2] not in REPEATABLE
        if known is None and busy:
            with pytest.raises(FilingConflictError) as conflict:
                self.world.file(arrival)
            assert conflict.value.difference.changed == ("decision",)
            return
        received = self.world.file(arrival)
        assert received.created == (known is None)
        if known is None:
            self.receipts[content] = received.receipt
            self.attempts.append((received.filing_id, content, FilingState.RECEIVED))
            assert received.attempt == len(self.attempts)
        else:
            assert received.receipt == known

    @precondition(lambda self: bool(self.attempts))
    @rule(state=STATES)
    def go_on(self, state: FilingState) -> None:
        filing_id, content, before = self.attempts[-1]
        allowed = may_follow(before, state)
        try:
            with self.world.database.writing() as uow:
                file = load(uow, filing_id)
                if state in REPEATABLE:
                    give_back(uow, file, [finding("M09")], state)
                else:
                    move(uow, file.filing, state)
        except FilingRefusedError:
            assert not allowed
        else:
            assert allowed
            self.attempts[-1] = (filing_id, content, state)

    @invariant()
    def what_is_stored_is_what_happened(self) -> None:
        with self.world.database.reading() as uow:
            filings = uow.session.scalars(select(Filing).order_by(Filing.attempt)).all()
        assert [(one.id, one.state) for one in filings] == [(key, state) for key, _, state in self.attempts]
        assert [one.attempt for one in filings] == list(range(1, len(filings) + 1))
        assert all((one.decided_at is not None) == (FilingState(one.state) in FINAL) for one in filings)
        # Only the newest attempt can be busy: an older one was returned before it could be followed.
        assert all(FilingState(one.state) in REPEATABLE for one in filings[:-1])

    @invariant()
    def counts_close(self) -> None:
        world = self.world
        queries = FilingQueries(world.cases, world.holders, world.items, WorkingCalendar.load())
        with world.database.reading() as uow:
            counts = queries.counts(uow, ARCHIVIST)
        assert counts.closes
        assert counts.received == len(self.attempts)
        assert counts.in_progress == sum(state not in FINAL for _, _, state in self.attempts)


FilingMachine.TestCase.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)
TestFilingMachine = FilingMachine.TestCase


def staged(world: World, contents: list[bytes]) -> tuple[bytes, list[StagedFile]]:
    arrival = world.arrival({f"code-{place}": data for place, data in enumerate(contents)})
    return arrival.metadata, list(arrival.files.values())


@settings(max_examples=12, deadline=None)
@given(contents=st.lists(st.binary(max_size=8), min_size=1, max_size=4), data=st.data())
def test_the_digest_of_a_set_depends_on_content_alone(contents: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        metadata, files = staged(world, contents)
        plain = read_arrival(metadata, files).set_sha256
        shuffled = data.draw(st.permutations(files))
        indented = json.dumps(json.loads(metadata), indent=2, sort_keys=True).encode()
        assert read_arrival(indented, shuffled).set_sha256 == plain
        changed = data.draw(st.integers(0, len(contents) - 1))
        other = [*contents]
        other[changed] += b"!"
        assert read_arrival(*staged(world, other)).set_sha256 != plain
        world.database.close()
