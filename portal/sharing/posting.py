# SPDX-License-Identifier: Apache-2.0
"""Sends messages to subscribers: bounded in time and size, no redirect followed, nothing of an answer kept.

What a receiver says in words is never read on: it may hold anything. Its status counts, and ``Retry-After``.
"""

import logging
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from http.client import HTTPException
from typing import Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from licenses.sharing.errors import EndpointRefusedError
from licenses.sharing.ports import Answer, Line
from licenses.sharing.schedule import asked_to_wait
from portal.sharing.addresses import Endpoint, Reach
from portal.version import VERSION
from storage.clock import Clock

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
LARGEST_ANSWER: Final = 16 * 1024
_NO_ANSWER: Final = (HTTPError, HTTPException, OSError)

log = logging.getLogger("cunzheng.sharing")


class HttpSender:
    """Posts messages.

    Args:
        reach: Says where to.
        clock: What dates in ``Retry-After`` are compared with.
        seconds: How long one message may take, from connecting to the last byte of the answer.
        trust: Whose certificates count; the system's when there is none.
    """

    def __init__(
        self, reach: Reach, clock: Clock, seconds: float = ANSWER_SECONDS, trust: ssl.SSLContext | None = None
    ) -> None:
        self._reach = reach
        self._clock = clock
        self._seconds = seconds
        self._trust = trust

    def check(self, endpoint: str) -> None:
        """Refuse an address to which nothing may be sent, as far as it shows without asking anybody.

        Raises:
            EndpointRefusedError: It may not.
        """
        self._reach.taken_apart(endpoint)

    def line(self, endpoint: str) -> AbstractContextManager[Line]:
        """Open a line to an endpoint; what is wrong with the endpoint shows at the first message."""
        return self._open(endpoint)

    @contextmanager
    def _open(self, endpoint: str) -> Iterator[Line]:
        line = _HttpLine(self._reach, self._clock, endpoint, self._seconds, self._context)
        try:
            yield line
        finally:
            line.close()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()


class _HttpLine:
    """A connection to one endpoint, opened at the first message and again after a failure."""

    def __init__(
        self, reach: Reach, clock: Clock, endpoint: str, seconds: float, context: ssl.SSLContext
    ) -> None:
        self._reach = reach
        self._clock = clock
        self._address = endpoint
        self._seconds = seconds
        self._context = context
        self._connection: HTTPConnection | None = None
        self._target, self._own = "/", dict[str, str]()

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one message and wait for its answer, in bounded time; raises nothing of the network's."""
        try:
            connection = self._connected()
        except EndpointRefusedError:
            return Answer(0, "address-refused")
        except ssl.SSLError:
            return self._broken("tls")
        except _NO_ANSWER as error:
            return self._broken("tls" if _is_tls(error) else "no-connection")
        watch = threading.Timer(self._seconds, _cut, (connection,))
        watch.start()
        try:
            return self._exchange(connection, headers, body)
        except TimeoutError:
            return self._broken("time-out")
        except _NO_ANSWER:
            return self._broken("broken-off" if watch.is_alive() else "time-out")
        finally:
            watch.cancel()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, connection: HTTPConnection, headers: Mapping[str, str], body: bytes) -> Answer:
        connection.request(
            "POST", self._target, body, dict(headers) | self._own, preload_content=False, decode_content=False
        )
        answer = connection.getresponse()
        status, wait = answer.status, asked_to_wait(answer.headers.get("Retry-After"), self._clock.now())
        read = answer.read(LARGEST_ANSWER + 1)
        if len(read) > LARGEST_ANSWER or answer.headers.get("Connection", "").lower() == "close":
            # Whoever says more than an acknowledgement is not listened to.
            self.close()
        if 200 <= status < 300:
            return Answer(status)
        return Answer(status, "gone" if status == 410 else f"http-{status}", wait)

    def _connected(self) -> HTTPConnection:
        if self._connection is not None and not self._connection.is_closed and self._connection.is_connected:
            return self._connection
        self.close()
        endpoint = self._reach.taken_apart(self._address)
        self._target = endpoint.target
        self._own = {"Host": endpoint.authority, "User-Agent": f"cunzheng/{VERSION}"}
        connection = self._made(endpoint, self._reach.address_of(endpoint))
        connection.connect()
        connection.timeout = self._seconds
        self._connection = connection
        return connection

    def _made(self, endpoint: Endpoint, address: str) -> HTTPConnection:
        timeout = min(CONNECT_SECONDS, self._seconds)
        if not endpoint.secure:
            return HTTPConnection(address, endpoint.port, timeout=timeout)
        return HTTPSConnection(
            address,
            endpoint.port,
            timeout=timeout,
            ssl_context=self._context,
            server_hostname=endpoint.host,
            assert_hostname=endpoint.host,
        )

    def _broken(self, problem: str) -> Answer:
        self.close()
        log.info("a subscriber's endpoint does not answer: %s", problem)
        return Answer(0, problem)


def _cut(connection: HTTPConnection) -> None:
    """End a connection from another thread: what waits for it is told so."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(2)


def _is_tls(error: BaseException) -> bool:
    return isinstance(error.__cause__, ssl.SSLError) or "SSL" in type(error).__name__
