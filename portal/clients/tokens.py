# SPDX-License-Identifier: Apache-2.0
"""Tokens: a client proves itself by an assertion (RFC 7523) and gets a token for ten minutes (RFC 9068).

A token names client, key, person and purpose and opens what the client's own row still allows: an ended
client, key or person ends it at once. Its signature alone opens nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from sqlalchemy import bindparam, select

from licenses.answers import AnswerKeys
from licenses.errors import AnswerInvalidError
from licenses.purposes import is_purpose
from licenses.requests import TOKEN_LIFE, public_key
from portal.accounts.models import Client
from portal.accounts.operators import OPERATOR_RUNS, demand_operator, operator_runs
from portal.clients.errors import (
    ClientNotProvenError,
    ClockSkewError,
    GrantTypeError,
    ScopeNotHeldError,
    TokenRequestError,
)
from portal.clients.models import ClientKey
from portal.clients.once import forget_old, take_once
from portal.clients.signatures import Signer
from portal.errors import UnauthenticatedError
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.looking import Looking

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - the name of a type
LEEWAY: Final = 60
"""Seconds by which a client's clock may differ from ours."""
_AHEAD: Final = 300
_MOST_ASSERTION: Final = 4096
_REMEMBERED: Final = 1024
_ALGORITHMS: Final = {"EC": ("ES256",), "OKP": ("EdDSA", "Ed25519")}
_HEADER_TYPES: Final = frozenset({None, "JWT", "client-authentication+jwt"})
_BY_KID: Final = (
    select(Client.__table__, ClientKey.jwk, OPERATOR_RUNS)
    .join(ClientKey, ClientKey.client_id == Client.id)
    .where(ClientKey.kid == bindparam("kid"), ClientKey.ended_at.is_(None), Client.ended_at.is_(None))
)


class _Assertions(JWSRegistry):
    """Algorithms of assertions; ``EdDSA`` is what Ed25519 was called before RFC 9864, and nothing wider."""

    algorithms = JWSRegistry.algorithms | {"EdDSA": JWSRegistry.algorithms["Ed25519"]}


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What the token endpoint was sent; ``None`` for what was not."""

    grant_type: str | None
    assertion_type: str | None
    assertion: str | None
    client_id: str | None
    scope: str | None
    operator: str | None
    purpose: str | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, told once."""

    token: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presented:
    """Who presents a token.

    Attributes:
        identity: The client, with the token's scopes and operator.
        signer: Who must sign a call that is made with it.
        purpose: The purpose that it was given for; ``None`` where it opens no question.
    """

    identity: Identity
    signer: Signer
    purpose: str | None


