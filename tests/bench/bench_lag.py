# SPDX-License-Identifier: Apache-2.0
"""How long an act waits for its place in the ledger while 2,000 a second are recorded; the real sequencer."""

import hashlib
import itertools
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from installation import Installation, installed
from ledgers import act
from measuring import Measurement, percentile
from sqlalchemy import insert, select

from storage.ledger.acts import core_bytes, detail_bytes
from storage.ledger.models import LedgerAct, LedgerPending, LedgerState

ON_SERVERS: Final = True
OFFERED, SECONDS = 2_000, 10
TOGETHER, WRITERS = 20, 2
"""Acts of one transaction, and threads that commit them."""
LOOK_SECONDS = 0.01
PATIENCE = 60.0
ALLOWED_P99, ALLOWED_P50 = 1000.0, 500.0


def measure() -> Iterator[Measurement]:
    """Offer acts that were made beforehand, so that the makers do not hold up what is measured."""
    with (
        tempfile.TemporaryDirectory() as name,
        installed(Path(name) / "data", "sequencer", anchor_limit=24 * 3600) as site,
    ):
        batches = [batch(site, number) for number in range(OFFERED * SECONDS // TOGETHER)]
        _until(site, _size(site) + 1, [])
        before = _size(site)
        commits, seen, rate = _offer(site, batches)
        waits = [
            1000 * (seen[bisect_left(seen, size, key=lambda one: one[1])][0] - committed)
            for size, committed in zip(itertools.count(before + TOGETHER, TOGETHER), sorted(commits))
        ]
    yield Measurement("acts offered", rate, "1/s", "wanted", OFFERED)
    yield Measurement(
        "act sequenced after its commit, p50", percentile(waits, 0.5), "ms", "allowed", ALLOWED_P50
    )
    yield Measurement(
        "act sequenced after its commit, p99", percentile(waits, 0.99), "ms", "allowed", ALLOWED_P99
    )


def batch(site: Installation, number: int) -> list[dict[str, Any]]:
    """Make the rows of acts of one transaction."""
    rows = []
    for place in range(TOGETHER):
        made, now = act(number * TOGETHER + place), site.rooms.clock.now()
        detail = site.rooms.database.secrets.encrypt(made.subject, detail_bytes(made, now))
        core = core_bytes(made, site.rooms.ids.nonce(), detail)
        rows.append(
            {
                "act_id": hashlib.sha256(core).hexdigest(),
                "kind": str(made.kind),
                "outcome": str(made.outcome),
                "core": core,
                "detail": detail,
                "actor_id": made.actor.id,
                "organisation": made.actor.organisation,
                "object_type": made.object_type,
                "object_id": made.object_id,
                "subject": made.subject,
                "recorded_at": now,
            }
        )
    return rows


def _offer(
    site: Installation, batches: Sequence[list[dict[str, Any]]]
) -> tuple[list[float], list[tuple[float, int]], float]:
    """Give when each transaction was committed, how long the ledger was when, and the rate reached."""
    wanted = _size(site) + TOGETHER * len(batches)
    commits: list[float] = []
    seen: list[tuple[float, int]] = []
    start = time.monotonic()

    def write(first: int) -> None:
        for number in range(first, len(batches), WRITERS):
            pause = start + number * TOGETHER / OFFERED - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            with site.rooms.database.claiming() as session:
                session.execute(insert(LedgerAct), batches[number])
                session.execute(insert(LedgerPending), [{"act_id": row["act_id"]} for row in batches[number]])
            commits.append(time.monotonic())

    writers = [threading.Thread(target=write, args=(first,)) for first in range(WRITERS)]
    for writer in writers:
        writer.start()
    _until(site, wanted, seen)
    for writer in writers:
        writer.join()
    return commits, seen, TOGETHER * len(batches) / (max(commits) - start)


def _size(site: Installation) -> int:
    with site.rooms.database.reading() as uow:
        return uow.session.scalar(select(LedgerState.size)) or 0


def _until(site: Installation, size: int, seen: list[tuple[float, int]]) -> None:
    end = time.monotonic() + SECONDS + PATIENCE
    while not seen or seen[-1][1] < size:
        assert time.monotonic() < end, "the sequencer does not keep up"
        time.sleep(LOOK_SECONDS)
        held = _size(site)
        seen.append((time.monotonic(), held))
