# SPDX-License-Identifier: Apache-2.0
"""No-proof decisions: question, evaluation, two acts, records of use, commit with fsync, signed answer."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from license_library import BUSINESS, CLIENT, FOOD, Library
from measuring import Measurement, percentile, rate, sha256_rate, sync_rate

from licenses.evaluation import evaluate
from licenses.facts import Facts
from licenses.questions import ProofQuestion
from licenses.reason_table import ReasonTable
from licenses.rules import RuleBook
from storage.clock import legal_date

ON_SERVERS: Final = True
DECISIONS = 600
THREADS = 8
ALLOWED_P95 = 50.0


def measure() -> Iterator[Measurement]:
    """Ask on SQLite with full fsync, in one process: one thread, then several at once."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        try:
            yield from _measure(library, Path(folder))
        finally:
            library.database.close()


def _measure(library: Library, folder: Path) -> Iterator[Measurement]:
    library.issue(BUSINESS)
    case = library.announce(FOOD)
    question = ProofQuestion(case.source, case.number, case.item_code, "accept")
    _ask(library, question, 20)
    synced, signed = sync_rate(folder), _signatures()
    for threads, name in ((1, "decisions, one thread"), (THREADS, f"decisions, {THREADS} threads")):
        times, elapsed, cpu = _load(library, question, threads)
        per_second = len(times) / elapsed
        yield Measurement(name, per_second, "1/s", "fdatasync of 4 KiB", synced)
        yield Measurement(f"{name}, signing", per_second, "1/s", "bare ES256 signatures", signed)
        yield Measurement(f"{name}, p50", percentile(times, 0.5), "ms", "one fdatasync", 1000 / synced)
        yield Measurement(f"{name}, p95", percentile(times, 0.95), "ms", "allowed", ALLOWED_P95)
        used = 1000 * cpu / len(times)
        yield Measurement(f"{name}, processor", used, "ms", "one ES256 signature", 1000 / signed)
    yield _pure(library, case.holder_id)


def _ask(library: Library, question: ProofQuestion, count: int) -> list[float]:
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        with library.database.writing() as uow:
            library.proofs.ask(uow, CLIENT, question)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _load(library: Library, question: ProofQuestion, threads: int) -> tuple[list[float], float, float]:
    """Give each decision's milliseconds, the seconds that all took, and the processor's."""
    times: list[float] = []
    askers = [
        threading.Thread(target=lambda: times.extend(_ask(library, question, DECISIONS // threads)))
        for _ in range(threads)
    ]
    start, used = time.perf_counter(), time.process_time()
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return times, time.perf_counter() - start, time.process_time() - used


def _signatures() -> float:
    key, scheme, data = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), bytes(2000)
    return rate(lambda: key.sign(data, scheme), seconds=0.5)


def _pure(library: Library, holder_id: str) -> Measurement:
    now = library.clock.now()
    rule = RuleBook.load().find("339999010002", "2026-03", legal_date(now))
    assert rule is not None
    with library.database.reading() as uow:
        held = library.holdings.facts(uow, holder_id, rule.type_codes(), now)
    facts = Facts(legal_date(now), [kind.code for kind in library.types.all()], held)
    table = ReasonTable.load()
    per_second = rate(lambda: evaluate(rule, facts, now, table), seconds=0.5)
    reference = "SHA-256 of 1 KiB"
    return Measurement("rules evaluated, no database", per_second, "1/s", reference, sha256_rate())
