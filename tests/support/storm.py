# SPDX-License-Identifier: Apache-2.0
"""Producers file without pause while workers are killed again and again; and what must hold afterwards."""

import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from installation import FOOD, Installation, Submissions, holder
from sqlalchemy import func, select

from archive.models import Filing, FilingState
from cases.services import Announcement
from portal.demo.figures import is_sequenced
from storage.clock import parse_rfc3339
from storage.database import UnitOfWork, repeated
from storage.engines import RecordsUnavailableError
from storage.steps import StepRow

PRODUCERS = 8
KILL_SECONDS = 2.0
_UNFILED_AT_MOST = 12
_WATCH_SECONDS = 0.1
_HITS = 2
_OWED_SECONDS = 60.0
_FACE = {
    "legal_representative": "张演示",
    "domicile": "演示市演示路1号",
    "premises": "演示市演示路1号",
    "business_form": "餐饮服务经营者",
    "permitted_items": "热食类食品制售",
}


def approved(serial: int) -> dict[str, Any]:
    """Give what a filing adds to its metadata when its case ended with a licence."""
    return {
        "result": "approved",
        "license": {
            "type": "11339999DEM0010178001",
            "number": f"JY1339999{serial:07d}",
            "issued_on": "2026-11-13",
            "valid_from": "2026-11-13",
            "valid_until": "2031-11-12",
            "face": _FACE,
        },
    }


class Workers:
    """Worker processes by name, each restarted when it dies, and killed by turns of chance."""

    def __init__(self, site: Installation, number: int, seed: int) -> None:
        self._clock = site.rooms.clock
        self._database = site.rooms.database
        self._chance = random.Random(seed)
        self._names = [f"worker-{place}" for place in range(1, number + 1)]
        self._children = site.children({name: ["worker"] for name in self._names})
        self.kills = 0
        self.hits = 0

    def start(self) -> None:
        self._children.start(self._clock.monotonic)

    def watch(self) -> None:
        self._children.watch(self._clock.monotonic)

    def kill_one(self, *, at_work: bool = False) -> None:
        """Kill one, by choice or only one that is at a step; both may be between two lives."""
        living = {pid for name in self._names if (pid := self._children.pid_if_running(name))}
        busy = self._at_work() & living
        victims = sorted(busy if at_work else busy or living)
        if victims:
            os.kill(self._chance.choice(victims), signal.SIGKILL)
            self.kills += 1
            self.hits += bool(busy)

    def _at_work(self) -> set[int]:
        with self._database.reading() as uow:
            owners = uow.session.scalars(select(StepRow.lease_owner).where(StepRow.state == "running"))
            return {int(owner.split(":")[1]) for owner in owners if owner}

    def stop(self) -> None:
        self.watch()
        self._children.stop()


@dataclass
class Storm:
    """What the producers do and what they were told.

    Attributes:
        filed: Number of each case → ids of the filings that its submissions were answered with.
        broken: Tracebacks of producers that died.
        kills: Workers that were killed.
        drained_after: Seconds that the line needed after the last filing.
    """

    site: Installation
    submissions: Submissions
    seconds: float
    filed: dict[str, set[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    kills: int = 0
    drained_after: float = 0.0

    def approved(self) -> int:
        """Count the cases that end with a licence."""
        return sum(int(number.rpartition("-")[2]) % 2 for number in self.filed)

    def run(self, workers: Workers) -> None:
        """Let producers file for so long, a worker being killed every two seconds."""
        over = threading.Event()
        producers = [threading.Thread(target=self._guarded, args=(place, over)) for place in range(PRODUCERS)]
        for producer in producers:
            producer.start()
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < self.seconds:
            if now >= KILL_SECONDS * (workers.kills + 1):
                workers.kill_one()
            workers.watch()
            over.wait(_WATCH_SECONDS)
        # On a slow machine every life may have ended before its first step.
        while workers.hits < _HITS and time.monotonic() < begin + self.seconds + _OWED_SECONDS:
            workers.kill_one(at_work=True)
            workers.watch()
            over.wait(_WATCH_SECONDS)
        over.set()
        for producer in producers:
            producer.join()

    def drain(self, workers: Workers, within: float) -> None:
        """Wait until no step is left and every act is sequenced; workers that die are restarted."""
        begin = time.monotonic()
        while not self._is_done():
            assert time.monotonic() < begin + within, self._standing()
            workers.watch()
            threading.Event().wait(_WATCH_SECONDS)
        self.drained_after = time.monotonic() - begin
        self.kills = workers.kills

    def _is_done(self) -> bool:
        with self.site.rooms.database.reading() as uow:
            left = uow.session.scalar(select(func.count()).where(StepRow.state != "done"))
            return not left and is_sequenced(uow)

    def _standing(self) -> Sequence[tuple[str, str, str | None, int]]:
        with self.site.rooms.database.reading() as uow:
            query = select(StepRow.kind, StepRow.state, StepRow.problem, StepRow.deaths)
            return [(*row,) for row in uow.session.execute(query.where(StepRow.state != "done"))]

    def _guarded(self, place: int, over: threading.Event) -> None:
        try:
            turn = 0
            while not over.is_set():
                if self._unfiled() < _UNFILED_AT_MOST:
                    self._produce(place, turn)
                    turn += 1
                else:
                    over.wait(0.25)
        except Exception:  # noqa: BLE001 - whatever a producer dies of is what the test looks for
            self.broken.append(traceback.format_exc())

    def _produce(self, place: int, turn: int) -> None:
        """Announce a case, report its closing, file it; every third time file it twice."""
        number, serial = f"K-{place}-{turn}", place * 10_000 + turn
        who = holder(serial % 1000)
        self._announce(number, who, closed=False)
        self._announce(number, who, closed=True)
        changes = approved(serial) if turn % 2 else {}
        arrival = self.submissions.make(number, holder=who, **changes)
        for _ in range(2 if turn % 3 == 0 else 1):
            answer = self._persistently(lambda: self.site.file(arrival).filing_id)
            self.filed.setdefault(number, set()).add(answer)

    def _announce(self, number: str, who: dict[str, str], *, closed: bool) -> None:
        accepted = parse_rfc3339("2026-11-02T01:00:00Z")
        closed_at = parse_rfc3339("2026-11-16T08:00:00Z") if closed else None
        announcement = Announcement(
            "yctb", number, FOOD, "2026-03", *who.values(), "scjg", accepted, closed_at
        )

        def announce() -> None:
            with self.site.rooms.database.writing() as uow:
                self.site.rooms.cases.announce(uow, self.site.cast.client(uow), announcement)

        repeated(announce)

    @staticmethod
    def _persistently(call: Callable[[], str]) -> str:
        """Do what a client does whose call was refused because a part was busy: call again."""
        for _ in range(20):
            try:
                return call()
            except RecordsUnavailableError:
                threading.Event().wait(0.2)
        return call()

    def _unfiled(self) -> int:
        with self.site.rooms.database.reading() as uow:
            return (
                uow.session.scalar(
                    select(func.count()).select_from(Filing).where(Filing.state != str(FilingState.FILED))
                )
                or 0
            )


def adoptions(site: Installation) -> int:
    """Count what workers took up that an earlier try had staged, as their logs say."""
    logs = site.settings.logs.glob("worker-*.log")
    return sum(path.read_text("utf-8", "replace").count(" adopted ") for path in logs)


def count(uow: UnitOfWork, column: Any) -> Counter[Any]:
    """Count rows by the value of a column."""
    rows = uow.session.execute(select(column, func.count()).group_by(column))
    return Counter({value: number for value, number in rows})  # noqa: C416 - a row is no tuple to the type checker
