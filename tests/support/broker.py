# SPDX-License-Identifier: Apache-2.0
"""The real broker as tests use it: queues of their own, and a line to it that can be cut or held."""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from kombu import Connection
from parts import RABBITMQ, delete_queues


class Broker:
    """Queues of one test on the server that the environment names.

    Attributes:
        url: The server's address.
        prefix: First part of the names of this test's exchange and queues.
    """

    def __init__(self) -> None:
        self.url = os.environ[RABBITMQ]
        self.prefix = f"test-{uuid.uuid4().hex}"

    def purge(self, name: str) -> int:
        """Throw the messages of a queue away; give their number."""
        with Connection(self.url) as connection:
            count: int = connection.default_channel.queue_purge(f"{self.prefix}.{name}")
        return count

    def bodies(self, name: str) -> list[bytes]:
        """Give the messages of a queue, and leave them there."""
        found = []
        with Connection(self.url) as connection:
            while message := connection.default_channel.basic_get(f"{self.prefix}.{name}"):
                found.append(message.body)
        return [body if isinstance(body, bytes) else body.encode() for body in found]

    def delete(self) -> None:
        """Remove exchange and queues."""
        delete_queues(self.prefix)


class Line:
    """A line on loopback to a server: what passes it can be cut off or held up.

    Args:
        url: The server's address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 0)
        self._door = socket.create_server(("127.0.0.1", 0))
        port = self._door.getsockname()[1]
        netloc = f"{parts.username}:{parts.password}@127.0.0.1:{port}"
        self.url = urlunsplit(parts._replace(netloc=netloc))
        self._passes = threading.Event()
        self._passes.set()
        self._open = True
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Let nothing pass, and close nothing: the server seems to have stopped."""
        self._passes.clear()

    def cut(self) -> None:
        """Close every connection and accept none: the server seems to be down."""
        self._open = False
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let everything pass again."""
        self._open = True
        self._passes.set()

    def close(self) -> None:
        """End the line."""
        self.cut()
        self._passes.set()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if not self._open:
                near.close()
                continue
            far = socket.create_connection(self._server)
            self._ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._passes.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def own_queues() -> Iterator[Broker]:
    """Give a test its own queues and remove them at the end."""
    broker = Broker()
    try:
        yield broker
    finally:
        broker.delete()
