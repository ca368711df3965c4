# SPDX-License-Identifier: Apache-2.0
"""Assertions that prove nobody, and signatures over calls that hold for nothing."""

from typing import Any
from urllib.parse import urlencode

from .calls import QUESTION, Call, get
from .ground import OPERATOR

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GOOD = {"grant_type": "client_credentials", "client_assertion_type": _JWT}
_SIGNED = {"Signature-Input": 'sig1=("@method");created=1;keyid="{mark}"', "Signature": "sig1=:{mark}:"}


def token(name: str, status: int, code: str, *, headers: dict[str, str] = _FORM, **form: str) -> Call:
    raw = urlencode(_GOOD | form, safe="{}").encode()
    return Call(
        name=name,
        status=status,
        code=code,
        who="",
        method="POST",
        path="/oauth/token",
        headers=headers,
        raw=raw,
    )


def signed(name: str, code: str = "signature-invalid", **headers: str) -> Call:
    return Call(
        name=name,
        status=401,
        code=code,
        method="POST",
        path="/api/v1/proofs",
        headers={"Content-Type": "application/json", "Access-Operator": OPERATOR} | headers,
        body=QUESTION,
    )


_DOTS: dict[str, Any] = {"client_assertion": "{mark}.{mark}.{mark}"}

CALLS = [
    token("a token for nothing", 401, "client-not-proven"),
    token("a token for an assertion made up", 401, "client-not-proven", **_DOTS),
    token("a token for dots", 401, "client-not-proven", client_assertion=".." + "{mark}"),
    token(
        "a token for a hundred thousand characters",
        401,
        "client-not-proven",
        client_assertion="{mark}" * 9000,
    ),
    token("a token for a password", 400, "grant-type-unsupported", grant_type="password", password="{mark}"),
    token("a token for a kind of proof made up", 400, "token-request", client_assertion_type="{mark}"),
    token("a token asked for in JSON", 400, "token-request", headers={"Content-Type": "application/json"}),
    Call(
        name="a token with a parameter twice",
        status=400,
        code="token-request",
        who="",
        method="POST",
        path="/oauth/token",
        headers=_FORM,
        raw=urlencode([*_GOOD.items(), ("scope", "{mark}"), ("scope", "ask")], safe="{}").encode(),
    ),
    Call(
        name="a token asked for in the address",
        status=400,
        code="token-request",
        who="",
        method="POST",
        path="/oauth/token",
        query="client_assertion={mark}",
        headers=_FORM,
        raw=urlencode(_GOOD).encode(),
    ),
    get("what is said of the token endpoint", 200, who="", path="/.well-known/oauth-authorization-server"),
    signed("a signature made up", **_SIGNED),
    signed("a signature of nothing", Signature="", **{"Signature-Input": ""}),
    signed(
        "a signature of ten thousand characters",
        Signature="{mark}" * 600,
        **{"Signature-Input": "{mark}" * 600},
    ),
    Call(
        name="a key that nobody signs in",
        status=401,
        code="signature-invalid",
        method="POST",
        path="/api/v1/client-keys",
        headers={"Content-Type": "application/json", **_SIGNED},
        body={"kty": "EC", "crv": "P-256", "x": "{mark}", "y": "{mark}"},
    ),
    Call(
        name="the end of a key made up",
        status=401,
        code="signature-invalid",
        method="POST",
        path="/api/v1/client-keys/{mark}/end",
        headers={"Content-Type": "application/json", **_SIGNED},
        body={},
    ),
    get("keys of a stranger", 401, "unauthenticated", who="", path="/api/v1/client-keys"),
]
