# SPDX-License-Identifier: Apache-2.0
"""The demonstration's identity provider: real OpenID Connect, and nobody proves anything.

Whoever comes chooses one of the demonstration's synthetic holders. So it announces itself on its page and in
its discovery document, listens on this machine only, and is refused by an installation in production. Codes
live in this process and work once; the signing key is made anew at every start, and relying parties cope.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from joserfc.jwk import ECKey, KeySet
from werkzeug.wrappers import Response

from portal.citizens.provider import DEMO_MARK
from portal.demo.holders import DemoPerson
from portal.i18n import EN, ZH, gettext, language, set_language
from portal.web.access import public
from portal.web.context import MODES
from storage.clock import Clock

CODE_SECONDS: Final = 60
TOKEN_SECONDS: Final = 300
ALGORITHM: Final = "ES256"
_COOKIE: Final = "demo_identity"
_OPEN: Final = "stands beside the installation, holds nothing of it, and whoever demonstrates may use it"
_HEADERS: Final = {
    # No form-action: the form's answer leads back to whoever asked.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The installation whose holders sign in here; the only client."""

    client_id: str
    secret: str
    redirect: str
    signed_out: str

    @property
    def client_metadata(self) -> Mapping[str, Any]:
        """What the library asks for by name."""
        return {"post_logout_redirect_uris": [self.signed_out]}

    def get_client_id(self) -> str:
        """Give its name."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """Give where browsers go back to."""
        return self.redirect

    def get_allowed_scope(self, scope: str) -> str:
        """Give what it may ask for of what it asks for."""
        return " ".join(one for one in scope.split() if one in {"openid", "profile"})

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether browsers may go there: to the one registered address, exactly."""
        return redirect_uri == self.redirect

    def check_client_secret(self, secret: str) -> bool:
        """Tell whether a secret is its own."""
        return secrets.compare_digest(secret.encode(), self.secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tell whether it may prove itself so."""
        return endpoint == "token" and method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        """Tell whether it may ask for that kind of answer."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether it may redeem that."""
        return grant_type == "authorization_code"


@dataclass(frozen=True, slots=True)
class _Code:
    """A code that waits for being redeemed."""

    code: str
    person: DemoPerson
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    ends: float
    made: int

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.made

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass(slots=True)
class _Provider:
    """What the process knows."""

    issuer: str
    party: RelyingParty
    persons: Mapping[str, DemoPerson]
    clock: Clock
    key: ECKey
    codes: dict[str, _Code] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    def session_person(self) -> DemoPerson | None:
        """Give who is signed in here already."""
        return self.persons.get(self.sessions.get(request.cookies.get(_COOKIE, ""), ""))


def _provider() -> _Provider:
    found: _Provider = current_app.extensions["demo.identity"]
    return found


def _server() -> Any:  # noqa: ANN401 - the library has no types
    return current_app.extensions["demo.server"]


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc] # the library has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, asked: Any) -> None:  # noqa: ANN401 - the library has no types
        data, known = asked.payload.data, _provider()
        known.codes[code] = _Code(
            code,
            asked.user,
            asked.payload.redirect_uri,
            asked.payload.scope,
            data["nonce"],
            data["code_challenge"],
            data["code_challenge_method"],
            known.clock.monotonic() + CODE_SECONDS,
            int(known.clock.now().timestamp()),
        )

    def query_authorization_code(self, code: str, client: RelyingParty) -> _Code | None:  # noqa: ARG002 - there is one client
        known = _provider()
        # Taken out at once: a code that is tried twice, with whatever verifier, is gone.
        found = known.codes.pop(code, None)
        return found if found is not None and known.clock.monotonic() < found.ends else None

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """Do nothing: it was taken out when it was asked for."""

    def authenticate_user(self, authorization_code: _Code) -> DemoPerson:
        return authorization_code.person


class _S256(CodeChallenge):  # type: ignore[misc] # the library has no types
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)


class _IdToken(OpenIDCode):  # type: ignore[misc] # the library has no types
    def exists_nonce(self, nonce: str, asked: Any) -> bool:  # noqa: ARG002, ANN401 - the library has no types
        return any(code.nonce == nonce for code in _provider().codes.values())

    def resolve_client_private_key(self, client: RelyingParty) -> ECKey:  # noqa: ARG002 - there is one client
        return _provider().key

    def get_client_algorithm(self, client: RelyingParty) -> str:  # noqa: ARG002 - likewise
        return ALGORITHM

    def get_encode_header(self, client: RelyingParty) -> dict[str, str]:  # noqa: ARG002 - likewise
        return {"alg": ALGORITHM, "kid": _provider().key.kid or "", "typ": "JWT"}

    def get_client_claims(self, client: RelyingParty) -> dict[str, object]:
        known = _provider()
        now = int(known.clock.now().timestamp())
        return {"iss": known.issuer, "aud": client.client_id, "iat": now, "exp": now + TOKEN_SECONDS}

    def generate_user_info(self, user: DemoPerson, scope: str) -> UserInfo:  # noqa: ARG002 - it has one scope
        return UserInfo(sub=user.subject, **user.claims)


class _EndSession(EndSessionEndpoint):  # type: ignore[misc] # the library has no types
    def get_server_jwks(self) -> KeySet:
        return KeySet([_provider().key])

    def is_post_logout_redirect_uri_legitimate(
        self,
        request: Any,  # noqa: ANN401, ARG002 - the library has no types
        post_logout_redirect_uri: str,
        client: RelyingParty | None,
        logout_hint: str | None,  # noqa: ARG002 - we use none
    ) -> bool:
        return client is not None and post_logout_redirect_uri == client.signed_out

    def end_session(self, end_session_request: object) -> None:  # noqa: ARG002 - the cookie tells whose
        _provider().sessions.pop(request.cookies.get(_COOKIE, ""), None)


