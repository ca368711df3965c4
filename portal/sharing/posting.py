# SPDX-License-Identifier: Apache-2.0
"""Sends messages to subscribers: bounded in time and size, no redirect followed, nothing of an answer kept.

What a receiver says in words is never read on: it may hold anything. Its status counts, and ``Retry-After``.
"""

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from http.client import HTTPException
from typing import Final

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from licenses.sharing.errors import EndpointRefusedError
from licenses.sharing.ports import Answer, Line
from licenses.sharing.schedule import asked_to_wait
from portal.sharing.addresses import Reach
from portal.sharing.connecting import connection_to, cut_off_after
from portal.version import VERSION
from storage.clock import Clock

ANSWER_SECONDS: Final = 10.0
LARGEST_ANSWER: Final = 16 * 1024
_PART: Final = 4096
_BROKEN_OFF: Final = "broken-off"
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
        self._tried: HTTPConnection | None = None
        self._target, self._own = "/", dict[str, str]()

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one message and wait for its answer, in bounded time; raises nothing of the network's."""
        kept = self._connection
        answer = self._try(headers, body)
        if answer.problem == _BROKEN_OFF and kept is not None and kept is self._tried:
            # The receiver may have closed a connection that was kept; that says nothing of this message.
            return self._try(headers, body)
        return answer

    def _try(self, headers: Mapping[str, str], body: bytes) -> Answer:
        with cut_off_after(self._seconds, lambda: self._tried) as over:
            try:
                answer = self._exchange(headers, body)
            except EndpointRefusedError:
                answer = self._broken("address-refused")
            except TimeoutError:
                answer = self._broken("time-out")
            except _NO_ANSWER as error:
                answer = self._broken(_problem(error, connected=self._connection is not None))
        return self._broken("time-out") if over.is_set() else answer

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = self._connected()
        connection.request(
            "POST", self._target, body, dict(headers) | self._own, preload_content=False, decode_content=False
        )
        answer = connection.getresponse()
        status, wait = answer.status, asked_to_wait(answer.headers.get("Retry-After"), self._clock.now())
        read = 0
        while read <= LARGEST_ANSWER and (part := answer.read(_PART)):
            read += len(part)
        if read > LARGEST_ANSWER or answer.headers.get("Connection", "").lower() == "close":
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
        connection = self._tried = connection_to(self._reach, endpoint, lambda: self._context, self._seconds)
        connection.connect()
        connection.timeout = self._seconds
        self._connection = connection
        return connection

    def _broken(self, problem: str) -> Answer:
        self.close()
        log.info("a subscriber's endpoint does not answer: %s", problem)
        return Answer(0, problem)


def _problem(error: Exception, *, connected: bool) -> str:
    if isinstance(error, ssl.SSLError | SSLError):
        return "tls"
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return "time-out"
    return _BROKEN_OFF if connected else "no-connection"
