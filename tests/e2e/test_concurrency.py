# SPDX-License-Identifier: Apache-2.0
"""Sixteen threads file, announce, ask and close at the same time, beside the real worker and sequencer.

Nothing that was answered may be missing afterwards and nothing may stand twice. The load lasts
``CUNZHENG_STRESS_SECONDS``, 30 unless given.
"""

import itertools
import json
import os
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from installation import Installation, Submissions, holder, installed
from measuring import percentile
from sqlalchemy import func, select

from archive.errors import FilingConflictError
from archive.intake import Received
from archive.models import Filing, FilingReceipt
from cases.models import Case
from licenses.answers import verify_answer
from licenses.deciding import AnsweredProof
from licenses.errors import QuestionRefusedError
from licenses.models import Decision, SignedAnswer
from licenses.questions import ProofQuestion
from portal.demo.figures import is_sequenced
from portal.refusals import record_apart
from portal.rooms import all_seeing
from storage.database import UnitOfWork
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerEntry
from storage.ledger.notes import VerifierKey
from storage.ledger.policies import parse_policy, single_log_policy
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import verify_receipt
from storage.steps import StepRow

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("CUNZHENG_STRESS_SECONDS") or 30)
FILERS, ASKERS = 8, 8
OPEN_CASES = 24
PATIENCE = 120.0


