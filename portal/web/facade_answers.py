# SPDX-License-Identifier: Apache-2.0
"""Answers of façades: head and data as a profile names them, errors included.

What the core decided is told with status 200 and the dialect's code; a call that does not fit the interface,
or whose caller may not call at all, gets the interface's own status with the same form.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from flask import Response, g, json

from licenses.copies.errors import CopyNotReadyError, CopyRefusedError
from licenses.errors import CodeUnknownError, LicenseHiddenError
from licenses.facades.errors import FacadeCallError
from licenses.facades.profiles import Facade, Result, facades
from licenses.facades.spelling import Row, head
from portal.errors import UnauthenticatedError
from storage.errors import CunzhengError, InvalidInputError, NotPermittedError

_RESULTS: Final[tuple[tuple[type[CunzhengError], Result], ...]] = (
    (LicenseHiddenError, Result.NO_MATCH),
    (CodeUnknownError, Result.NO_MATCH),
    (CopyRefusedError, Result.NOT_OFFERED),
    (CopyNotReadyError, Result.BEING_MADE),
    (UnauthenticatedError, Result.NOT_AUTHENTICATED),
    (NotPermittedError, Result.NOT_PERMITTED),
    (InvalidInputError, Result.VALUE_WRONG),
)


@cache
def _by_path() -> Mapping[str, Facade]:
    return {one.path: facade for facade in facades() for one in facade.services}


def facade_at(path: str) -> Facade | None:
    """Give the dialect that is spoken at an address."""
    return _by_path().get(path)


def answer(facade: Facade, result: Result, rows: Row | list[Row] | None = None) -> Response:
    """Give an answer of the core in the dialect."""
    return _made(facade, result, "", rows, 200)


def problem(facade: Facade, error: CunzhengError) -> Response:
    """Give an error in the dialect; nothing that was sent comes back with it."""
    if isinstance(error, FacadeCallError):
        return _made(facade, error.result, error.name, None, error.status)
    result = next((result for kind, result in _RESULTS if isinstance(error, kind)), Result.OTHER)
    return _made(facade, result, "", None, 200 if result is Result.NO_MATCH else error.status)


def _made(facade: Facade, result: Result, field: str, rows: Row | list[Row] | None, status: int) -> Response:
    body: dict[str, Any] = {
        "head": head(facade, result, g.get("correlation", ""), field),
        "data": {} if rows is None else rows,
    }
    return Response(json.dumps(body), status, mimetype="application/json")
