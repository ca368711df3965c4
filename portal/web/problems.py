# SPDX-License-Identifier: Apache-2.0
"""Every error leaves as problem details (RFC 9457) or, in a browser, as a page that says the same.

What was sent never comes back: field names come from our own models, unknown keys and values are dropped.
An unexpected exception is logged by its type and correlation number only; its text may hold input.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from apiflask import HTTPError
from flask import Response, g, json, render_template, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from portal.errors import (
    MalformedRequestError,
    MethodNotAllowedError,
    RateLimitedError,
    TooLargeError,
    UnauthenticatedError,
    UnsupportedMediaError,
)
from portal.i18n import choose
from portal.web import facade_answers
from portal.web.schemas import body_model
from storage.errors import CunzhengError, InvalidInputError, NotFoundError, NotPermittedError

LOG: Final = logging.getLogger("cunzheng.web")
_NAMED_FIELDS: Final = 20
"""An answer must not grow with what was sent; ``facts`` tell how many there are."""
PROBLEM_TYPE: Final = "application/problem+json"
_API_PREFIXES: Final = ("/api/", "/oauth/", "/.well-known/", "/openapi.json", "/healthz", "/readyz")
_BY_STATUS: Final[Mapping[int, type[CunzhengError]]] = {
    400: MalformedRequestError,
    401: UnauthenticatedError,
    403: NotPermittedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: TooLargeError,
    415: UnsupportedMediaError,
    422: InvalidInputError,
    429: RateLimitedError,
}


class FieldsError(InvalidInputError):
    """The input does not fit its schema; ``fields`` name ours that are wrong and the rule, no value.

    Args:
        fields: Pairs of a field's path and the rule it broke.
    """

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__(count=len(fields))
        self.fields = list(fields[:_NAMED_FIELDS])


def is_api_call() -> bool:
    """Tell whether the current request is for the interface, not for a page."""
    return request.path.startswith(_API_PREFIXES) or facade_answers.facade_at(request.path) is not None


def known_fields(model: type[BaseModel], error: ValidationError) -> list[tuple[str, str]]:
    """Name the fields of ours that are wrong; an unknown key becomes ``*``, since it may be data.

    Args:
        model: The model that refused the input; its names and those of its parts may be shown.
        error: What it raised.
    """
    names = _names(model.model_json_schema())
    fields = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        parts = [str(part) if isinstance(part, int) or part in names else "*" for part in item["loc"]]
        fields.append((".".join(parts) or "*", item["type"]))
    return fields


def _names(schema: object) -> set[str]:
    names: set[str] = set()
    if isinstance(schema, dict):
        names |= set(schema.get("properties", {}))
        for part in schema.values():
            names |= _names(part)
    elif isinstance(schema, list):
        for part in schema:
            names |= _names(part)
    return names


def problem_of(error: CunzhengError, public_url: str) -> dict[str, Any]:
    """Give an error as problem details."""
    problem: dict[str, Any] = {
        "type": f"{public_url}/problems/{error.code}",
        "title": choose(error.title_zh, error.title_en),
        "status": error.status,
        "code": error.code,
        "title_zh": error.title_zh,
        "title_en": error.title_en,
        "remedy_zh": error.remedy_zh,
        "remedy_en": error.remedy_en,
        "facts": error.facts,
    }
    difference = getattr(error, "difference", None)
    if difference is not None:
        problem["difference"] = asdict(difference)
    if isinstance(error, FieldsError):
        problem["fields"] = [{"field": field, "rule": rule} for field, rule in error.fields]
    if g.get("correlation"):
        problem["correlation"] = g.correlation
    return problem


def from_http(error: HTTPException | HTTPError) -> CunzhengError:
    """Translate what the web library raises into an error of ours."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return FieldsError(known_fields(body_model(cause.title), cause))
    status = (error.status_code if isinstance(error, HTTPError) else error.code) or 500
    if status in _BY_STATUS:
        return _BY_STATUS[status]()
    return MalformedRequestError() if 400 <= status < 500 else CunzhengError()


def answer(error: CunzhengError, public_url: str) -> Response:
    """Give the answer for an error: problem details for the interface, a page for people.

    A façade's callers are told in its own dialect.
    """
    facade = facade_answers.facade_at(request.path)
    if facade is not None:
        made = facade_answers.problem(facade, error)
    elif is_api_call():
        made = Response(json.dumps(problem_of(error, public_url)), error.status, mimetype=PROBLEM_TYPE)
    else:
        made = Response(render_template("error.html", error=error), error.status)
    if error.status == 401 and is_api_call():
        made.headers["WWW-Authenticate"] = "Bearer"
    if error.status in {429, 503} or hasattr(error, "retry_after"):
        made.headers["Retry-After"] = str(getattr(error, "retry_after", 60))
    return made


def log_unexpected(error: BaseException) -> None:
    """Log an exception that nobody expected: its type and where, never its text."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f"{place.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{place.tb_lineno}" if place else "unknown"
    )
    LOG.error("unexpected %s at %s correlation=%s", type(error).__name__, where, g.get("correlation"))
