# SPDX-License-Identifier: Apache-2.0
"""The web process is restarted while a filing is being sent to it: a receipt, or no answer and nothing kept.

Either way the case is filed exactly once when the sender repeats what it has no receipt for.
"""

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from archive_line import picture
from city import MULTIPART, filing_body
from installation import Installation, Submissions, installed
from own_servers import until
from PIL import Image
from running import free_port
from sqlalchemy import func, select

from archive.models import Dossier, Filing, FilingState
from portal.processes import Children

pytestmark = pytest.mark.services

LEAVE_SECONDS = 1.0
PIECES = 20
PATIENCE = 60.0
WEB = "web"


@dataclass
class Desk:
    """An installation whose web process an operator restarts, and a sender with a slow line.

    Attributes:
        body: The filing of ``number``, with one material large enough to be on disk before it is all there.
    """

    site: Installation
    web: Children
    port: int
    number: str
    body: bytes

    def begin(self) -> socket.socket:
        """Send half of the filing, and wait until the process has begun to write it down."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        head = (
            f"POST /api/v1/cases/yctb/{self.number}/filings HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.site.cast.key}\r\n"
            f"Access-Operator: {self.site.cast.accounts['clerk']}\r\n"
            f"Content-Type: {MULTIPART}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        line.sendall(head.encode() + self.body[: len(self.body) // 2])
        until(lambda: self.uploads() > 0, PATIENCE, "the upload does not begin")
        return line

    def finish(self, line: socket.socket, seconds: float) -> tuple[int, bytes]:
        """Send the other half in pieces over some seconds; give status and receipt."""
        rest = self.body[len(self.body) // 2 :]
        size = len(rest) // PIECES + 1
        for at in range(0, len(rest), size):
            line.sendall(rest[at : at + size])
            threading.Event().wait(seconds / PIECES)
        return _answer(line)

    def send(self) -> tuple[int, bytes]:
        """Send the whole filing at once."""
        with self.begin() as line:
            return self.finish(line, 0.0)

    def end(self) -> None:
        """Tell the process to end, as an operator does; wait until it says so."""
        self.web.terminate(WEB)
        until(self.says_leaving, PATIENCE, "the process does not say that it leaves")

    def until_started_again(self, before: int) -> None:
        """Be its supervisor until a new process answers."""

        def again() -> bool:
            self.web.watch(time.monotonic)
            return self.web.pid_if_running(WEB) not in {before, None} and self.is_open()

        until(again, PATIENCE, "the process does not end and start again")

    def is_open(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def says_leaving(self) -> bool:
        line = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/readyz")
            return bool(json.loads(line.getresponse().read())["status"] == "leaving")
        finally:
            line.close()

    def uploads(self) -> int:
        """Give how many files of uploads lie in the staging folder with something in them."""
        return sum(path.stat().st_size > 0 for path in self.site.settings.staging.glob("upload-*"))

    def filings(self) -> int:
        with self.site.rooms.database.reading() as uow:
            return uow.session.scalar(select(func.count()).select_from(Filing)) or 0

    def check_filed_once(self) -> None:
        """Let the worker finish: one filing, filed, one dossier."""
        self.site.wait_for_steps(PATIENCE)
        with self.site.rooms.database.reading() as uow:
            assert list(uow.session.scalars(select(Filing.state))) == [FilingState.FILED]
            assert uow.session.scalar(select(func.count()).select_from(Dossier)) == 1


def _answer(line: socket.socket) -> tuple[int, bytes]:
    answer = HTTPResponse(line)
    answer.begin()
    return answer.status, answer.read()


def _large() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((1400, 1400), 90).convert("RGB").save(out, "PNG", dpi=(200, 200))
    return out.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    contents = [(_large(), "image/png", "png")]
    contents += [(picture(40 * place), "image/png", "png") for place in range(1, 5)]
    arrival = Submissions(tmp_path / "materials", contents).make("W-1")
    with installed(tmp_path / "data", "sequencer", "worker") as site:
        port = free_port()
        web = site.children({WEB: ["serve", "--port", str(port)]}, CUNZHENG_LEAVE_SECONDS=str(LEAVE_SECONDS))
        web.start(time.monotonic)
        made = Desk(site, web, port, "W-1", filing_body(arrival))
        try:
            until(made.is_open, PATIENCE, "the web process does not answer")
            yield made
        finally:
            web.stop()
        assert site.reports == [f"{WEB}: exit 0"]


def test_a_filing_that_is_being_sent_when_its_process_must_end_is_received_and_filed(desk: Desk) -> None:
    before = desk.web.pid(WEB)
    with desk.begin() as line:
        desk.end()
        status, receipt = desk.finish(line, LEAVE_SECONDS + 2)
    assert status == 202
    desk.until_started_again(before)
    assert desk.send() == (200, receipt), "the receipt of this very set"
    assert json.loads(receipt)
    desk.check_filed_once()


def test_a_filing_that_takes_longer_than_its_process_may_stay_leaves_nothing_and_is_sent_again(
    desk: Desk,
) -> None:
    before = desk.web.pid(WEB)
    with desk.begin() as line:
        desk.end()
        desk.until_started_again(before)
        with pytest.raises(OSError, match=r"(?i)reset|closed|broken pipe"):
            desk.finish(line, 0.0)
    assert desk.filings() == 0
    until(lambda: desk.uploads() == 0, PATIENCE, "what was cut off stays in the staging folder")
    status, receipt = desk.send()
    assert status == 202
    assert desk.send() == (200, receipt)
    desk.check_filed_once()
