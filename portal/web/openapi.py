# SPDX-License-Identifier: Apache-2.0
"""The interface description: OpenAPI 3.1 made of the routes, with the errors and the keys they share."""

from typing import Any, Final

from apiflask import APIFlask

from archive.submission import Submission
from portal.settings import Settings
from portal.web.event_examples import webhooks

_PROBLEMS: Final = {
    "400": "The request cannot be read",
    "401": "No valid key",
    "403": "Not permitted, or refused",
    "404": "Not found, or not visible to this caller",
    "405": "Method not allowed",
    "409": "Conflict with the existing record",
    "413": "Too large",
    "415": "Unsupported media type",
    "422": "Malformed input; `fields` name ours that are wrong",
    "429": "Too many public checks",
    "503": "The ledger lags, or a part is not ready",
}
_WITHOUT_BODY: Final = {
    "414": "The address is too long; the answer has no body",
    "431": "The headers are too long; the answer has no body",
}
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Problem details (RFC 9457). What was sent never comes back in it.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; programs decide by it."},
        "title_zh": {"type": "string"},
        "title_en": {"type": "string"},
        "remedy_zh": {"type": "string"},
        "remedy_en": {"type": "string"},
        "facts": {"type": "object"},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "rule": {"type": "string"}},
            },
        },
        "correlation": {"type": "string"},
    },
}
_ACCESS_HEADERS: Final = (
    ("Access-Operator", "Person of the calling system who asks; registered for the key."),
    ("Access-Case", "Case on which the access is based."),
    ("Access-Item", "Item code of that case."),
    ("Access-Purpose", "Purpose code."),
)


def describe(app: APIFlask, settings: Settings) -> None:
    """Set what the description says about the whole interface, and complete each operation."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_SERVERS=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        SERVERS=[{"url": settings.public_url}],
        INFO={
            "description": "Archive, seals and licences of government affairs, with a ledger of every act.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        SECURITY_SCHEMES={"key": {"type": "http", "scheme": "bearer"}},
    )
    app.spec_processor(_complete)


def _complete(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
    if isinstance(spec, str):
        return spec
    components = spec.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM_SCHEMA
    _add_submission(schemas)
    components["responses"] = {status: _problem(text) for status, text in _PROBLEMS.items()} | {
        status: {"description": text} for status, text in _WITHOUT_BODY.items()
    }
    components["parameters"] = {name: _header(name, text) for name, text in _ACCESS_HEADERS}
    spec["webhooks"] = webhooks()
    for path in spec.get("paths", {}).values():
        for operation in path.values():
            _complete_operation(operation)
    return spec


def _add_submission(schemas: dict[str, Any]) -> None:
    schema = Submission.model_json_schema(ref_template="#/components/schemas/Submission.{model}")
    for name, part in schema.pop("$defs", {}).items():
        schemas[f"Submission.{name}"] = part
    schemas["Submission"] = schema


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _header(name: str, text: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": schema}


def _complete_operation(operation: dict[str, Any]) -> None:
    for status in (*_PROBLEMS, *_WITHOUT_BODY):
        operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{status}"})
    if "x-body" in operation:
        operation["requestBody"] = operation.pop("x-body")
    body = operation.get("requestBody")
    if body is not None:
        body["required"] = True
    if operation.get("security"):
        operation.setdefault("parameters", []).extend(
            {"$ref": f"#/components/parameters/{name}"} for name, _ in _ACCESS_HEADERS
        )