class TokenService:
    """Gives tokens, and tells who presents one.

    Args:
        keys: Sign the tokens.
        address: Of the installation, as clients call it: issuer and audience.
    """

    def __init__(self, keys: AnswerKeys, address: str) -> None:
        self._keys = keys
        self._issuer = address.rstrip("/")
        self._endpoint = f"{self._issuer}/oauth/token"
        # What a token says never changes, and whether our key signed it neither: all else is asked each time.
        self._claims = lru_cache(maxsize=_REMEMBERED)(self._read_claims)

    @property
    def issuer(self) -> str:
        """Give the address that stands for the installation in tokens."""
        return self._issuer

    def issue(self, uow: UnitOfWork, asked: TokenRequest) -> IssuedToken:
        """Give a token to the client that the assertion proves.

        Raises:
            ClientNotProvenError, ClockSkewError: The assertion does not hold.
            RequestReplayedError: It was used before.
            GrantTypeError, TokenRequestError, ScopeNotHeldError: The client is proven and asks amiss.
        """
        row, kid, claims = self.prove(uow, asked)
        until = dt.datetime.fromtimestamp(claims["exp"] + LEEWAY, dt.UTC)
        forget_old(uow)
        take_once(uow, "assertion", row.id, claims["jti"], until)
        scopes = _scopes(asked.scope, row.scopes)
        _check_operator(uow, asked.operator, row.operators)
        if (asked.purpose is not None or "ask" in scopes) and not is_purpose(asked.purpose):
            raise TokenRequestError(field="purpose", rule="a published purpose")
        now = int(uow.clock.now().timestamp())
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": row.id,
            "client_id": row.id,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            "jti": uow.ids.new_id(),
            "cnf": {"jkt": kid},
        }
        named = {"operator": asked.operator, "purpose": asked.purpose}
        payload |= {name: value for name, value in named.items() if value is not None}
        return IssuedToken(self._keys.sign_payload(payload, TOKEN_TYPE), scopes)

    def prove(self, uow: UnitOfWork, asked: TokenRequest) -> tuple[Any, str, Mapping[str, Any]]:
        """Give the client that an assertion proves, the key that signed it and its claims; writes nothing.

        Raises:
            GrantTypeError, TokenRequestError, ClientNotProvenError, ClockSkewError: As :meth:`issue`.
        """
        if asked.grant_type != "client_credentials":
            raise GrantTypeError
        if asked.assertion_type != ASSERTION_TYPE:
            raise TokenRequestError(field="client_assertion_type", rule="jwt-bearer")
        row, kid, claims = self._proven(uow, asked.assertion or "")
        if asked.client_id not in {None, row.id}:
            raise ClientNotProvenError(rule="client_id")
        return row, kid, claims

    def present(self, look: Looking, token: str, operator: str | None) -> Presented:
        """Give who presents a token.

        Args:
            look: Where clients are.
            token: The token.
            operator: Whom a header names; ``None`` where it names nobody.

        Raises:
            UnauthenticatedError: It is not ours, over, or its client, key or person has ended.
        """
        try:
            claims = self._claims(token)
        except AnswerInvalidError:
            raise UnauthenticatedError from None
        now = look.clock.now()
        if claims["iss"] != self._issuer or claims["exp"] <= now.timestamp():
            raise UnauthenticatedError
        kid, named = claims["cnf"]["jkt"], claims.get("operator")
        row = look.connection.execute(_BY_KID, {"kid": kid, "operator": named}).one_or_none()
        if row is None or row.id != claims["sub"] or row.expires_at <= now:
            raise UnauthenticatedError
        demand_operator(row, named)
        if operator not in {None, named}:
            raise UnauthenticatedError
        identity = Identity(
            kind="system",
            id=row.id,
            organisation=row.organisation,
            roles=frozenset({Role.CLIENT}),
            operator=named,
            sources=frozenset(row.sources),
            scopes=frozenset(row.scopes) & frozenset(claims["scope"].split()),
            items=frozenset(row.items),
        )
        return Presented(identity, Signer(row.id, kid, row.jwk), claims.get("purpose"))

    def _read_claims(self, token: str) -> Mapping[str, Any]:
        return self._keys.read_payload(token, TOKEN_TYPE)

    def _proven(self, uow: UnitOfWork, assertion: str) -> tuple[Any, str, dict[str, Any]]:
        kid = _kid_of(assertion)
        row = uow.session.connection().execute(_BY_KID, {"kid": kid, "operator": None}).one_or_none()
        if row is None or row.expires_at <= uow.clock.now():
            raise ClientNotProvenError(rule="key")
        key = public_key(*sorted(row.jwk.items()))
        try:
            registry = _Assertions(algorithms=list(_ALGORITHMS[row.jwk["kty"]]))
            token = jwt.decode(assertion, key, registry=registry)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise ClientNotProvenError(rule="signature") from None
        if token.header.get("typ") not in _HEADER_TYPES:
            raise ClientNotProvenError(rule="typ")
        self._check_claims(token.claims, row.id, uow.clock.now())
        return row, kid, token.claims

    def _check_claims(self, claims: Mapping[str, Any], client_id: str, now: dt.datetime) -> None:
        """Check what a proven key says; it may be told what was wrong."""
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise ClientNotProvenError(rule="iss and sub are the client's id")
        meant = claims.get("aud")
        if (meant if isinstance(meant, list) else [meant]) not in ([self._endpoint], [self._issuer]):
            raise ClientNotProvenError(rule="aud is the token endpoint alone")
        jti = claims.get("jti")
        if not (isinstance(jti, str) and 8 <= len(jti) <= 128 and jti.isascii() and jti.isprintable()):
            raise ClientNotProvenError(rule="jti: 8 to 128 characters of ASCII that are seen")
        times = [claims.get("exp"), *(claims[name] for name in ("iat", "nbf") if name in claims)]
        if not all(type(one) is int for one in times):
            raise ClientNotProvenError(rule="exp, iat and nbf are whole numbers")
        at = now.timestamp()
        over, *begun = times
        if over > at + _AHEAD + LEEWAY:
            raise ClientNotProvenError(rule=f"exp: at most {_AHEAD} seconds ahead")
        if over + LEEWAY <= at or any(one > at + LEEWAY for one in begun):
            raise ClockSkewError(window=LEEWAY, now=rfc3339(now))


def _kid_of(assertion: str) -> str:
    if not 0 < len(assertion) <= _MOST_ASSERTION:
        raise ClientNotProvenError(rule="assertion")
    try:
        kid = jws.extract_compact(assertion.encode("ascii")).headers().get("kid")
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise ClientNotProvenError(rule="assertion") from None
    if not (isinstance(kid, str) and kid.isascii() and kid.isprintable() and len(kid) == 43):
        raise ClientNotProvenError(rule="kid is the key's thumbprint (RFC 7638)")
    return kid


def _scopes(asked: str | None, held: list[str]) -> tuple[str, ...]:
    wanted = held if asked is None else asked.split(" ")
    if not wanted or len(set(wanted)) != len(wanted) or not set(wanted) <= set(held):
        raise ScopeNotHeldError(field="scope", rule="scopes that the client holds, each once")
    return tuple(sorted(wanted))


def _check_operator(uow: UnitOfWork, operator: str | None, known: list[str]) -> None:
    if operator is None:
        return
    if not operator_runs(uow, known, operator):
        raise TokenRequestError(field="operator", rule="a running account that is registered for the client")