@dataclass
class Load:
    """What the threads do and what they were told; every list is filled by several threads."""

    site: Installation
    submissions: Submissions
    end: float = 0.0
    received: list[Received] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    answered: list[AnsweredProof] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    filing_times: list[float] = field(default_factory=list)
    asking_times: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def run(self) -> None:
        jobs: list[tuple[Callable[[int], None], int]] = [
            *((self._file, number) for number in range(FILERS)),
            *((self._ask, number) for number in range(ASKERS)),
        ]
        threads = [threading.Thread(target=self._guarded, args=job) for job in jobs]
        self.end = time.monotonic() + SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, work: Callable[[int], None], number: int) -> None:
        try:
            work(number)
        except Exception:  # noqa: BLE001 - whatever a thread dies of is what the test looks for
            self.broken.append(traceback.format_exc())
            self.end = 0.0

    def _rounds(self) -> Iterator[int]:
        yield from itertools.takewhile(lambda _: time.monotonic() < self.end, itertools.count())

    def _file(self, number: int) -> None:
        """File by turns: a case of one's own, the same set as one's twin, another set than one's twin."""
        pair, twin = divmod(number, 2)
        for turn in self._rounds():
            own, name = turn % 3 == 0, f"F-{pair}-{turn}"
            who = holder((7 * turn + twin * (turn % 3 == 2)) % 1000)
            arrival = self.submissions.make(f"{name}-{twin}" if own else name, holder=who)
            start = time.perf_counter()
            try:
                self.received.append(self.site.file(arrival))
            except FilingConflictError:
                self.conflicts.append(name)
            self.filing_times.append(time.perf_counter() - start)

    def _ask(self, number: int) -> None:
        """Ask about open cases; now and then announce one, ask, report its closing, and ask in vain."""
        for turn in self._rounds():
            self._question(f"O-{(turn * 7 + number) % OPEN_CASES}")
            if turn % 10 == 9:
                name = f"C-{number}-{turn}"
                self.site.announce(name)
                self._question(name)
                self.site.announce(name, closed=True)
                self.closed.append(name)
                self._question(name)

    def _question(self, case: str) -> None:
        rooms, question = self.site.rooms, ProofQuestion("yctb", case, "339999010002", "accept")

        start = time.perf_counter()
        try:
            answered = rooms.database.write(
                lambda uow: rooms.proofs.ask(uow, self.site.cast.client(uow), question)
            )
        except QuestionRefusedError as refusal:
            record_apart(rooms.database, refusal)
            self.refused.append(case)
        else:
            self.answered.append(answered)
        self.asking_times.append(time.perf_counter() - start)

    def summary(self) -> Iterator[str]:
        for what, times in (("filing", self.filing_times), ("asking", self.asking_times)):
            half, most = (1000 * percentile(times, share) for share in (0.5, 0.95))
            rate = len(times) / SECONDS
            yield f"{what}: {len(times)} = {rate:.0f}/s, p50 {half:.1f} ms, p95 {most:.1f} ms"


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Give the installation after the load: worker stopped, every act sequenced by the real process."""
    folder = tmp_path_factory.mktemp("concurrency")
    submissions = Submissions(folder / "materials")
    with installed(folder / "data", "sequencer", "worker") as site:
        site.file(submissions.business("B-1"))
        for number in range(OPEN_CASES):
            site.announce(f"O-{number}")
        site.wait_for_steps(PATIENCE)
        made = Load(site, submissions)
        made.run()
        site.stop("worker")
        _catch_up(site)
        site.stop("sequencer")
        yield made


def _catch_up(site: Installation) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with site.rooms.database.reading() as uow:
            if is_sequenced(uow):
                return
        assert time.monotonic() < end, "the sequencer did not catch up"
        threading.Event().wait(0.1)


def count(uow: UnitOfWork, table: type, *conditions: object) -> int:
    return uow.session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]  # as given


def test_no_thread_and_no_process_was_refused_a_lock(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("", *load.summary(), sep="\n  ")
    assert load.broken == []
    assert load.site.reports == []
    logs = [path.read_text() for path in load.site.settings.logs.glob("*.log")]
    assert not any("locked" in text or "broke" in text or "Traceback" in text for text in logs), logs
    assert load.received
    assert load.answered
    assert load.refused


def test_every_receipt_stands_for_one_filing_and_twins_get_one(load: Load) -> None:
    by_case: dict[str, set[bytes]] = {}
    for one in load.received:
        by_case.setdefault(json.loads(one.receipt)["case"]["number"], set()).add(one.receipt)
    assert all(len(receipts) == 1 for receipts in by_case.values())
    created = [one.filing_id for one in load.received if one.created]
    assert Counter(Counter(created).values()) == {1: len(by_case)}
    with load.site.rooms.database.reading() as uow:
        receipts = uow.session.scalars(select(FilingReceipt))
        stored = {one.filing_id: uow.secrets.decrypt(one.body_cipher) for one in receipts}
        attempts = Counter(uow.session.scalars(select(Filing.case_id).where(Filing.attempt == 1)))
        accepting = Counter(
            uow.session.scalars(select(StepRow.subject).where(StepRow.kind == "archive.accept"))
        )
        filings = count(uow, Filing)
    assert all(stored[one.filing_id] == one.receipt for one in load.received)
    assert filings == len(by_case) + 1 == len(stored)
    assert set(attempts.values()) == {1}
    assert len(attempts) == filings
    assert accepting == Counter(stored.keys())


def test_of_two_sets_under_one_number_one_is_refused(load: Load) -> None:
    received = {json.loads(one.receipt)["case"]["number"] for one in load.received}
    assert load.conflicts
    assert set(load.conflicts) <= received
    assert max(Counter(load.conflicts).values()) == 1


def test_every_answer_has_its_decision_and_every_refusal_its_act(load: Load) -> None:
    ids = {one.decision.id for one in load.answered}
    with load.site.rooms.database.reading() as uow:
        assert set(uow.session.scalars(select(Decision.id))) == ids
        assert set(uow.session.scalars(select(SignedAnswer.decision_id))) == ids
        assert len(ids) == len(load.answered)
        assert count(uow, LedgerAct, LedgerAct.kind == ActKind.PROOF_REFUSED) == len(load.refused)
        closed = uow.session.scalars(select(Case.number).where(Case.closed_at.is_not(None))).all()
    # A turn that the end of the load cut short may have announced a case without closing it: none is cut.
    assert {name for name in closed if name.startswith("C-")} == set(load.closed)
    assert Counter(load.refused) == Counter(load.closed)


def test_every_answer_relies_on_the_licence(load: Load) -> None:
    results = {
        requirement["id"]: requirement["result"]
        for one in load.answered
        for requirement in one.body["requirements"]  # type: ignore[union-attr]  # JSON of known shape
    }
    assert "MET" in results.values()
    assert {one.decision.result for one in load.answered} == {load.answered[0].decision.result}


def test_counts_close_and_every_act_is_an_entry(load: Load) -> None:
    rooms = load.site.rooms
    with rooms.database.reading() as uow:
        counts = rooms.filings.counts(uow, all_seeing())
        assert counts.closes
        assert counts.received == count(uow, Filing)
        acts, entries = count(uow, LedgerAct), count(uow, LedgerEntry)
        assert acts == entries
        assert uow.session.scalar(select(func.max(LedgerEntry.seq))) == entries - 1
        asked = set(
            uow.session.scalars(select(LedgerAct.act_id).where(LedgerAct.kind == ActKind.PROOF_ASKED))
        )
        closing = list(
            uow.session.scalars(select(LedgerAct.intent).where(LedgerAct.kind == ActKind.PROOF_ANSWERED))
        )
    assert len(closing) == len(asked)
    assert set(closing) == asked


def test_every_promise_is_redeemed_by_a_receipt_that_verifies(load: Load) -> None:
    rooms = load.site.rooms
    policy = parse_policy(single_log_policy(VerifierKey.parse(rooms.keys.log_key)))
    promises = {json.loads(one.receipt)["promise"]["core_sha256"] for one in load.received}
    for one in load.answered:
        verified = verify_answer(one.jws, rooms.keys.jwks)
        assert verified.promise == one.promise.as_json()
        promises.add(verified.promise["core_sha256"])
    with rooms.database.reading() as uow:
        for act in promises:
            verify_receipt(receipt_for(uow.session, act), policy, act)
