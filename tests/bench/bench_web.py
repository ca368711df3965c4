# SPDX-License-Identifier: Apache-2.0
"""Decisions over HTTP: the real web and sequencer processes, signed calls on connections that are kept.

``CUNZHENG_BENCH_LICENCES`` sets how many licences the library holds besides; none by default.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from calling import Outside
from family import descendants
from granting import APPROVER, grant
from installation import BUSINESS_LICENSE, FOOD, Installation, holder, installed
from licences_at_size import events, fill, row
from measuring import Measurement, percentile
from parts import POSTGRESQL, S3
from running import free_port
from sqlalchemy import insert, select

from licenses.grants.covering import running
from licenses.grants.services import end
from licenses.models import License, LicenseEvent
from portal.accounts.models import Client
from seals.models import Seal
from storage.database import UnitOfWork
from storage.ledger.canonical import Json, canonical

ON_SERVERS: Final = True
SERVICES: Final = Path(__file__).resolve().parents[2] / "scripts" / "services.sh"
PROOFS: Final = "/api/v1/proofs"
BATCH: Final = "/api/v1/proofs:batch"
CLIENTS: Final = (4, 32)
BATCHES: Final = ((1, 10), (1, 20), (1, 25), (2, 20), (1, 100))
"""Clients, and how many questions each asks in a call: what a system asks for its list of the day."""
SILENT: Final = 20
"""Questions in a call while object store and index are silent."""
SECONDS: Final = 5.0
CASES: Final = 50
CHUNK: Final = 400
"""Calls that are signed at once: they are sent long before they are a minute old."""
LICENCES: Final = int(os.environ.get("CUNZHENG_BENCH_LICENCES", "0"))
ALLOWED_P95, ALLOWED_P99 = 50.0, 150.0
ALLOWED_CPU: Final = 1.5
"""Milliseconds of the servers' processor for each decision."""
WANTED: Final = 500.0
_STARTED_WITHIN = 60.0
PLAIN: Final = 0.351
"""Milliseconds that one word took of the processor for which 1.5 was set (docs/performance.md)."""
Send = Callable[[http.client.HTTPConnection], None]
Connect = Callable[[], http.client.HTTPConnection]


@dataclass(frozen=True)
class Load:
    """What a load came to: milliseconds of each call, seconds, and processor of every side in seconds."""

    times: list[float]
    seconds: float
    served: float
    offered: float
    stored: float
    """What a database that is a server of its own took."""
    each: int = 1
    """Decisions in a call."""

    @property
    def decisions(self) -> int:
        return len(self.times) * self.each

    @property
    def rate(self) -> float:
        return self.decisions / self.seconds


def measure() -> Iterator[Measurement]:
    """Ask by ``POST /api/v1/proofs``; the reference is an answer of the same server that needs no record."""
    with (
        tempfile.TemporaryDirectory() as name,
        installed(Path(name), "sequencer", "serve", port=free_port()) as site,
    ):
        if LICENCES:
            fill(site, LICENCES)
        _cases(site)
        line = partial(_line, site)
        _wait(line, "/api/v1/ledger/key")
        system = Outside.of(site.settings.public_url, site.settings.data)
        _grant(site, system)
        _require_met(line(), system)
        plain: Send = lambda line: line.request("GET", "/api/v1/ledger/key")  # noqa: E731 # says what is sent
        read = _load(line, CLIENTS[0], lambda: [plain] * 4 * CHUNK)
        yield from _told_plain(_word())
        for clients in CLIENTS:
            asked = _load(line, clients, partial(_signed, system))
            yield from _told(f"decisions over HTTP, {clients} clients", asked, read)
        for clients, each in BATCHES:
            asked = _load(line, clients, partial(_signed_batches, system, each), each)
            yield from _told(f"decisions over HTTP, {clients} clients with {each} a call", asked, read)
        if S3 in os.environ:
            with _silent("minio", "elasticsearch"):
                asked = _load(line, CLIENTS[0], partial(_signed, system))
                batches = _load(line, 1, partial(_signed_batches, system, SILENT), SILENT)
            yield from _told("decisions over HTTP, object store and index silent", asked, read)
            yield from _told(f"the same with {SILENT} a call", batches, read)


def _cases(site: Installation) -> None:
    """Announce cases of as many holders, each of whom holds the business licence that the rule asks for."""
    now = site.rooms.clock.now()
    for number in range(CASES):
        who, stands = holder(number), LICENCES + number
        holder_id = site.announce(f"O-{number}", (who["scheme"], who["code"], who["name"]))
        with site.rooms.database.writing() as uow:
            seal = uow.session.scalars(select(Seal.id)).first()
            face = uow.secrets.encrypt(holder_id, canonical(BUSINESS_LICENSE["face"]))
            values = row(stands, now, face) | {"holder_id": holder_id, "seal_id": seal}
            uow.session.execute(insert(License), values)
            uow.session.execute(insert(LicenseEvent), next(events(stands, now)))


def _require_met(line: http.client.HTTPConnection, system: Outside) -> None:
    """See that what is measured establishes a proof: a decision that finds nothing costs less."""
    _call(system, PROOFS, _question(0))(line)
    answer = json.loads(line.getresponse().read())
    results = [one["result"] for one in answer["decision"]["requirements"]]
    assert results == ["MET", "UNKNOWN", "UNKNOWN"], results