pages = Blueprint("demo_identity", __name__)


@pages.get("/.well-known/openid-configuration")
@public(_OPEN, unrecorded=_OPEN)
def discovery() -> dict[str, object]:
    """Tell relying parties what there is."""
    known = _provider()
    return {
        "issuer": known.issuer,
        "authorization_endpoint": f"{known.issuer}/authorize",
        "token_endpoint": f"{known.issuer}/token",
        "jwks_uri": f"{known.issuer}/keys",
        "end_session_endpoint": f"{known.issuer}/sign-out",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "scopes_supported": ["openid", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        DEMO_MARK: True,
    }


@pages.get("/keys")
@public(_OPEN, unrecorded=_OPEN)
def keys() -> dict[str, object]:
    """Give the public key."""
    return {"keys": [{**_provider().key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}


@pages.get("/")
@public(_OPEN, unrecorded=_OPEN)
def home() -> str:
    """Say what this is."""
    return render_template("identity_provider.html", persons=(), signing_out=False)


@pages.get("/authorize")
@public(_OPEN, unrecorded=_OPEN)
def choose() -> Response | str:
    """Let whoever comes choose a person, or go on as the one chosen before."""
    known = _provider()
    person = known.session_person()
    try:
        grant = _asked(person)
    except OAuth2Error as error:
        return _answer(_server().handle_error_response(None, error))
    if person is not None:
        return _granted(grant, person)
    persons = list(known.persons.values())
    return render_template("identity_provider.html", persons=persons, signing_out=False)


@pages.post("/authorize")
@public(_OPEN, unrecorded=_OPEN)
def chosen() -> Response | tuple[str, int]:
    """Go back as the chosen person."""
    known = _provider()
    person = known.persons.get(request.form.get("person", ""))
    if person is None:
        return "unknown person", 400
    try:
        answer = _granted(_asked(person), person)
    except OAuth2Error as error:
        return _answer(_server().handle_error_response(None, error))
    session = secrets.token_urlsafe(32)
    known.sessions[session] = person.subject
    answer.set_cookie(_COOKIE, session, httponly=True, samesite="Lax")
    return answer


@pages.post("/token")
@public(_OPEN, unrecorded=_OPEN)
def token() -> Response:
    """Give the ID token for a code."""
    return _answer(_server().create_token_response())


@pages.route("/sign-out", methods=["GET", "POST"])
@public(_OPEN, unrecorded=_OPEN)
def sign_out() -> Response | str:
    """Ask whether to sign out here, too, and lead back."""
    server = _server()
    try:
        asked = server.validate_endpoint_request("end_session")
    except OAuth2Error as error:
        return _answer(server.handle_error_response(None, error))
    if request.method == "GET" and _provider().session_person() is not None:
        back = _provider().party.signed_out
        return render_template("identity_provider.html", persons=(), signing_out=True, back=back)
    answer = server.create_endpoint_response("end_session", asked)
    return _answer(answer) if answer else redirect(url_for("demo_identity.home"), 303)


def _asked(person: DemoPerson | None) -> Any:  # noqa: ANN401 - the library has no types
    """Give what a relying party asks for; one that brings no challenge is refused here.

    The library asks for a challenge of public clients only.
    """
    grant = _server().get_consent_grant(end_user=person)
    if request.args.get("code_challenge_method") != "S256" or not request.args.get("code_challenge"):
        raise InvalidRequestError("code_challenge with S256 is required")
    return grant


def _granted(grant: Any, person: DemoPerson) -> Response:  # noqa: ANN401 - the library has no types
    made = _server().create_authorization_response(grant.request, grant_user=person, grant=grant)
    return _answer(made)


def _answer(made: object) -> Response:
    if not isinstance(made, Response):
        raise TypeError("the library gives a response of Flask")
    return made


def _mode() -> str:
    asked = request.args.get("mode", MODES[0])
    return asked if asked in MODES else MODES[0]


def _switched(name: str, value: str) -> str:
    """Give this page's address with one word of its query set: what a relying party asked for stays."""
    return f"{request.path}?{urlencode({**request.args, name: value})}"


def create_provider(issuer: str, party: RelyingParty, persons: Sequence[DemoPerson], clock: Clock) -> Flask:
    """Make the provider's application.

    Args:
        issuer: Its address.
        party: The installation that it serves.
        persons: Who may be chosen.
        clock: What its tokens are dated by.
    """
    app = Flask("portal")
    app.register_blueprint(pages)
    key = ECKey.generate_key("P-256", auto_kid=True)
    app.extensions["demo.identity"] = _Provider(
        issuer, party, {one.subject: one for one in persons}, clock, key
    )
    server = AuthorizationServer(
        app, lambda name: party if name == party.client_id else None, lambda *_: None
    )
    server.register_grant(_CodeGrant, [_S256(required=True), _IdToken(require_nonce=True)])
    server.register_endpoint(_EndSession)
    app.extensions["demo.server"] = server

    app.jinja_env.globals.update(_=gettext, language=language, mode=_mode, switched=_switched)

    @app.before_request
    def choose_language() -> None:
        set_language(EN if request.args.get("ui_locales") == EN else ZH)

    @app.after_request
    def secure(answer: Any) -> Any:  # noqa: ANN401 - Flask's own annotation
        answer.headers.extend(_HEADERS)
        return answer

    return app
