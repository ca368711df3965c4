# SPDX-License-Identifier: Apache-2.0
"""Bytes that are no requests, sent to the real web process: smuggling, lengths, headers beyond all measure.

The process answers each with one status and goes on; its log file holds nothing of what was sent.
"""

import errno
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import COMMAND, environment_of, free_port, wait_for

from .calls import filled
from .filings import FORM, Filing, Part, body_of, multipart
from .ground import CLOSED_CASE, MOST_CHECKED, Ground, mark_of, nothing_told

_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})", re.M)
_BUFFERED = 16_384
_HUNG_UP = {errno.ENOTCONN, errno.ECONNRESET, errno.EPIPE}


@dataclass(frozen=True, slots=True)
class Server:
    """The web process: where it answers, and where it writes."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def send(self, data: bytes, *, close: bool = True) -> bytes:
        """Send bytes on a connection of their own and give everything that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as connection:
            # A server that refuses early resets the connection, at whichever step this side is by then;
            # what it said before may still lie in the buffer.
            try:
                connection.sendall(data)
                if close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError as error:
                if error.errno not in _HUNG_UP:
                    raise
            return _received(connection)

    def lives(self) -> bool:
        return self.process.poll() is None and _STATUS.findall(self.send(get("/healthz"))) == [b"200"]


def _received(connection: socket.socket) -> bytes:
    told = bytearray()
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            told += part
    return bytes(told)


def get(path: str, headers: str = "", *, version: str = "HTTP/1.1", host: str = "Host: x\r\n") -> bytes:
    return f"GET {path} {version}\r\n{host}Connection: close\r\n{headers}\r\n".encode("latin-1")


def post(headers: str, body: bytes, path: str = "/api/v1/verifications") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode("latin-1") + body


