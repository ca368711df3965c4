# SPDX-License-Identifier: Apache-2.0
"""What must be done every day for objects in a bucket: locks renewed, the lock itself probed and recorded.

Every worker process looks; what another has recorded within the day is not done again.
"""

import datetime as dt
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from seals.demo_pki import DemoPki
from seals.tokens import TrustedTokens
from storage.clock import Clock, IdSource
from storage.database import Database, UnitOfWork
from storage.errors import CunzhengError
from storage.identity import system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.bucket import BucketStore
from storage.objects.probe import ClockVerdict, LockFinding, LockProbe, LockVerdict, judge_clock

DAY = dt.timedelta(hours=24)
OVERDUE = dt.timedelta(hours=48)
"""Without a probe for so long the bucket is not called locked."""
_AT_START = dt.timedelta(hours=1)
_LOOK_SECONDS = 600.0

log = logging.getLogger("cunzheng.housekeeping")


class Beside(Protocol):
    """Work that goes on beside a worker's steps."""

    def running(self) -> AbstractContextManager[None]:
        """Do it from time to time, in a thread of its own, while the block runs."""
        ...


@contextmanager
def repeatedly(name: str, seconds: float, look: Callable[[], object]) -> Iterator[None]:
    """Call ``look`` from time to time, in a thread of its own, while the block runs; it may fail."""
    stop = threading.Event()
    threading.Thread(target=_loop, args=(stop, name, seconds, look), name=name, daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def _loop(stop: threading.Event, name: str, seconds: float, look: Callable[[], object]) -> None:
    while not stop.is_set():
        try:
            look()
        except CunzhengError as error:
            log.warning("%s: not looked: %s", name, error.code)
        except Exception as error:  # noqa: BLE001 - the next look must not depend on this one
            log.error("%s: a look broke: %s", name, type(error).__name__)  # noqa: TRY400 - a traceback would show values
        stop.wait(seconds)


def last_act(session: Session, kind: ActKind) -> LedgerAct | None:
    """Give the newest act of a kind."""
    return session.scalars(
        select(LedgerAct).where(LedgerAct.kind == str(kind)).order_by(LedgerAct.recorded_at.desc()).limit(1)
    ).first()


def last_probe(session: Session) -> LedgerAct | None:
    """Give the act of the newest lock probe that came to a verdict."""
    return last_act(session, ActKind.STORE_PROBED)


def standing_verdict(session: Session, now: dt.datetime) -> tuple[LockVerdict, dt.datetime | None]:
    """Give what the newest probe said and when; a probe of the day before yesterday says nothing."""
    act = last_probe(session)
    if act is None or now - act.recorded_at > OVERDUE:
        return LockVerdict.CANNOT_TELL, act.recorded_at if act else None
    held = act.outcome == str(Outcome.DONE)
    return LockVerdict.LOCKED if held else LockVerdict.NOT_LOCKED, act.recorded_at


@dataclass(frozen=True, slots=True)
class LastProbe:
    """What the newest probe said beside its verdict; nothing if that is older than two days.

    Attributes:
        ours: Seconds by which the server's clock was ahead of ours, where that is known.
        authority: Of the time stamp authority's.
        untried: Attacks for which a key was lacking.
    """

    ours: float | None = None
    authority: float | None = None
    untried: tuple[str, ...] = ()

    @property
    def clock(self) -> ClockVerdict:
        """Judge the server's clock by the authority's."""
        return judge_clock(self.authority)


def last_said(uow: UnitOfWork) -> LastProbe:
    """Give what the newest probe said of clocks and attacks; one of the day before yesterday says nothing."""
    act = last_probe(uow.session)
    if act is None or uow.clock.now() - act.recorded_at > OVERDUE:
        return LastProbe()
    notes = json.loads(uow.secrets.decrypt(act.detail))["notes"]
    ours, authority = (
        None if milliseconds is None else float(milliseconds) / 1000
        for milliseconds in (notes.get("skew_ms"), notes.get("authority_skew_ms"))
    )
    return LastProbe(ours, authority, tuple(notes.get("untried", ())))


def stamped_now(pki: DemoPki, ids: IdSource) -> dt.datetime:
    """Give the time stamp authority's time, from a token that holds.

    Raises:
        CunzhengError: The authority gives no such token.
    """
    imprint = hashlib.sha256(ids.nonce()).digest()
    return TrustedTokens(pki.trust()).verify(pki.tsa(ids).stamp(imprint), imprint)


def probed(finding: LockFinding, bucket: str) -> Act:
    """Give the act that states what a probe found."""
    return Act(
        kind=ActKind.STORE_PROBED,
        actor=system_identity("housekeeping"),
        object_type="store",
        object_id=bucket,
        outcome=Outcome.DONE if finding.verdict is LockVerdict.LOCKED else Outcome.FAILED,
        notes={
            "verdict": str(finding.verdict),
            "succeeded": [str(attack) for attack in finding.succeeded],
            "untried": [str(attack) for attack in finding.untried],
            "let_in": finding.let_in,
            "skew_ms": _milliseconds(finding.skew),
            "authority_skew_ms": _milliseconds(finding.authority_skew),
            "clock": str(finding.clock),
        },
    )


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


class Housekeeping:
    """Looks after the bucket of one installation.

    Args:
        database: Where probes are recorded.
        store: The bucket.
        probe: Attacks it.
        clock: Tells when a day is over.
    """

    def __init__(self, database: Database, store: BucketStore, probe: LockProbe, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._probe = probe
        self._clock = clock
        self._age = _AT_START
        self._renewed_at: dt.datetime | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look from time to time, in a thread of its own, while the block runs."""
        with repeatedly("housekeeping", _LOOK_SECONDS, self._look_first_and_daily):
            yield

    def look(self, age: dt.timedelta = DAY) -> LockFinding | None:
        """Renew, and probe, each unless that was done within ``age``; give what the probe found."""
        finding = self._probe_unless_done(age)
        self._renew_unless_done(age)
        return finding

    def _renew_unless_done(self, age: dt.timedelta) -> None:
        # What was not renewed is tried again at the next look, however long ago the probe was.
        if self._renewed_at is None or self._clock.now() - self._renewed_at >= age:
            self._store.renew()
            self._renewed_at = self._clock.now()

    def _probe_unless_done(self, age: dt.timedelta) -> LockFinding | None:
        with self._database.reading() as uow:
            last = last_probe(uow.session)
            if last is not None and self._clock.now() - last.recorded_at < age:
                return None
        finding = self._probe.run()
        if finding.verdict is not LockVerdict.CANNOT_TELL:
            self._database.write(lambda uow: uow.record(probed(finding, self._probe.bucket)))
        if finding.verdict is not LockVerdict.LOCKED:
            log.error("lock probe: %s %s", finding.verdict, " ".join(finding.succeeded))
        if finding.clock is ClockVerdict.DIFFERS:
            log.error("the object server's clock is %s s ahead of the authority's", finding.authority_skew)
        return finding

    def _look_first_and_daily(self) -> None:
        self.look(self._age)
        self._age = DAY
