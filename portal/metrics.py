# SPDX-License-Identifier: Apache-2.0
"""Figures for Prometheus, in a registry of their own, served on a port of their own: never to strangers.

Figures come from the tables and the parts at the moment when they are asked for, so one process that serves
them is enough. A part that does not answer is a figure too; what depends on it is then left out, never zero.
"""

import datetime as dt
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias, runtime_checkable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from portal.accounts.documents import coverage
from portal.backup.saving import last_backup
from portal.effect_watch import EffectWatch
from portal.housekeeping import last_said, standing_verdict
from portal.indexing import oldest_waiting
from portal.nightly import last_reconciled
from portal.patterns.services import count_by_pattern
from portal.queues import queue_of
from portal.readiness import Readiness
from portal.rooms import Rooms, all_seeing
from portal.settings import Settings
from portal.version import VERSION
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.ledger.reading import read_status
from storage.objects.probe import ClockVerdict, LockVerdict
from storage.objects.renewal import unrenewed
from storage.steps import STANDING, STANDINGS, UNFINISHED, StepRow

_PREFIX: Final = "cunzheng"
_Values: TypeAlias = dict[tuple[str, ...], float]

log = logging.getLogger("cunzheng.metrics")


@runtime_checkable
class _Locks(Protocol):
    """A store that can say whether it locks what it keeps."""

    @property
    def locks(self) -> bool:
        """Tell whether it does."""
        ...


