# SPDX-License-Identifier: Apache-2.0
"""Checks the signature over a call: RFC 9421, in the one profile that this interface takes.

Exactly one signature, written without options that nobody needs; it covers method, address, digest and type
of the body, the token, and every ``Access-`` header that is there. Whatever else the RFC allows is refused,
so that nothing can be read in two ways (docs/decisions/0058-signed-calls.md).
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from licenses.requests import ALGORITHMS, SignedRequest, verify_signature
from portal.clients.errors import ClockSkewError, SignatureInvalidError
from storage.clock import rfc3339

TAG: Final = "cunzheng"
WINDOW: Final = dt.timedelta(seconds=60)
"""How far the clock of a client may differ from ours."""
KEPT: Final = dt.timedelta(minutes=5)
"""How long a nonce is remembered; longer than any signature is young enough."""
COVERED: Final = ("@method", "@target-uri", "content-digest", "content-type", "authorization")
ACCESS_HEADERS: Final = ("access-operator", "access-case", "access-item", "access-purpose")
_DERIVED: Final = frozenset({"@method", "@target-uri"})
_PARAMETERS: Final = frozenset({"created", "keyid", "alg", "nonce", "tag"})
_INPUT: Final = re.compile(
    r"([a-z*][a-z0-9_.*-]{0,31})="
    r'(\("[a-z@-]+"(?: "[a-z@-]+")*\)((?:;[a-z]+=(?:"[!#-\[\]-~]+"|[0-9]{1,15}))+))'
)
_PARAMETER: Final = re.compile(r';([a-z]+)=("?)([!#-\[\]-~]+?)\2(?=;|$)')
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_DIGEST: Final = re.compile(r"(?:^|, ?)sha-256=:([A-Za-z0-9+/]{43}=):(?=,|$)")


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it arrived.

    Attributes:
        method: In capitals.
        target: The address that the client called, by the name that the installation has outside.
        headers: By lower-case name; repeated ones joined by commas.
        body: Its bytes.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Who must have signed: the client of the token, with the key that the token was given for."""

    client_id: str
    kid: str
    jwk: Mapping[str, str]


def verify_call(call: Call, signer: Signer, now: dt.datetime) -> SignedRequest:
    """Check a call's signature.

    Raises:
        SignatureInvalidError: There is none, or it does not hold; ``rule`` says where.
        ClockSkewError: It was made too long ago or lies ahead.
    """
    label, stated, parameters = _input(call.headers.get("signature-input"))
    covered = stated[2 : stated.index(")") - 1].split('" "')
    _check_covered(covered, call.headers)
    _check_parameters(parameters, signer)
    _check_time(int(parameters["created"]), now)
    _check_digest(call.headers.get("content-digest", ""), call.body)
    base = "\n".join(
        [*(f'"{name}": {_value(call, name)}' for name in covered), f'"@signature-params": {stated}']
    )
    signature = _signature(call.headers.get("signature", ""), label)
    if not base.isascii() or not verify_signature(base.encode(), signature, signer.jwk):
        raise SignatureInvalidError(rule="signature")
    return SignedRequest(
        signer.client_id, signer.kid, parameters["nonce"], base.encode(), signature, call.body, signer.jwk
    )


def _input(header: str | None) -> tuple[str, str, dict[str, str]]:
    if header is None:
        raise SignatureInvalidError(rule="no Signature-Input")
    found = _INPUT.fullmatch(header) if len(header) <= 1000 else None
    if found is None:
        raise SignatureInvalidError(rule="form of Signature-Input")
    named = _PARAMETER.findall(found[3])
    parameters = {name: value for name, quoted, value in named if bool(quoted) != (name == "created")}
    if len(parameters) != len(named) or "".join(f";{n}={q}{v}{q}" for n, q, v in named) != found[3]:
        raise SignatureInvalidError(rule="parameters")
    return found[1], found[2], parameters


def _check_covered(covered: list[str], headers: Mapping[str, str]) -> None:
    if len(set(covered)) != len(covered):
        raise SignatureInvalidError(rule="a component twice")
    needed = {*COVERED, *(name for name in ACCESS_HEADERS if name in headers)}
    if set(covered) != needed:
        raise SignatureInvalidError(rule="components: " + " ".join(sorted(needed)))


def _check_parameters(parameters: Mapping[str, str], signer: Signer) -> None:
    if set(parameters) != _PARAMETERS:
        raise SignatureInvalidError(rule="parameters: " + " ".join(sorted(_PARAMETERS)))
    if parameters["tag"] != TAG:
        raise SignatureInvalidError(rule="tag")
    if parameters["keyid"] != signer.kid:
        raise SignatureInvalidError(rule="keyid is not the token's key")
    if parameters["alg"] != ALGORITHMS[signer.jwk["crv"]][0]:
        raise SignatureInvalidError(rule="alg")
    if _NONCE.fullmatch(parameters["nonce"]) is None:
        raise SignatureInvalidError(rule="nonce: 16 to 64 of A-Z a-z 0-9 _ -")


def _check_time(created: int, now: dt.datetime) -> None:
    if abs(created - now.timestamp()) > WINDOW.total_seconds():
        raise ClockSkewError(window=int(WINDOW.total_seconds()), now=rfc3339(now))


def _check_digest(header: str, body: bytes) -> None:
    found = _DIGEST.findall(header)
    if len(found) != 1:
        raise SignatureInvalidError(rule="Content-Digest with one sha-256")
    stated = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if not hmac.compare_digest(found[0], stated):
        raise SignatureInvalidError(rule="Content-Digest is of another body")


def _value(call: Call, name: str) -> str:
    if name in _DERIVED:
        return call.method if name == "@method" else call.target
    value = call.headers.get(name)
    if value is None or value != value.strip() or not value.isprintable():
        raise SignatureInvalidError(rule=f"header {name}")
    return value


def _signature(header: str, label: str) -> bytes:
    head, tail = f"{label}=:", ":"
    if not (header.startswith(head) and header.endswith(tail) and 64 < len(header) <= 200):
        raise SignatureInvalidError(rule="form of Signature")
    try:
        return base64.b64decode(header[len(head) : -1], validate=True)
    except (binascii.Error, ValueError):
        raise SignatureInvalidError(rule="form of Signature") from None
