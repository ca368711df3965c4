# SPDX-License-Identifier: Apache-2.0
"""A subscriber's receiver on loopback, well or ill as it is told; as a program it can be killed.

Arguments: port, file to which what it has is appended. It says it has a message only when that is durable.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Receiver:
    """What a receiver does with messages.

    Attributes:
        file: Where what it has is kept.
        moods: What it does with the next messages; ``well`` when the list is empty.
        seen: Path and headers of each message that reached it.
        free: Lets go whoever was kept waiting.
    """

    file: Path
    moods: list[str] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)

    def kept(self) -> list[dict[str, Any]]:
        """Give the messages that it has: headers, body, in the order of their coming."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        return [json.loads(line) for line in lines]

    def order(self) -> dict[str, list[int]]:
        """Give the sequence numbers that it has, by licence or rung."""
        found: dict[str, list[int]] = {}
        for one in self.kept():
            data = json.loads(one["body"])["data"]
            found.setdefault(data.get("rung") or data["licence"], []).append(data["sequence"])
        return found

    def keep(self, headers: dict[str, str], body: bytes) -> None:
        with self.file.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"headers": headers, "body": body.decode()}) + "\n")
            handle.flush()
            os.fsync(handle.fileno())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.receiver.seen.append((f"GET {self.path}", {}))
        self._answer(200)

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.seen.append((self.path, headers))
        mood = self.receiver.moods.pop(0) if self.receiver.moods else "well"
        if mood == "lie":
            self.close_connection = True
            self._answer(200)
            return
        body = self.rfile.read(int(headers["content-length"]))
        if mood in {"well", "huge", "cut"}:
            self.receiver.keep(headers, body)
        getattr(self, f"_{mood}")()

    def _well(self) -> None:
        self._answer(204)

    def _fail(self) -> None:
        self._answer(500)

    def _refuse(self) -> None:
        self._answer(422)

    def _busy(self) -> None:
        self._answer(429, {"Retry-After": "60"})

    def _gone(self) -> None:
        self._answer(410)

    def _redirect(self) -> None:
        self._answer(307, {"Location": "/elsewhere"})

    def _slow(self) -> None:
        self.receiver.free.wait(20)
        self.close_connection = True

    def _drip(self) -> None:
        self.close_connection = True
        with_one = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 4000
        for byte in with_one:
            if self.receiver.free.wait(0.02):
                return
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:
                return

    def _garbage(self) -> None:
        self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n" * 20)
        self.close_connection = True

    def _huge(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while not self.receiver.free.is_set():
                self.wfile.write(b"x" * 65536)
        except OSError:
            return

    def _cut(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        self.close_connection = True

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A sender that hangs up is what the tests are about."""


def make_server(receiver: Receiver, port: int = 0) -> _Server:
    """Make a server that listens on loopback; the caller serves and closes it."""
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    return _Server(("127.0.0.1", port), handler)


@contextmanager
def serving(receiver: Receiver) -> Iterator[str]:
    """Serve in a thread; give the address."""
    server = make_server(receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/events"
    finally:
        receiver.free.set()
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    made = make_server(Receiver(Path(sys.argv[2])), int(sys.argv[1]))
    print("ready", flush=True)
    made.serve_forever()
