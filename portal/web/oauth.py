# SPDX-License-Identifier: Apache-2.0
"""``/oauth/token``: tokens for calling systems (RFC 6749, 7523), and where to find it (RFC 8414)."""

import hashlib
from typing import Any, Final

from apiflask import APIBlueprint
from flask import Response, json, request

from licenses.answers import ALGORITHM
from licenses.requests import TOKEN_LIFE
from portal.accounts.models import SCOPES
from portal.clients.errors import TokenRequestError
from portal.clients.tokens import TokenRequest
from portal.errors import RateLimitedError
from portal.web import context
from portal.web.access import public
from portal.web.counters import AUTHENTICATION_FAILED, RATE_LIMITED
from portal.web.documented import Described, answers, by_status
from portal.web.problems import problem_of
from storage.errors import CunzhengError

blueprint = APIBlueprint("oauth", __name__, tag="Tokens")
FORM: Final = "application/x-www-form-urlencoded"
_TOKEN: Final[dict[str, Any]] = {
    "access_token": "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln",
    "token_type": "Bearer",
    "expires_in": 600,
    "scope": "ask read",
}
_REFUSED: Final[Described] = {
    "description": "No token: `error` as RFC 6749 says, beside the members of problem details",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error", "error_description", "code"],
                "properties": {name: {"type": "string"} for name in ("error", "error_description", "code")},
            }
        },
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}
_FIELDS: Final = (
    "grant_type",
    "client_assertion_type",
    "client_assertion",
    "client_id",
    "scope",
    "operator",
    "purpose",
)
_BODY: Final[dict[str, Any]] = {
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "required": ["grant_type", "client_assertion_type", "client_assertion"],
                "properties": {field: {"type": "string"} for field in _FIELDS},
            }
        }
    }
}


@blueprint.post("/oauth/token")
@blueprint.doc(
    summary="A token for ten minutes, for the client that an assertion proves (RFC 6749, 7523)",
    responses=by_status({200: answers("The token", _TOKEN)} | dict.fromkeys((400, 401, 409, 429), _REFUSED)),
    extensions={"x-body": _BODY},
)
@public(
    "a client proves itself by the assertion that it sends",
    unrecorded="opens nothing by itself: each call that is made with the token is recorded",
    upload="form",
)
def token() -> Response:
    """Give a token for an assertion; what fails is counted, and limited by address.

    The assertion is looked at first, beside whoever writes: who proves a client is served however much others
    behind the same address got wrong, and who proves none keeps nobody waiting.
    """
    try:
        asked = _asked()
        with context.rooms().database.reading() as uow:
            context.tokens().prove(uow, asked)
        made = context.rooms().database.write(lambda uow: context.tokens().issue(uow, asked))
    except CunzhengError as error:
        if not hasattr(error, "oauth"):
            raise
        context.counters().add(AUTHENTICATION_FAILED)
        limit, address = context.token_limit(), request.remote_addr or ""
        if not limit.admit(address):
            context.counters().add(RATE_LIMITED)
            return _refusal(RateLimitedError())
        return _refusal(error)
    told = {
        "access_token": made.token,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "scope": " ".join(made.scopes),
    }
    return _answer(told, 200)


@blueprint.get("/.well-known/oauth-authorization-server")
@blueprint.doc(
    summary="Where tokens are given, and how a client proves itself (RFC 8414)",
    responses=by_status(
        {
            200: answers("The server's metadata", {"issuer": "…", "token_endpoint": "…", "jwks_uri": "…"}),
            304: {"description": "Nothing changed since the answer with this ETag"},
        }
    ),
)
@public("clients find the token endpoint by it", unrecorded="tells nothing about anybody")
def metadata() -> Response:
    """Tell where tokens are given, and how a client proves itself."""
    issuer = context.tokens().issuer
    body = json.dumps(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/oauth/token",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "scopes_supported": list(SCOPES),
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM, "EdDSA", "Ed25519"],
        }
    )
    answer = Response(body, mimetype="application/json")
    answer.set_etag(hashlib.sha256(body.encode()).hexdigest())
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.make_conditional(request)
    return answer


def _asked() -> TokenRequest:
    if request.mimetype != FORM or request.args:
        raise TokenRequestError(field="body", rule=FORM)
    for field in _FIELDS:
        # RFC 6749, 3.2: a parameter stands once.
        if len(request.form.getlist(field)) > 1:
            raise TokenRequestError(field=field, rule="once")
    return TokenRequest(*(request.form.get(field) or None for field in _FIELDS))


def _refusal(error: CunzhengError) -> Response:
    problem = problem_of(error, context.settings().public_url)
    named = getattr(error, "oauth", "temporarily_unavailable")
    answer = _answer({"error": named, "error_description": error.title_en, **problem}, error.status)
    if error.status == 429:
        answer.headers["Retry-After"] = "60"
    return answer


def _answer(told: dict[str, Any], status: int) -> Response:
    answer = Response(json.dumps(told), status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
