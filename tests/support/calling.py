# SPDX-License-Identifier: Apache-2.0
"""A calling system: its key pair, its tokens, and a test browser that signs what such a system signs.

Signatures are made by a library that knows nothing of our profile.
"""

import datetime as dt
import json
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from granting import grant
from werkzeug.test import EnvironBuilder, TestResponse

from portal.accounts.models import Account
from portal.accounts.rights import NewClient, add_client
from portal.asking.signing import CallerKey
from portal.clients.keys import add_key
from portal.clients.tokens import ASSERTION_TYPE
from portal.rooms import Rooms
from storage.identity import Role, system_identity

SIGNED = (
    *(
        "/api/v1/proofs",
        "/api/v1/proofs:batch",
        "/api/v1/one-certificate",
        "/copies",
        "/copy",
        "/links",
        "/authorisation-codes",
    ),
    *("/rungs", "/events", "/answer", "FileByHolder", "FileByCertificateID", "/downloadFile"),
)
"""How the addresses end of what must be signed."""
_TEST = system_identity("test")


@dataclass
class Caller:
    """A client of an installation with its key pair."""

    app: Flask
    rooms: Rooms
    client_id: str
    key: CallerKey
    operator: str | None = "op-1"
    purpose: str | None = "accept"
    tokens: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.app.extensions["cunzheng.tokens"].issuer)

    def asked(self, **changes: Any) -> TestResponse:
        """Ask for a token; ``assertion`` holds changes of claims, the rest are form fields."""
        now = self.rooms.clock.now()
        claims = changes.pop("assertion", {})
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": claims
            if isinstance(claims, str)
            else self.key.assertion(self.client_id, f"{self.address}/oauth/token", now, **claims),
            "operator": self.operator,
            "purpose": self.purpose,
        } | changes
        given = {name: value for name, value in form.items() if value is not None}
        return FlaskClient(self.app, self.app.response_class).post("/oauth/token", data=given)

    def token(self, **changes: Any) -> str:
        answer = self.asked(**changes)
        assert answer.status_code == 200, answer.text
        self.tokens.append(answer.json["access_token"])
        return self.tokens[-1]

    def headers(self, **changes: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**changes)}"}

    def signed(
        self, path: str, body: bytes, headers: dict[str, str], method: str = "POST", later: float = 0
    ) -> dict[str, str]:
        now = self.rooms.clock.now() + dt.timedelta(seconds=later)
        return self.key.signed(method, self.address + path, headers, body, now)

    def call(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        """Send a signed call."""
        data = json.dumps(body).encode()
        base = {"Content-Type": "application/json"} | (headers or self.headers())
        plain = FlaskClient(self.app, self.app.response_class)
        return plain.post(path, data=data, headers=self.signed(path, data, base))


class SigningClient(FlaskClient):
    """Signs the calls of systems that it knows, as such a system does, and takes another token in time."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        caller = self._caller(kwargs.get("headers"))
        if caller is None or not args or not isinstance(args[0], str):
            return super().open(*args, **kwargs)
        headers = dict(kwargs["headers"])
        headers["Authorization"] = f"Bearer {caller.renew()}"
        kwargs["headers"] = headers
        if kwargs.get("method") != "POST" or not args[0].endswith(SIGNED) or "Signature" in headers:
            return super().open(*args, **kwargs)
        builder = EnvironBuilder(
            args[0], **{name: kwargs.get(name) for name in ("json", "data", "content_type")}
        )
        request = builder.get_request()
        body = request.get_data()
        base = {"Content-Type": request.content_type or "application/json"} | headers
        kwargs.pop("json", None)
        kwargs["data"] = body
        kwargs["headers"] = caller.caller.signed(args[0], body, base)
        return super().open(*args, **kwargs)

    def _caller(self, headers: Any) -> "_Known | None":
        sent = dict(headers or {}).get("Authorization", "")
        known: dict[str, _Known] = self.application.extensions.setdefault("test.callers", {})
        return known.get(sent.removeprefix("Bearer "))


@dataclass
class _Known:
    caller: Caller
    wanted: dict[str, Any]
    made: dt.datetime
    token: str

    def renew(self) -> str:
        now = self.caller.rooms.clock.now()
        if now - self.made > dt.timedelta(minutes=9):
            answer = self.caller.asked(**self.wanted)
            # A client that has ended gets none; its old token is refused, too.
            if answer.status_code == 200:
                self.made, self.token = now, answer.json["access_token"]
        return self.token


def known_token(caller: Caller, **wanted: Any) -> str:
    """Give a token whose calls a :class:`SigningClient` signs, and renews when its time is over."""
    token = caller.token(**wanted)
    known = caller.app.extensions.setdefault("test.callers", {})
    known[token] = _Known(caller, wanted, caller.rooms.clock.now(), token)
    return token


def renew(app: Flask) -> None:
    """Take other tokens for those whose time is nearly over, before somebody looks at the tables."""
    known: dict[str, _Known] = app.extensions.get("test.callers", {})
    for one in known.values():
        one.renew()


def add_operators(uow: Any, operators: Iterable[str]) -> None:
    """Give accounts to persons whom a test names by an id of its own; no act tells of it."""
    for one in operators:
        if uow.session.get(Account, one) is None:
            uow.session.add(
                Account(
                    id=one,
                    name_cipher=uow.secrets.encrypt(one, "测试经办人".encode()),
                    organisation="scjg",
                    roles=[str(Role.CLERK)],
                    added_at=uow.clock.now(),
                )
            )
            uow.session.flush()


def make_caller(app: Flask, rooms: Rooms, new: NewClient, curve: str = "P-256", **more: Any) -> Caller:
    """Add a client with a registered public key."""
    key = CallerKey.make(curve)

    def add(uow: Any) -> str:
        add_operators(uow, new.operators)
        client, _ = add_client(uow, _TEST, new)
        add_key(uow, _TEST, client.id, key.public())
        if client.items:
            grant(uow, client.items, organisation=client.organisation, client_id=client.id)
        return client.id

    return Caller(app, rooms, rooms.database.write(add), key, **more)


@dataclass
class Outside:
    """The demonstration's sandbox client, as a system on another machine."""

    address: str
    client_id: str
    key: CallerKey
    operator: str
    purpose: str = "accept"
    _token: str = ""
    _until: float = 0

    @classmethod
    def of(cls, address: str, data: Path) -> Self:
        cast = json.loads((data / "demo-cast.json").read_bytes())
        key = CallerKey.read(data / "demo-client.jwk")
        return cls(address, cast["sandbox"], key, cast["accounts"]["clerk"])

    def renew(self) -> None:
        """Take another token, while there is somebody who gives one."""
        self._until = 0
        self.token()

    def token(self, served_at: str = "") -> str:
        """Give a token that is good for some minutes; ``served_at`` is a process's own address."""
        if time.monotonic() > self._until:
            place = f"{self.address}/oauth/token"
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self.key.assertion(self.client_id, place, dt.datetime.now(dt.UTC)),
                "operator": self.operator,
                "purpose": self.purpose,
            }
            asked = urllib.request.Request(
                f"{served_at or self.address}/oauth/token", urlencode(form).encode()
            )
            with urllib.request.urlopen(asked, timeout=60) as answer:
                self._token = json.load(answer)["access_token"]
            self._until = time.monotonic() + 500
        return self._token

    def headers(self, path: str, body: bytes, served_at: str = "") -> dict[str, str]:
        """Give the headers of a signed ``POST`` of JSON."""
        base = {"Authorization": f"Bearer {self.token(served_at)}", "Content-Type": "application/json"}
        return self.key.signed("POST", self.address + path, base, body, dt.datetime.now(dt.UTC))
