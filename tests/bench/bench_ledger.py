# SPDX-License-Identifier: Apache-2.0
"""The ledger as it runs: recording acts, draining them into entries, verifying an export."""

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledgers import SIGNER, Ledger, open_ledger
from measuring import Measurement, percentile, rate, sha256_rate, timed

from storage.ledger.export import export_log
from storage.ledger.findings import Verdict
from storage.ledger.verification import verify_log

ON_SERVERS: Final = True
COMMITS = 300
ACTS = 6_000
ENTRY = 420


def _bare_commits(folder: Path) -> float:
    """Give how often per second SQLite itself can make one row durable in this folder."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (x BLOB)")
    row = bytes(ENTRY)
    try:
        return rate(lambda: connection.execute("INSERT INTO t VALUES (?)", (row,)), at_least=COMMITS)
    finally:
        connection.close()


def _recording(ledger: Ledger, bare: float) -> Iterator[Measurement]:
    times = [timed(lambda number=number: ledger.record(1, number)) for number in range(COMMITS)]
    per_second = COMMITS / sum(times)
    yield Measurement("acts recorded per second, one each", per_second, "1/s", "bare SQLite commits", bare)
    worst = percentile(times, 0.95) * 1000
    yield Measurement("act recorded, p95", worst, "ms", "one bare SQLite commit", 1000 / bare)


def _drain_all(ledger: Ledger) -> None:
    while ledger.sequencer.drain():
        pass


def _draining(ledger: Ledger, raw: float) -> Iterator[Measurement]:
    _drain_all(ledger)
    ledger.record(ACTS)
    seconds = timed(lambda: _drain_all(ledger))
    yield Measurement("acts drained per second", ACTS / seconds, "1/s", f"raw SHA-256 of {ENTRY} bytes", raw)


def _verifying(ledger: Ledger, folder: Path, raw: float) -> Iterator[Measurement]:
    ledger.clock.advance(60)
    ledger.keeper.tick(hurry=True)
    exported = export_log(ledger.database, folder, SIGNER.verifier, b"")

    def check() -> None:
        assert verify_log(folder, ledger.policy, None, None).verdict is Verdict.VALID

    per_second = rate(check) * exported.entries
    yield Measurement("exported entries verified per second", per_second, "1/s", "raw SHA-256", raw)


def measure() -> Iterator[Measurement]:
    """Yield the rates."""
    raw = sha256_rate(ENTRY)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = _bare_commits(folder)
        ledger = open_ledger(folder)
        try:
            yield from _recording(ledger, bare)
            yield from _draining(ledger, raw)
            yield from _verifying(ledger, folder / "export", raw)
        finally:
            ledger.close()