@pytest.fixture(scope="module")
def server(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    limits = {
        "CUNZHENG_MAX_VERIFICATION": str(MOST_CHECKED),
        "CUNZHENG_THREADS": "4",
        "CUNZHENG_PUBLIC_RATE": "9999",
    }
    log = tmp_path_factory.mktemp("server") / "web.log"
    with log.open("wb") as output:
        environment = environment_of(ground.settings.data, address) | limits
        process = subprocess.Popen([COMMAND, "serve"], env=environment, stdout=output, stderr=output)
        try:
            wait_for(lambda: _listens(port), process)
            yield Server(port, log, process)
        finally:
            process.terminate()
            process.wait(30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


HIDDEN = b"GET /api/v1/{mark} HTTP/1.1\r\nHost: x\r\n\r\n"
JSON = "Content-Type: application/json\r\n"
CHUNKED = f"Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n"

REQUESTS: list[tuple[str, bytes, list[int]]] = [
    (
        "a length and chunks",
        post(f"{JSON}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN),
        [400],
    ),
    (
        "chunks and a length",
        post(f"{JSON}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + HIDDEN),
        [400],
    ),
    ("two lengths", post(f"{JSON}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n", HIDDEN), [400]),
    ("two lengths in one", post(f"{JSON}Content-Length: 0, {len(HIDDEN)}\r\n", HIDDEN), [400]),
    ("a length below nothing", post(f"{JSON}Content-Length: -1\r\n", HIDDEN), [400]),
    ("a length with a sign", post(f"{JSON}Content-Length: +5\r\n", HIDDEN), [400]),
    ("a length in other digits", post(f"{JSON}Content-Length: 0x10\r\n", HIDDEN), [400]),
    ("a length of ten thousand digits", post(f"{JSON}Content-Length: {'9' * 5_000}\r\n", HIDDEN), [400]),
    ("a transfer coding that is not there", post(f"{JSON}Transfer-Encoding: {{mark}}\r\n", HIDDEN), [501]),
    (
        "chunks called twice",
        post(f"{JSON}Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n" + HIDDEN),
        [400],
    ),
    (
        "chunks called with a tab",
        post(f"{JSON}Transfer-Encoding:\tchunked\x0b\r\n", b"0\r\n\r\n" + HIDDEN),
        [400],
    ),
    ("chunks spelled apart", post(f"{JSON}Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + HIDDEN), [400]),
    ("a chunk of no size", post(CHUNKED, b"{mark}\r\n" + HIDDEN), [400]),
    ("a chunk below nothing", post(CHUNKED, b"-1\r\n" + HIDDEN), [400]),
    ("a chunk that is larger than it says", post(CHUNKED, b"1\r\n{mark}\r\n0\r\n\r\n"), [400]),
    ("a chunk with an extension", post(CHUNKED, b'1;{mark}="\n"\r\na\r\n0\r\n\r\n'), [400]),
    ("a chunk that never comes", post(CHUNKED, b"ffff\r\n{mark}"), [400]),
    ("a header that goes on", get("/healthz", "X-A: b\r\n c{mark}\r\n"), [400]),
    ("a header with a blank before its colon", get("/healthz", "X-{mark} : a\r\n"), [400]),
    ("a header without a colon", get("/healthz", "{mark}\r\n"), [400]),
    ("a header without a name", get("/healthz", ": {mark}\r\n"), [400]),
    ("a header with NUL", get("/healthz", "X-A: {mark}\0\r\n"), [400]),
    ("a header with a bare return", get("/healthz", "X-A: {mark}\rX-B: c\r\n"), [400]),
    (
        "a header of a hundred thousand characters",
        get("/healthz", "X-A: {mark}" + "a" * 100_000 + "\r\n"),
        [431],
    ),
    ("a thousand headers", get("/healthz", "".join(f"X-{n}: {{mark}}\r\n" for n in range(1_000))), [431]),
    ("headers with underscores", get("/healthz", "X_Forwarded_For: {mark}\r\nContent_Length: 5\r\n"), [200]),
    (
        "a forwarded scheme that is none",
        get("/healthz", "X-Forwarded-Proto: {mark}\r\nX-Forwarded-Ssl: on\r\n"),
        [400],
    ),
    ("an expectation that is none", get("/healthz", "Expect: {mark}\r\n"), [417]),
    ("two hosts", get("/healthz", "Host: {mark}.invalid\r\n"), [400]),
    ("no host", get("/healthz", host=""), [200]),
    ("an address of another host", get("http://{mark}.invalid/healthz"), [200]),
    ("an address that is none", get("{mark}"), [400]),
    ("an address with a blank", get("/healthz {mark}"), [400]),
    ("an address with NUL", get("/healthz\0{mark}"), [400]),
    ("an address of a hundred thousand characters", get("/" + "a" * 100_000 + "{mark}"), [414]),
    ("a fragment", get("/healthz#{mark}"), [200]),
    ("a method of small letters", get("/healthz").replace(b"GET", b"get"), [400]),
    ("a method that nobody has", get("/healthz").replace(b"GET", b"{mark}"), [400]),
    ("a tunnel", get("{mark}.invalid:443").replace(b"GET", b"CONNECT"), [404]),
    ("a version to come", get("/healthz", version="HTTP/9.9"), [400]),
    ("a version that is none", get("/healthz", version="HTTP/{mark}"), [400]),
    ("no version", b"GET /{mark}\r\n\r\n", [400]),
    ("the preface of another version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{mark}", [400]),
    ("a greeting of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03{mark}\r\n\r\n", [400]),
    ("a proxy's line", b"PROXY TCP4 1.2.3.4 5.6.7.8 9 {mark}\r\n" + get("/healthz"), [400]),
    ("bare line ends", b"GET /healthz HTTP/1.1\nHost: {mark}\n\n", [400]),
    ("rubbish", bytes(range(1, 256)) * 4 + b"{mark}\r\n\r\n", [400]),
    ("nothing", b"", []),
    ("half a line", b"GET /{mark}", []),
    ("half a head", b"GET /healthz HTTP/1.1\r\nHost: {mark}", []),
    ("half a body", post(f"{JSON}Content-Length: 1000\r\n", b'{"{mark}"'), [415]),
    (
        "half a form",
        post(f"Content-Type: {FORM}\r\nContent-Length: 5000\r\n", multipart([Part("file", b"{mark}")])[:90]),
        [400],
    ),
]


@pytest.mark.parametrize(("name", "data", "statuses"), REQUESTS, ids=[one[0] for one in REQUESTS])
def test_hostile_bytes(ground: Ground, server: Server, name: str, data: bytes, statuses: list[int]) -> None:
    mark = mark_of(name)
    with ground.watched(mark):
        told = server.send(filled(data, mark))
        found = [int(status) for status in _STATUS.findall(told)]
        # Who is not listened to any more may lose the answer together with the connection.
        assert found == statuses or (len(data) > _BUFFERED and not found), told[:300]
    nothing_told(mark, told.decode("latin-1"), "the answer")
    nothing_told(mark, server.log.read_text("utf-8", "replace"), "the log file")


def test_more_than_is_taken_is_refused_while_it_is_sent(ground: Ground, server: Server) -> None:
    mark = mark_of("too much in chunks")
    chunk = b"%x\r\n%b\r\n" % (1 << 20, mark.encode() * (1 << 16))
    head = multipart([Part("file", b"")]).split(b"\r\n--")[0]
    with ground.watched(mark):
        told = server.send(post(CHUNKED, b"%x\r\n%b\r\n" % (len(head), head) + chunk * 4))
    assert _STATUS.findall(told) in ([b"413"], [])
    assert server.lives()


def test_an_upload_that_breaks_off_leaves_nothing(ground: Ground, server: Server) -> None:
    mark = mark_of("a filing that breaks off")
    filing = Filing(
        name="x", status=0, code=None, number=CLOSED_CASE, parts=[Part("m0", b"%PDF" + bytes(300_000))]
    )
    body = body_of(filing, mark)
    # A token is good for the address that gave it; the shared key of a system without one is not bound.
    headers = f"Authorization: Bearer {ground.keys['filer']}\r\nContent-Type: {FORM}\r\n"
    path = f"/api/v1/cases/ycsl/{CLOSED_CASE}/filings"
    request = post(f"{headers}Content-Length: {len(body)}\r\n", body, path)
    with ground.watched(mark):
        for cut in (200, 250_000, len(body) - 10):
            told = server.send(request[: len(request) - len(body) + cut])
            assert _STATUS.findall(told) in ([b"400"], [])
    assert server.lives()


def test_the_process_lives_and_its_log_tells_nothing(ground: Ground, server: Server) -> None:
    told = server.log.read_text("utf-8", "replace")
    assert server.lives()
    assert "Traceback" not in told
    nothing_told("zq", re.sub(r"[\w/.-]*/data\S*", "", told), "the log file")
