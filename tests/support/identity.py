# SPDX-License-Identifier: Apache-2.0
"""Identity providers on loopback: the demonstration's own, and one that says whatever the test wants."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, request
from joserfc import jwt
from joserfc.jwk import ECKey
from running import free_port
from werkzeug.serving import make_server

from portal.citizens.provider import ALGORITHMS
from portal.demo.holders import DemoPerson
from portal.demo.identity_provider import RelyingParty, create_provider
from storage.clock import Clock

SECRET = "a secret of the test"


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    """Serve an application on loopback in a thread."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def demo_provider(public_url: str, persons: Sequence[DemoPerson], clock: Clock) -> Iterator[str]:
    """Serve the demonstration's identity provider for an installation; give its issuer."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    party = RelyingParty("cunzheng", SECRET, f"{public_url}/mine/back", f"{public_url}/mine/sign-in")
    app = create_provider(issuer, party, persons, clock)
    app.testing = True
    with served(app, port):
        yield issuer


@dataclass
class Forger:
    """A provider whose every answer the test decides.

    Attributes:
        key: Its signing key.
        make: Makes the token endpoint's answer.
        metadata: What its discovery document says in addition.
        keys: Its published keys.
        user_info: What its userinfo endpoint tells.
        asked: What reached the token endpoint.
    """

    issuer: str
    clock: Clock
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    make: Callable[[], Mapping[str, Any]] = dict
    metadata: Mapping[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    user_info: Mapping[str, Any] = field(default_factory=dict)
    asked: list[Mapping[str, str]] = field(default_factory=list)
    key_fetches: int = 0

    def claims(self, nonce: str, /, **changes: Any) -> dict[str, Any]:
        """Give good claims with changes; ``None`` takes one out."""
        now = int(self.clock.now().timestamp())
        good = {"iss": self.issuer, "aud": "cunzheng", "sub": "s-1", "iat": now, "exp": now + 300}
        made = good | {"nonce": nonce, "identity_code": "339999190001010012"} | changes
        return {name: value for name, value in made.items() if value is not None}

    def token(self, claims: Mapping[str, Any], key: Any = None, **header: Any) -> dict[str, Any]:
        """Give the token endpoint's answer with a signed ID token."""
        signing = key or self.key
        head = {"alg": "ES256", "kid": self.key.kid} | header
        text = jwt.encode(head, dict(claims), signing, algorithms=[*ALGORITHMS, str(head["alg"])])
        return {"access_token": "access", "token_type": "Bearer", "id_token": text}


@contextmanager
def forger(clock: Clock) -> Iterator[Forger]:
    """Serve a provider that says whatever the test wants."""
    port = free_port()
    made = Forger(f"http://127.0.0.1:{port}", clock)
    made.keys.append(made.key.as_dict(private=False))
    app = Flask("forger")

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {
            "issuer": made.issuer,
            **{name: f"{made.issuer}/{path}" for name, path in places.items()},
            **made.metadata,
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        made.key_fetches += 1
        return {"keys": made.keys}

    @app.post("/token")
    def token() -> Any:
        made.asked.append({**request.form, "authorization": request.headers.get("Authorization", "")})
        return made.make()

    @app.get("/who")
    def who() -> Any:
        assert request.headers["Authorization"] == "Bearer access"
        return made.user_info

    with served(app, port):
        yield made


def query_of(address: str) -> dict[str, str]:
    """Give the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def choose(address: str, person: DemoPerson) -> str:
    """Choose a person at the demonstration's provider, as a browser does; give where it leads."""
    body = urlencode({"person": person.subject}).encode()
    opener = urllib.request.build_opener(_Stay)
    try:
        opener.open(urllib.request.Request(address, data=body), timeout=10)
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["Location"])
    raise AssertionError("the provider did not lead back")


def post_form(address: str, form: Mapping[str, str], **headers: str) -> int:
    """Send a form; give the status of the answer."""
    asked = urllib.request.Request(address, data=urlencode(form).encode(), headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        with answer:
            return int(answer.code)