def _word() -> Load:
    """Ask for one word of a bare application under the same server, one process and one thread of it."""
    port = free_port()
    server = ["gunicorn", "--threads", "1", "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", *server, "--chdir", str(Path(__file__).parent), "plain_web:app"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            line = partial(http.client.HTTPConnection, "127.0.0.1", port, timeout=30)
            _wait(line, "/")
            plain: Send = lambda one: one.request("GET", "/")  # noqa: E731 # says what is sent
            return _load(line, CLIENTS[0], lambda: [plain] * 4 * CHUNK)
        finally:
            process.terminate()


def _told_plain(word: Load) -> Iterator[Measurement]:
    each = 1000 * word.served / len(word.times)
    yield Measurement("one word of a bare application, processor", each, "ms", "where 1.5 was set", PLAIN)


@contextmanager
def _silent(*names: str) -> Iterator[None]:
    """Let servers stand still: they take connections and answer nothing."""
    # The main process of one only started the server.
    servers = [one for main in map(_main_process, names) for one in (main, *descendants(main))]
    for server in servers:
        os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        for server in servers:
            os.kill(server, signal.SIGCONT)


def _main_process(name: str) -> int:
    return int(subprocess.run([SERVICES, "pid", name], check=True, stdout=subprocess.PIPE).stdout)


def _told(name: str, asked: Load, read: Load) -> Iterator[Measurement]:
    reference = "GET of the ledger's key"
    p50, p95, p99 = (percentile(asked.times, share) for share in (0.5, 0.95, 0.99))
    served, offered = (1000 * used / asked.decisions for used in (asked.served, asked.offered))
    yield Measurement(name, asked.rate, "1/s", "wanted", WANTED)
    yield Measurement(f"{name}, read", asked.rate, "1/s", reference, read.rate)
    yield Measurement(f"{name}, p50", p50, "ms", reference, percentile(read.times, 0.5))
    yield Measurement(f"{name}, p95", p95, "ms", "allowed", ALLOWED_P95)
    yield Measurement(f"{name}, p99", p99, "ms", "allowed", ALLOWED_P99)
    yield Measurement(f"{name}, servers' processor", served, "ms", "allowed", ALLOWED_CPU)
    yield Measurement(f"{name}, load's processor", offered, "ms", "servers' processor", served)
    if asked.stored:
        stored = 1000 * asked.stored / asked.decisions
        yield Measurement(f"{name}, database's processor", stored, "ms", "servers' processor", served)


def _grant(site: Installation, system: Outside) -> None:
    """Let the client ask as often as it likes: what it has for a trial is used up in seconds."""

    def change(uow: UnitOfWork) -> None:
        client = uow.session.get_one(Client, system.client_id)
        for one in running(uow, (client.id, client.organisation)):
            end(uow, APPROVER, one)
        grant(uow, organisation=client.organisation, client_id=client.id, quota=1_000_000)

    site.rooms.database.write(change)


def _signed(system: Outside) -> list[Send]:
    """Sign some calls, each about another case than the one before."""
    made: list[Send] = []
    for number in range(CHUNK):
        made.append(_call(system, PROOFS, _question(number)))
    return made


def _signed_batches(system: Outside, each: int) -> list[Send]:
    """Sign some calls that ask about so many cases each."""
    starts = range(0, CHUNK, each)
    return [
        _call(system, BATCH, {"questions": [_question(start + place) for place in range(each)]})
        for start in starts
    ]


def _question(number: int) -> Json:
    case = {"source": "yctb", "number": f"O-{number % CASES}"}
    return {"case": case, "item": FOOD, "purpose": "accept", "requirements": []}


def _call(system: Outside, path: str, asked: Json) -> Send:
    body = json.dumps(asked).encode()
    return partial(_post, path=path, body=body, headers=system.headers(path, body))


def _post(line: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> None:
    line.request("POST", path, body, headers)


def _line(site: Installation) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(site.settings.host, site.settings.port, timeout=30)


def _wait(connect: Connect, path: str) -> None:
    end = time.monotonic() + _STARTED_WITHIN
    while True:
        line = connect()
        try:
            line.request("GET", path)
            assert line.getresponse().status == 200
        except OSError:
            assert time.monotonic() < end, "the web process does not answer"
            time.sleep(0.1)
        else:
            return
        finally:
            line.close()


def _load(connect: Connect, clients: int, chunk: Callable[[], Sequence[Send]], each: int = 1) -> Load:
    """Offer chunk after chunk, each made before the clock runs, until the clock has run long enough."""
    times: list[float] = []
    seconds = served = offered = stored = 0.0
    with ExitStack() as lines:
        open_ = [lines.enter_context(closing(connect())) for _ in range(clients)]
        while seconds < SECONDS:
            # Signed before the clock runs: what a caller spends on its signature is not ours.
            waiting = deque(chunk())
            used, kept, own, start = _servers(), _database(), time.process_time(), time.perf_counter()
            with ThreadPoolExecutor(clients) as pool:
                found = list(pool.map(partial(_offer, waiting), open_))
            seconds += time.perf_counter() - start
            offered += time.process_time() - own
            served += _servers() - used
            stored += _database() - kept
            times += [each for one in found for each in one]
    return Load(times, seconds, served, offered, stored, each)


def _servers() -> float:
    """Give the seconds of processor that the processes of the installation took."""
    return sum(descendants(os.getpid()).values())


def _database() -> float:
    """Give the seconds of processor that PostgreSQL took; it is no process of the installation."""
    return sum(descendants(_main_process("postgresql")).values()) if POSTGRESQL in os.environ else 0.0


def _offer(waiting: deque[Send], line: http.client.HTTPConnection) -> list[float]:
    """Send what waits, one after the other; give the milliseconds of every answer."""
    times: list[float] = []
    while True:
        try:
            send = waiting.popleft()
        except IndexError:
            return times
        start = time.perf_counter()
        send(line)
        answer = line.getresponse()
        text = answer.read()
        times.append((time.perf_counter() - start) * 1000)
        assert answer.status == 200, f"{answer.status} {text[:300]!r}"
