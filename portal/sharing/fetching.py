# SPDX-License-Identifier: Apache-2.0
"""Fetches what another installation publishes: no redirect followed, no proxy, bounded in time and size."""

import ssl
from functools import cached_property
from http.client import HTTPException
from typing import Final

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from licenses.sharing.errors import EndpointRefusedError
from portal.errors import DirectoryUnreachableError
from portal.sharing.addresses import Reach
from portal.sharing.connecting import connection_to, cut_off_after
from portal.version import VERSION

LARGEST: Final = 64 << 20
SECONDS: Final = 30.0
_PART: Final = 64 * 1024


class HttpFetcher:
    """Fetches published files.

    Args:
        reach: Says from where.
        seconds: How long one file may take, from connecting to its last byte.
        trust: Whose certificates count; the system's when there is none.
        largest: Bytes that a file may have.
    """

    def __init__(
        self,
        reach: Reach,
        seconds: float = SECONDS,
        trust: ssl.SSLContext | None = None,
        largest: int = LARGEST,
    ) -> None:
        self._reach = reach
        self._seconds = seconds
        self._trust = trust
        self._largest = largest

    def fetch(self, address: str) -> bytes:
        """Give a file; a redirect is no file.

        Raises:
            DirectoryUnreachableError: It cannot be had; ``rule`` says why and holds nothing of the address.
        """
        tried: list[HTTPConnection] = []
        with cut_off_after(self._seconds, lambda: tried[-1] if tried else None) as over:
            try:
                data = self._exchange(address, tried)
            except EndpointRefusedError:
                raise DirectoryUnreachableError(rule="address-refused") from None
            except (HTTPError, HTTPException, OSError) as error:
                rule = "time-out" if over.is_set() else type(error).__name__
                raise DirectoryUnreachableError(rule=rule) from None
            finally:
                for one in tried:
                    one.close()
        if over.is_set():
            raise DirectoryUnreachableError(rule="time-out")
        return data

    def _exchange(self, address: str, tried: list[HTTPConnection]) -> bytes:
        endpoint = self._reach.taken_apart(address)
        connection = connection_to(self._reach, endpoint, lambda: self._context, self._seconds)
        tried.append(connection)
        connection.connect()
        connection.timeout = self._seconds
        headers = {"Host": endpoint.authority, "User-Agent": f"cunzheng/{VERSION}"}
        connection.request(
            "GET", endpoint.target, headers=headers, preload_content=False, decode_content=False
        )
        answer = connection.getresponse()
        try:
            return self._read(answer)
        finally:
            answer.close()

    def _read(self, answer: HTTPResponse) -> bytes:
        if answer.status != 200:
            raise DirectoryUnreachableError(rule=f"http-{answer.status}")
        data = bytearray()
        while len(data) <= self._largest and (part := answer.read(_PART)):
            data += part
        if len(data) > self._largest:
            raise DirectoryUnreachableError(rule="size")
        return bytes(data)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()
