# SPDX-License-Identifier: Apache-2.0
"""Calls to the identity provider: bounded in time and size, no redirect followed, nothing logged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from portal.citizens.errors import ProviderUnavailableError
from storage.breaker import Breaker

_TIMEOUT: Final = Timeout(connect=3, read=5)
_LARGEST: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in JSON."""

    status: int
    body: Mapping[str, Any]


class ProviderCalls:
    """Calls one provider; while it is away one caller at a time waits for it."""

    def __init__(self) -> None:
        self._pool = PoolManager(timeout=_TIMEOUT, retries=False)
        self._breaker = Breaker(ProviderUnavailableError)

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch JSON.

        Raises:
            ProviderUnavailableError: No answer, or none that is a JSON object.
        """
        return self._call("GET", address, None, dict(headers or {}))

    def post(self, address: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Send a form, receive JSON; raises as :meth:`get`."""
        return self._call("POST", address, body, dict(headers))

    def _call(self, method: str, address: str, body: str | None, headers: dict[str, str]) -> Answer:
        with self._breaker.asking():
            try:
                answer = self._pool.request(
                    method,
                    address,
                    body=body,
                    headers={"Accept": "application/json", **headers},
                    redirect=False,
                    preload_content=False,
                )
                try:
                    read = answer.read(_LARGEST + 1)
                finally:
                    answer.close()
                    answer.release_conn()
            except HTTPError as error:
                raise ProviderUnavailableError from error
            if answer.status >= 500:
                raise ProviderUnavailableError
        return Answer(answer.status, _json(read))


def _json(read: bytes) -> Mapping[str, Any]:
    if len(read) > _LARGEST:
        raise ProviderUnavailableError
    try:
        value = json.loads(read)
    except ValueError as error:
        raise ProviderUnavailableError from error
    if not isinstance(value, dict):
        raise ProviderUnavailableError
    return value
