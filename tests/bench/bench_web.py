# SPDX-License-Identifier: Apache-2.0
"""Decisions over HTTP: the real web and sequencer processes, four clients that keep their connections."""

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from calling import Outside
from installation import FOOD, Installation, installed
from measuring import Measurement, percentile
from running import free_port

ON_SERVERS: Final = True
PROOFS: Final = "/api/v1/proofs"
CLIENTS, SECONDS = 4, 5.0
MOST_CALLS: Final = 6000
ALLOWED_P95 = 50.0
_STARTED_WITHIN = 60.0


def measure() -> Iterator[Measurement]:
    """Ask by ``POST /api/v1/proofs``; the reference is an answer of the same server that needs no record."""
    with (
        tempfile.TemporaryDirectory() as name,
        installed(Path(name), "sequencer", "serve", port=free_port()) as site,
    ):
        site.announce("O-1")
        _wait(site)
        system = Outside.of(site.settings.public_url, site.settings.data)
        question = {"case": {"source": "yctb", "number": "O-1"}, "item": FOOD, "purpose": "accept"}
        body = json.dumps(question | {"requirements": []}).encode()
        plain = _load(site, lambda line: line.request("GET", "/api/v1/ledger/key"))
        # Signed before the clock runs: what a caller spends on its signature is not ours.
        signed = iter([system.headers(PROOFS, body) for _ in range(MOST_CALLS)])
        asked = _load(site, lambda line: line.request("POST", PROOFS, body, next(signed)))
    reference = "GET of the ledger's key"
    yield Measurement("decisions over HTTP", len(asked) / SECONDS, "1/s", reference, len(plain) / SECONDS)
    yield Measurement(
        "decisions over HTTP, p50", percentile(asked, 0.5), "ms", reference, percentile(plain, 0.5)
    )
    yield Measurement("decisions over HTTP, p95", percentile(asked, 0.95), "ms", "allowed", ALLOWED_P95)


def _line(site: Installation) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(site.settings.host, site.settings.port, timeout=30)


def _wait(site: Installation) -> None:
    end = time.monotonic() + _STARTED_WITHIN
    while True:
        line = _line(site)
        try:
            line.request("GET", "/api/v1/ledger/key")
            assert line.getresponse().status == 200
        except OSError:
            assert time.monotonic() < end, "the web process does not answer"
            time.sleep(0.1)
        else:
            return
        finally:
            line.close()


def _load(site: Installation, send: Callable[[http.client.HTTPConnection], None]) -> list[float]:
    """Give the milliseconds of every answer within ``SECONDS``."""
    times: list[float] = []
    bad: list[str] = []
    end = time.monotonic() + SECONDS

    def work() -> None:
        line = _line(site)
        while time.monotonic() < end and not bad:
            start = time.perf_counter()
            send(line)
            answer = line.getresponse()
            text = answer.read()
            times.append((time.perf_counter() - start) * 1000)
            if answer.status != 200:
                bad.append(f"{answer.status} {text[:300]!r}")
        line.close()

    clients = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not bad, bad
    return times
