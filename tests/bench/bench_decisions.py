# SPDX-License-Identifier: Apache-2.0
"""No-proof decisions: question, evaluation, two acts, records of use, commit with fsync, signed answer."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from license_library import BUSINESS, CLIENT, FOOD, Library
from measuring import Measurement, percentile, sha256_rate

from licenses.decisions import ProofQuestion
from licenses.evaluation import Facts, ReasonTable, evaluate
from licenses.rules import RuleBook
from storage.clock import legal_date

DECISIONS = 600
TARGET_RATE, TARGET_P95 = 300.0, 50.0


def measure() -> Iterator[Measurement]:
    """Ask one question after the other in one process and one thread, on SQLite with full fsync."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        try:
            yield from _measure(library)
        finally:
            library.database.close()


def _measure(library: Library) -> Iterator[Measurement]:
    library.issue(BUSINESS)
    case = library.announce(FOOD)
    question = ProofQuestion(case.source, case.number, case.item_code, "accept")
    times = []
    start = time.perf_counter()
    for _ in range(DECISIONS):
        begun = time.perf_counter()
        with library.database.writing() as uow:
            library.proofs.ask(uow, CLIENT, question)
        times.append((time.perf_counter() - begun) * 1000)
    elapsed = time.perf_counter() - start
    yield Measurement("signed decisions", DECISIONS / elapsed, "1/s", "wanted", TARGET_RATE)
    yield Measurement("signed decision, p95", percentile(times, 0.95), "ms", "allowed", TARGET_P95)
    yield _pure(library, case.holder_id)


def _pure(library: Library, holder_id: str) -> Measurement:
    now = library.clock.now()
    rule = RuleBook.load().find("339999010002", "2026-03", legal_date(now))
    assert rule is not None
    with library.database.reading() as uow:
        held = library.holdings.facts(uow, holder_id, rule.type_codes(), now)
    facts = Facts(legal_date(now), [kind.code for kind in library.types.all()], held)
    table, count, start = ReasonTable.load(), 3000, time.perf_counter()
    for _ in range(count):
        evaluate(rule, facts, now, table)
    rate = count / (time.perf_counter() - start)
    return Measurement("rule evaluations without database", rate, "1/s", "SHA-256 of 1 KiB", sha256_rate())
