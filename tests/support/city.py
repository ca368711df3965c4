# SPDX-License-Identifier: Apache-2.0
"""An installation on four real servers of a test's own, asked from outside while they fail."""

import http.client
import json
import re
import socket
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote

from calling import Outside
from installation import FOOD, Installation, Submissions, installed
from own_servers import Server, own_servers, until
from parts import own_city_settings
from running import free_port
from sqlalchemy import func, select

from archive.models import Filing, FilingState
from archive.staging import Arrival
from cases.models import Case
from licenses.models import Decision, License
from portal.accounts.rights import NewAccount, add_account
from portal.demo.figures import is_sequenced
from portal.steps import StepDesk, StepView
from storage.identity import Identity, Role, system_identity
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerEntry
from storage.steps import unfinished

DISKS: Final = {"postgresql": 160 << 20, "minio": 256 << 20}
OPEN: Final = "O-1"
PROCESSES: Final = ("serve", "sequencer", "worker")
PROMPT: Final = 5.0
"""Seconds within which somebody who asks has an answer, whatever part fails."""
_BOUNDARY: Final = "cunzheng-part"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_refusal(self, code: str) -> bool:
        """Tell whether it says in the agreed form that a part is away, and when to come again."""
        return (
            self.status == 503
            and int(self.headers["Retry-After"]) > 0
            and self.headers["Content-Type"] == "application/problem+json"
            and self.json["code"] == code
        )


@dataclass
class City:
    """The installation.

    Attributes:
        proved: Decisions that were answered with 200; each must be recorded.
    """

    site: Installation
    servers: Mapping[str, Server]
    submissions: Submissions
    licence: bytes = b""
    proved: list[str] = field(default_factory=list)

    @cached_property
    def system(self) -> Outside:
        return Outside.of(self.site.settings.public_url, self.site.settings.data)

    def prove(self) -> Answer:
        question = {"case": {"source": "yctb", "number": OPEN}, "item": FOOD, "purpose": "accept"}
        body = json.dumps(question | {"requirements": []}).encode()
        answer = self._send("POST", "/api/v1/proofs", body, "application/json")
        if answer.status == 200:
            self.proved.append(answer.headers["Location"].rpartition("/")[2])
        return answer

    def check(self) -> Answer:
        """Check the licence as anybody may."""
        body = multipart([("file", "licence.pdf", "application/pdf", self.licence)])
        return self._send("POST", "/api/v1/verifications", body, MULTIPART, key=False)

    def file(self, number: str) -> Answer:
        body = filing_body(self.submissions.make(number))
        return self._send("POST", f"/api/v1/cases/yctb/{number}/filings", body, MULTIPART)

    def offer(self, number: str) -> Answer:
        """Announce a large filing without sending a byte of it; give the answer that comes all the same."""
        head = (
            f"POST /api/v1/cases/yctb/{number}/filings HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.site.cast.key}\r\nAccess-Operator: {self._operator}\r\n"
            f"Content-Type: {MULTIPART}\r\nContent-Length: 40000000\r\n\r\n"
        )
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.site.settings.port), 30) as line:
            line.sendall(head.encode())
            answer = http.client.HTTPResponse(line)
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read(), time.monotonic() - begin)

    def search(self, text: str) -> Answer:
        return self.get(f"/api/v1/search?q={quote(text)}")

    def finds(self, text: str) -> bool:
        found = self.search(text)
        return found.status == 200 and found.json["total"] > 0

    def get(self, path: str) -> Answer:
        return self._send("GET", path)

    def parts(self) -> tuple[int, dict[str, str]]:
        """Give what a load balancer is told: status, and the parts that are away."""
        answer = self.get("/readyz")
        assert answer.seconds < PROMPT
        return answer.status, {part: code for part, code in answer.json["parts"].items() if code != "ok"}

    def until_away(self, *parts: str, status: int = 200) -> None:
        """Wait until exactly these parts are told to be away, to machines and to Prometheus alike."""
        until(lambda: set(self.parts()[1]) == set(parts), 20, f"{parts} are not told to be away", 0.3)
        assert self.parts()[0] == status
        for part in ("database", "ledger", "objects", "index", "broker"):
            assert self.figure(f'cunzheng_part_ready{{part="{part}"}}') == float(part not in parts)
        assert self.figure("cunzheng_ready") == float(status == 200)

    def until_whole(self) -> None:
        """Wait until every part is back and all that waited is done."""
        until(lambda: self.parts() == (200, {}), 60, "the parts are not told to be back", 0.3)
        until(self.is_done, 60, "work does not go on by itself")
        # What is away afterwards may be what gives tokens.
        self.system.renew()

    def heal(self) -> None:
        """Mend what an earlier test left broken when it failed."""
        for server in self.servers.values():
            if server.disk is not None:
                server.disk.free()
            if server.runs():
                server.thaw()
            else:
                server.restart()
        for name in PROCESSES:
            if name not in self.site.running:
                self.site.start(name)
        self.all_lives()
        self.site.reports.clear()

    def is_done(self) -> bool:
        with self.site.rooms.database.reading() as uow:
            left = unfinished(uow.session)
            assert not left.get("stuck")
            return not left and is_sequenced(uow)

    def figure(self, name: str) -> float | None:
        address = f"http://127.0.0.1:{self.site.settings.metrics_port}/metrics"
        with urllib.request.urlopen(address, timeout=10) as answer:
            found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
        return None if found is None else float(found[1])

    def is_filed(self, number: str) -> bool:
        with self.site.rooms.database.reading() as uow:
            query = select(Filing.state).join(Case, Case.id == Filing.case_id).where(Case.number == number)
            return uow.session.scalar(query) == FilingState.FILED

    def steps(self) -> list[StepView]:
        administrator = Identity("person", "test", "test", frozenset({Role.SYSTEM_ADMIN}))
        with self.site.rooms.database.reading() as uow:
            return list(StepDesk().list(uow, administrator, 100))

    def acts(self, *kinds: ActKind) -> int:
        with self.site.rooms.database.reading() as uow:
            query = select(func.count()).select_from(LedgerAct).where(LedgerAct.kind.in_(kinds))
            return uow.session.scalar(query) or 0

    def entries(self) -> int:
        with self.site.rooms.database.reading() as uow:
            return uow.session.scalar(select(func.count()).select_from(LedgerEntry)) or 0

    def browser(self, role: Role) -> urllib.request.OpenerDirector:
        """Give a browser in which a new person is signed in."""
        test, rooms = system_identity("test"), self.site.rooms
        with rooms.database.writing() as uow:
            new = NewAccount(name="测试员", organisation="scjg", roles=frozenset({role}))
            token = rooms.accounts.login_link(uow, test, add_account(uow, test, new).id)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        address = f"{self.site.settings.public_url}/sign-in/{token}"
        found = re.search(r'name="form_token" value="(\w+)"', opener.open(address).read().decode())
        assert found is not None
        opener.open(address, f"form_token={found[1]}".encode())
        return opener

    def page(self, browser: urllib.request.OpenerDirector, path: str) -> Answer:
        begin = time.monotonic()
        try:
            answer = browser.open(f"{self.site.settings.public_url}{path}", timeout=30)
        except HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.headers, answer.read(), time.monotonic() - begin)

    def all_lives(self) -> bool:
        """Tell whether no process of the installation ended."""
        for child in self.site.running.values():
            child.watch(self.site.rooms.clock.monotonic)
        return self.site.reports == []

    def unrecorded(self) -> set[str]:
        """Give the decisions that were answered and are not recorded."""
        with self.site.rooms.database.reading() as uow:
            return set(self.proved) - set(uow.session.scalars(select(Decision.id)))

    @property
    def _operator(self) -> str:
        return self.site.cast.accounts[Role.CLERK]

    def _send(
        self, method: str, path: str, body: bytes | None = None, media_type: str = "", *, key: bool = True
    ) -> Answer:
        headers = {"Accept-Language": "zh"} | ({"Content-Type": media_type} if body is not None else {})
        if key:
            headers |= {"Authorization": f"Bearer {self.site.cast.key}", "Access-Operator": self._operator}
        if key and path == "/api/v1/proofs" and body is not None:
            # Whose names are small letters: none of the others may stand beside them.
            headers = {"Accept-Language": "zh"} | self.system.headers(path, body)
        line = http.client.HTTPConnection("127.0.0.1", self.site.settings.port, timeout=60)
        begin = time.monotonic()
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read(), time.monotonic() - begin)
        finally:
            line.close()


