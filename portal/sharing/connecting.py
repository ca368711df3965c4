# SPDX-License-Identifier: Apache-2.0
"""Connections to addresses that others chose: to the judged one, under the endpoint's name, in bounded time.

Whatever the product sends to or fetches from a host that a stranger or a file names goes through here.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from urllib3.connection import HTTPConnection, HTTPSConnection

from portal.sharing.addresses import Endpoint, Reach

CONNECT_SECONDS: Final = 5.0


def connection_to(
    reach: Reach, endpoint: Endpoint, context: Callable[[], ssl.SSLContext], seconds: float
) -> HTTPConnection:
    """Make a connection, not opened yet, to the one address that was judged.

    Args:
        reach: Judges every address that the name has now.
        endpoint: Where to.
        context: Whose certificates count.
        seconds: How long a message may take; connecting takes :data:`CONNECT_SECONDS` at most.

    Raises:
        EndpointRefusedError: One of its addresses may not be reached.
        OSError: The name has no address now.
    """
    address, timeout = reach.address_of(endpoint), min(CONNECT_SECONDS, seconds)
    if not endpoint.secure:
        return HTTPConnection(address, endpoint.port, timeout=timeout)
    return HTTPSConnection(
        address,
        endpoint.port,
        timeout=timeout,
        ssl_context=context(),
        server_hostname=endpoint.host,
    )


@contextmanager
def cut_off_after(seconds: float, current: Callable[[], HTTPConnection | None]) -> Iterator[threading.Event]:
    """End the current connection from another thread once the time is over; the event says that it was.

    What was cut off may look like a whole answer, so the event is asked afterwards.
    """
    over = threading.Event()

    def cut() -> None:
        over.set()
        connection = current()
        sock = None if connection is None else connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, cut)
    watch.start()
    try:
        yield over
    finally:
        watch.cancel()
