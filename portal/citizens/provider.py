# SPDX-License-Identifier: Apache-2.0
"""The OpenID Connect relying party: authorization code with PKCE, and ID tokens checked before anything else.

Accepted is an ID token that came from the provider's token endpoint for our code, signed with ES256 or RS256
by a key of the provider's published set, of the configured issuer, for us as its audience, with the nonce of
the sign-in and not out of date. Endpoints come from discovery; the set of keys is fetched again when a token
names a key that is not in it, once a minute at most.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal.citizens.errors import DemoProviderError, ProviderUnavailableError, SignInNotAcceptedError
from portal.citizens.flow import Flow
from portal.citizens.http import ProviderCalls
from storage.clock import Clock

ALGORITHMS: Final = ("ES256", "RS256")
DEMO_MARK: Final = "cunzheng_demonstration"
"""Member of a demonstration provider's discovery document."""
SKEW_SECONDS: Final = 60
_KEPT_SECONDS: Final = 3600
_KEYS_KEPT_SECONDS: Final = 60
_KEY_TYPES: Final = {"EC": "ES256", "RSA": "RS256"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Registration:
    """How the provider knows us.

    Attributes:
        issuer: The provider.
        client_id: Our name there.
        secret: Our secret there, if we have one.
        redirect: Where it sends browsers back to.
        scope: What we ask for.
    """

    issuer: str
    client_id: str
    secret: str | None
    redirect: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    at: float


class Provider:
    """The provider at which holders sign in.

    Args:
        registration: How it knows us.
        clock: What tokens are judged by.
        production: Whether a demonstration's provider is refused.
    """

    def __init__(self, registration: Registration, clock: Clock, *, production: bool) -> None:
        self._registration = registration
        self._clock = clock
        self._production = production
        self._calls = ProviderCalls()
        self._kept: dict[str, _Kept] = {}

    def authorization_address(self, flow: Flow, language: str) -> str:
        """Give the address at which the browser begins.

        Raises:
            ProviderUnavailableError: The provider does not tell where.
            DemoProviderError: It is a demonstration's, and this is production.
        """
        known = self._registration
        client = OAuth2Client(
            None,
            client_id=known.client_id,
            redirect_uri=known.redirect,
            scope=known.scope,
            code_challenge_method="S256",
        )
        address, _ = client.create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=flow.state,
            code_verifier=flow.verifier,
            nonce=flow.nonce,
            ui_locales=language,
        )
        return str(address)

    def claims(self, flow: Flow, code: str, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Give what the provider vouches for.

        Args:
            flow: The sign-in.
            code: What the provider sent back for it.
            wanted: Whether claims suffice; else the userinfo endpoint is asked, where there is one.

        Raises:
            SignInNotAcceptedError: Code or token does not hold.
            ProviderUnavailableError: The provider does not answer.
        """
        token = self._redeem(flow, code)
        claims = self._checked(token, flow)
        if wanted(claims) or "userinfo_endpoint" not in self._metadata():
            return claims
        return {**self._user_info(token, str(claims["sub"])), **claims}

    def sign_out_address(self, back: str, language: str) -> str | None:
        """Give where the browser signs out at the provider, too; ``None`` where it has no such place.

        The ID token is no hint here: it holds the person's code, which belongs in no address.
        """
        if "end_session_endpoint" not in self._metadata():
            return None
        address = self._endpoint("end_session_endpoint")
        hints = {
            "client_id": self._registration.client_id,
            "post_logout_redirect_uri": back,
            "ui_locales": language,
        }
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(hints)}"

    def sign_out_origin(self) -> str | None:
        """Give the origin to which a form that signs out may lead, if that is known without asking."""
        kept = self._kept.get("metadata")
        address = kept.value.get("end_session_endpoint") if kept else None
        if not isinstance(address, str):
            return None
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}"

    def _metadata(self) -> Mapping[str, Any]:
        kept: Mapping[str, Any] = self._keep("metadata", _KEPT_SECONDS, self._discover)
        return kept

    def _discover(self) -> Mapping[str, Any]:
        issuer = self._registration.issuer
        found = self._calls.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.status != 200 or found.body.get("issuer") != issuer:
            raise ProviderUnavailableError
        if self._production and found.body.get(DEMO_MARK):
            raise DemoProviderError
        return found.body

    def _endpoint(self, name: str) -> str:
        address = self._metadata().get(name)
        # What was found over TLS must not lead elsewhere.
        if not isinstance(address, str) or urlsplit(address).scheme not in self._schemes():
            raise ProviderUnavailableError
        return address

    def _schemes(self) -> set[str]:
        return {"https"} if self._registration.issuer.startswith("https:") else {"https", "http"}

    def _redeem(self, flow: Flow, code: str) -> Mapping[str, Any]:
        known = self._registration
        auth = ClientAuth(known.client_id, known.secret, "client_secret_basic" if known.secret else "none")
        form = prepare_token_request(
            "authorization_code", code=code, redirect_uri=known.redirect, code_verifier=flow.verifier
        )
        address, headers, body = auth.prepare("POST", self._endpoint("token_endpoint"), dict(_FORM), form)
        answer = self._calls.post(address, body, headers)
        if answer.status != 200:
            raise SignInNotAcceptedError
        return answer.body

    def _checked(self, answer: Mapping[str, Any], flow: Flow) -> Mapping[str, Any]:
        known = self._registration
        try:
            token = self._decoded(answer.get("id_token"))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": known.issuer},
                    "sub": {"essential": True},
                    "aud": {"essential": True, "value": known.client_id},
                    "nonce": {"essential": True, "value": flow.nonce},
                },
                params={
                    "nonce": flow.nonce,
                    "client_id": known.client_id,
                    "access_token": answer.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock.now().timestamp()), leeway=SKEW_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise SignInNotAcceptedError from error
        return dict(claims)

    def _decoded(self, text: object) -> jwt.Token:
        if not isinstance(text, str):
            raise SignInNotAcceptedError
        try:
            return jwt.decode(text, self._keys(_KEPT_SECONDS), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            # The provider may have a new key; whoever forges tokens makes us look once a minute at most.
            return jwt.decode(text, self._keys(_KEYS_KEPT_SECONDS), algorithms=list(ALGORITHMS))

    def _keys(self, no_older_than: float) -> KeySet:
        kept: KeySet = self._keep("keys", no_older_than, self._fetch_keys)
        return kept

    def _fetch_keys(self) -> KeySet:
        answer = self._calls.get(self._endpoint("jwks_uri"))
        published = answer.body.get("keys")
        usable = [key for key in published if _may_sign(key)] if isinstance(published, list) else []
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderUnavailableError from error

    def _user_info(self, token: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {token.get('access_token')}"}
        answer = self._calls.get(self._endpoint("userinfo_endpoint"), headers)
        if answer.status != 200 or answer.body.get("sub") != subject:
            raise SignInNotAcceptedError
        return answer.body

    def _keep(self, name: str, seconds: float, fetch: Callable[[], Any]) -> Any:  # noqa: ANN401 - two kinds of things are kept
        kept = self._kept.get(name)
        if kept is None or self._clock.monotonic() - kept.at >= seconds:
            kept = _Kept(fetch(), self._clock.monotonic())
            self._kept[name] = kept
        return kept.value


def _may_sign(key: object) -> bool:
    """Tell whether a published key may sign ID tokens: public, asymmetric, of our algorithms."""
    if not isinstance(key, dict) or key.get("kty") not in _KEY_TYPES or "d" in key:
        return False
    return key.get("use", "sig") == "sig" and key.get("alg", _KEY_TYPES[key["kty"]]) in ALGORITHMS