class Figures(Collector):
    """Collects every figure.

    Args:
        rooms: The opened rooms.
        settings: Their settings.
        readiness: What looks at the parts.
    """

    def __init__(self, rooms: Rooms, settings: Settings, readiness: Readiness) -> None:
        self._rooms = rooms
        self._settings = settings
        self._readiness = readiness
        self._effect_watch = EffectWatch(rooms.database, rooms.clock, rooms.rules)

    def describe(self) -> list[GaugeMetricFamily]:
        """Describe nothing beforehand: registering must not ask the parts."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give every figure that its part gives now."""
        yield _gauge("build_info", "The version that runs.", {(VERSION,): 1}, "version")
        standing = self._readiness.look()
        ready: _Values = {(part,): part not in standing.problems for part in self._readiness.parts}
        yield _gauge("part_ready", "Whether a part answers.", ready, "part")
        yield _gauge("ready", "Whether this process can take work.", {(): standing.ready})
        parts = (self._probe, self._renewal, self._steps, self._ledger, self._index, self._backup)
        for collect in (self._disk, *parts, self._people, self._patterns, self._sharing, self._effect):
            yield from _known(collect)
        if "objects" not in standing.problems:
            # A scrape must not wait for a server that is silent.
            yield from _known(self._lock)

    def _disk(self) -> Iterator[GaugeMetricFamily]:
        free = shutil.disk_usage(self._settings.data).free
        yield _gauge("disk_free_bytes", "Free space of the data folder's disk.", {(): free})

    def _lock(self) -> Iterator[GaugeMetricFamily]:
        objects = self._rooms.objects
        if isinstance(objects, _Locks):
            yield _gauge("objects_locked", "Whether the bucket takes locks.", {(): objects.locks})

    def _probe(self) -> Iterator[GaugeMetricFamily]:
        if self._rooms.lock_probe is None:
            return
        with self._rooms.database.reading() as uow:
            verdict, at = standing_verdict(uow.session, uow.clock.now())
            probe = last_said(uow)
            age = _age(uow, at) if at else None
        found: _Values = {(str(one),): one is verdict for one in LockVerdict}
        yield _gauge("lock_verdict", "What the last attack on the bucket's lock showed.", found, "verdict")
        if at is not None:
            untried: _Values = {(): len(probe.untried)}
            yield _gauge("lock_untried", "Attacks not tried for lack of the key they take.", untried)
        if age is not None:
            yield _gauge("lock_probe_age_seconds", "How long ago that was.", {(): age})
        if probe.ours is not None:
            words = "How far the object server's clock was ahead of ours then."
            yield _gauge("objects_clock_skew_seconds", words, {(): probe.ours})
        if probe.authority is not None:
            words = "How far the object server's clock was ahead of the time stamp authority's then."
            yield _gauge("objects_authority_skew_seconds", words, {(): probe.authority})
        clock: _Values = {(str(one),): one is probe.clock for one in ClockVerdict}
        yield _gauge("objects_clock_verdict", "How those two clocks stand to each other.", clock, "verdict")

    def _renewal(self) -> Iterator[GaugeMetricFamily]:
        if self._rooms.lock_probe is None:
            return
        with self._rooms.database.reading() as uow:
            late = unrenewed(uow.session, uow.clock.now())
        yield _gauge("locks_unrenewed", "Locks whose renewal is two days late.", {(): late.count})
        yield _gauge("locks_ended", "Those of them that have ended.", {(): late.ended})

    def _steps(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            count, oldest = _count_steps(uow)
        names = ("queue", "standing")
        yield _gauge("steps", "Unfinished steps by queue and standing.", count, *names)
        yield _gauge("step_oldest_age_seconds", "Age of the oldest unfinished step of those.", oldest, *names)

    def _ledger(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            status = read_status(uow.session)
        yield _gauge("ledger_entries", "Entries of the ledger.", {(): status.size})
        yield _gauge(
            "ledger_anchored_entries", "Entries that the newest anchor covers.", {(): status.anchored_size}
        )
        lag = self._rooms.gate.lag()
        if lag is not None:
            yield _gauge("ledger_pending_acts", "Acts that wait for their number.", {(): lag.pending})
            yield _gauge(
                "ledger_sequencing_lag_seconds", "How long the oldest of them waits.", {(): lag.sequencing}
            )
            yield _gauge(
                "ledger_anchor_lag_seconds", "Age of the oldest entry without an anchor.", {(): lag.anchor}
            )
            yield _gauge(
                "ledger_refusals_unrecorded", "Refusals while the ledger was closed.", {(): lag.refusals}
            )

    def _index(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            since = oldest_waiting(uow)
            lag = _age(uow, since) if since else 0.0
            last = last_reconciled(uow)
        yield _gauge("index_lag_seconds", "How long the oldest change waits for the index.", {(): lag})
        if last is None:
            return
        words = "When the index was last compared with the records, by itself."
        yield _gauge("index_reconciled_timestamp_seconds", words, {(): last.at.timestamp()})
        repaired: _Values = {(way,): count for way, count in last.repaired.items()}
        yield _gauge(
            "index_repaired", "Documents that differed then, by kind of difference.", repaired, "way"
        )
        words = "Documents that the engine could not hold then."
        yield _gauge("index_refused", words, {(): last.refused})

    def _people(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            late = self._rooms.trace.late_count(uow, all_seeing())
            overdue = self._rooms.objections.overdue(uow, all_seeing())
        yield _gauge("filings_late", "Closed cases that were not filed within their item's days.", {(): late})
        yield _gauge("objections_overdue", "Objections that nobody answered in time.", {(): overdue})

    def _patterns(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            found: _Values = {(str(one),): n for one, n in count_by_pattern(uow.session).items()}
            covered = coverage(uow)
        yield _gauge(
            "unusual_queries", "Unusual queries of seven days that nobody explained.", found, "pattern"
        )
        words = "Running accounts without a registered identity document."
        yield _gauge("officials_without_document", words, {(): covered.without})

    def _sharing(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            found = self._rooms.sharing.figures(uow)
            ages: _Values = {(one.subscription,): _age(uow, one.oldest) if one.oldest else 0 for one in found}
        name = "subscription"
        waiting: _Values = {(one.subscription,): one.waiting for one in found}
        dead: _Values = {(one.subscription,): one.dead for one in found}
        yield _gauge("deliveries_waiting", "Changes that wait for a subscription.", waiting, name)
        yield _gauge("delivery_oldest_age_seconds", "How long the oldest of them waits.", ages, name)
        yield _gauge("dead_letters", "Changes that did not arrive and are not tried again.", dead, name)

    def _effect(self) -> Iterator[GaugeMetricFamily]:
        for one in self._effect_watch.series():
            yield _gauge(one.name, one.words, dict(one.values), *one.labels)

    def _backup(self) -> Iterator[GaugeMetricFamily]:
        with self._rooms.database.reading() as uow:
            last = last_backup(uow.session)
            if last is not None:
                yield _gauge("backup_age_seconds", "Age of the newest backup.", {(): _age(uow, last)})


def serve_metrics(rooms: Rooms, settings: Settings, readiness: Readiness) -> Callable[[], None] | None:
    """Serve the figures in a thread, if a port is configured for them.

    Where the port is taken (an older process is still ending), this process serves none and says so.

    Returns:
        What ends it, for those who end before their process does.
    """
    if settings.metrics_port is None:
        return None
    try:
        server, thread = start_http_server(
            settings.metrics_port, settings.metrics_host, make_registry(rooms, settings, readiness)
        )
    except OSError as error:
        log.warning("no metrics from this process: %s", error.strerror)
        return None

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def make_registry(rooms: Rooms, settings: Settings, readiness: Readiness) -> CollectorRegistry:
    """Give a registry that holds our figures and nothing else."""
    registry = CollectorRegistry()
    registry.register(Figures(rooms, settings, readiness))
    return registry


def _known(collect: Callable[[], Iterator[GaugeMetricFamily]]) -> list[GaugeMetricFamily]:
    try:
        return list(collect())
    except (CunzhengError, OSError) as error:
        log.warning("figures left out: %s", type(error).__name__)
        return []


def _gauge(name: str, words: str, values: _Values, *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", words, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def _count_steps(uow: UnitOfWork) -> tuple[_Values, _Values]:
    rows = uow.session.execute(
        select(StepRow.kind, STANDING, func.count(), func.min(StepRow.created_at))
        .where(UNFINISHED)
        .group_by(StepRow.kind, STANDING)
    ).all()
    count: _Values = defaultdict(float)
    oldest: _Values = defaultdict(float)
    for queue in sorted({queue_of(kind) for kind, *_ in rows}):
        for standing in STANDINGS:
            count[queue, standing] = 0.0
    for kind, standing, number, since in rows:
        key = (queue_of(kind), standing)
        count[key] += number
        oldest[key] = max(oldest[key], _age(uow, since))
    return count, oldest


def _age(uow: UnitOfWork, since: dt.datetime) -> float:
    return max((uow.clock.now() - since).total_seconds(), 0.0)