MULTIPART: Final = f"multipart/form-data; boundary={_BOUNDARY}"


def multipart(parts: list[tuple[str, str, str, bytes]]) -> bytes:
    """Give a form of file parts: name, file name, media type, bytes."""
    made = b""
    for name, file_name, media_type, data in parts:
        made += (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n"
        ).encode()
        made += data + b"\r\n"
    return made + f"--{_BOUNDARY}--\r\n".encode()


def filing_body(arrival: Arrival) -> bytes:
    """Give a filing as it is sent, of media type ``MULTIPART``."""
    parts = [("metadata", "metadata.json", "application/json", arrival.metadata)]
    for one in arrival.submission.materials:
        data = arrival.files[one.part].path.read_bytes()
        parts.append((one.part, one.file_name, one.media_type, data))
    return multipart(parts)


@contextmanager
def city_of_our_own(folder: Path) -> Iterator[City]:
    """Start servers and processes; file the case that grants a licence, and announce one to ask about."""
    submissions = Submissions(folder / "materials")
    with own_servers(("elasticsearch", "rabbitmq", "postgresql", "minio"), DISKS) as servers:
        addresses = dict(server.address() for server in servers.values())
        settings = own_city_settings(addresses) | {"CUNZHENG_METRICS_PORT": str(free_port())}
        with installed(folder / "data", *PROCESSES, parts=settings, port=free_port()) as site:
            made = City(site, servers, submissions)
            site.file(submissions.business("B-1"))
            site.announce(OPEN)
            until(lambda: _serves(site), 60, "the web process does not answer")
            # The first answer of processes that have just begun tells nothing of how prompt they are.
            made.get("/readyz")
            made.until_whole()
            made.licence = _licence(site)
            yield made


def _serves(site: Installation) -> bool:
    try:
        socket.create_connection(("127.0.0.1", site.settings.port), 1).close()
    except OSError:
        return False
    return True


def _licence(site: Installation) -> bytes:
    with site.rooms.database.reading() as uow:
        sha256 = uow.session.scalars(select(License.object_sha256)).one()
    assert sha256 is not None
    return site.rooms.objects.read(sha256)
