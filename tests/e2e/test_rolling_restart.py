# SPDX-License-Identifier: Apache-2.0
"""Two web processes are restarted in turn while callers go on asking: nobody is refused.

Callers reach them as behind a load balancer: it looks at ``/readyz`` and keeps its connections open.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from calling import Outside
from installation import FOOD, Installation, installed
from running import free_port
from sqlalchemy import func, select

from licenses.models import Decision
from portal.processes import Children

pytestmark = pytest.mark.services

CALLERS = 4
LOOK_SECONDS = 0.1
LEAVE_SECONDS = 1.0
PATIENCE = 60.0


@dataclass
class Balancer:
    """Sends each request to a process that was ready a moment ago."""

    ports: list[int]
    ready: frozenset[int] = frozenset()
    seen_leaving: set[int] = field(default_factory=set)
    done: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self.done.wait(LOOK_SECONDS):
            self.ready = frozenset(port for port in self.ports if self._is_ready(port))

    def _is_ready(self, port: int) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            line.request("GET", "/readyz")
            answer = line.getresponse()
            if json.loads(answer.read())["status"] == "leaving":
                self.seen_leaving.add(port)
        except OSError:
            return False
        else:
            return answer.status == 200
        finally:
            line.close()

    def wait_for(self, *ports: int) -> None:
        end = time.monotonic() + PATIENCE
        while not self.ready.issuperset(ports):
            assert time.monotonic() < end, "a web process does not become ready"
            self.done.wait(LOOK_SECONDS)


PROOFS = "/api/v1/proofs"


@dataclass
class Callers:
    """Ask without a pause, each over connections that stay open."""

    site: Installation
    balancer: Balancer
    answered: list[tuple[int, int]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        question = {"case": {"source": "yctb", "number": "O-1"}, "item": FOOD, "purpose": "accept"}
        self._body = json.dumps(question | {"requirements": []}).encode()
        self._system = Outside.of(self.site.settings.public_url, self.site.settings.data)

    def call(self, number: int) -> None:
        with ExitStack() as closing:
            self._call(number, closing)

    def _call(self, turn: int, closing: ExitStack) -> None:
        lines: dict[int, http.client.HTTPConnection] = {}
        while not self.done.is_set():
            ready = self.balancer.ready
            for gone in set(lines) - ready:
                lines.pop(gone).close()
            port = sorted(ready)[turn % len(ready)]
            turn += 1
            if port not in lines:
                lines[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                closing.callback(lines[port].close)
            line = lines[port]
            try:
                headers = self._system.headers(PROOFS, self._body, f"http://127.0.0.1:{port}")
                line.request("POST", PROOFS, self._body, headers)
                answer = line.getresponse()
                answer.read()
            except OSError as error:
                self.broken.append(f"{port}: {error!r}")
            else:
                self.answered.append((port, answer.status))


@contextmanager
def running(*work: threading.Thread, done: threading.Event) -> Iterator[None]:
    for one in work:
        one.start()
    try:
        yield
    finally:
        done.set()
        for one in work:
            one.join()


def restart(web: Children, name: str, within: float) -> None:
    """Ask a process to end as an operator does; its parent starts it again."""
    before, end = web.pid(name), time.monotonic() + within
    web.terminate(name)
    while web.pid_if_running(name) in {before, None}:
        assert time.monotonic() < end, f"{name} does not end"
        web.watch(time.monotonic)
        threading.Event().wait(LOOK_SECONDS)


def test_nobody_is_refused_while_web_processes_are_restarted_in_turn(tmp_path: Path) -> None:
    with installed(tmp_path / "data", "sequencer") as site:
        site.announce("O-1")
        ports = {"web-a": free_port(), "web-b": free_port()}
        web = site.children(
            {name: ["serve", "--port", str(port)] for name, port in ports.items()},
            CUNZHENG_LEAVE_SECONDS=str(LEAVE_SECONDS),
        )
        web.start(time.monotonic)
        balancer = Balancer(list(ports.values()))
        try:
            with running(threading.Thread(target=balancer.look), done=balancer.done):
                balancer.wait_for(*ports.values())
                callers = Callers(site, balancer)
                threads = [threading.Thread(target=callers.call, args=(number,)) for number in range(CALLERS)]
                with running(*threads, done=callers.done):
                    for name, port in ports.items():
                        restart(web, name, PATIENCE)
                        balancer.wait_for(port)
        finally:
            web.stop()
        assert callers.broken == []
        assert {status for _, status in callers.answered} == {200}
        assert {port for port, _ in callers.answered} == set(ports.values())
        assert balancer.seen_leaving == set(ports.values())
        assert site.reports == [f"{name}: exit 0" for name in ports]
        with site.rooms.database.reading() as uow:
            assert uow.session.scalar(select(func.count()).select_from(Decision)) == len(callers.answered)
