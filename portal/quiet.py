# SPDX-License-Identifier: Apache-2.0
"""The web server's words about what is no request: the server's own repeat it, in its answer and in its log.

An answer here is a status and nothing else, and the connection ends; a log line names the kind of error.
"""

import socket
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.workers.gthread import ThreadWorker

_REFUSED: Final[tuple[tuple[type[Exception], HTTPStatus], ...]] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)

# By name: the library's types do not know them yet.
_OURS: Final = frozenset({"InvalidResponseHeader", "InvalidResponseHeaderName"})


def is_no_request(error: BaseException) -> bool:
    """Tell whether an error says that what came is no HTTP; reading a body may meet it, too."""
    return isinstance(error, errors.ParseException) and type(error).__name__ not in _OURS


class QuietWorker(ThreadWorker):
    """Serves with threads, and answers what is no request with a status alone."""

    def handle_error(
        self,
        req: Request | None,  # noqa: ARG002 # what was sent is not looked at
        client: socket.socket,
        addr: Any,  # noqa: ANN401, ARG002 # an address of any family
        exc: BaseException,
    ) -> None:
        """Answer and log by the kind of error; the server closes the connection."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        if is_no_request(exc):
            status = next(found for kind, found in _REFUSED if isinstance(exc, kind))
        self.log.warning("refused what is no request: %s, %d", type(exc).__name__, status)
        with suppress(OSError):
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            client.sendall(head.encode("ascii"))


class QuietLog(Logger):
    """Names the kind of an exception; its text and the address that was asked for may hold anything."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401, ARG002 # the base's signature
        """Log the kind of the exception that is being handled."""
        kind = sys.exc_info()[0]
        self.error_log.error("unexpected %s in the web server", kind.__name__ if kind else "nothing")
