# SPDX-License-Identifier: Apache-2.0
"""Public keys of systems: registered by two persons, changed by the system itself, never a private one."""

import itertools
import json
from pathlib import Path

import pytest
from calling import Caller
from joserfc.jwk import ECKey, RSAKey

from portal.accounts.carrying import ChangeKind
from portal.asking.signing import CallerKey
from portal.clients.errors import ClientKeyInvalidError, ClientKeyTakenError
from portal.clients.keys import MOST_KEYS, read_public
from portal.clients.models import ClientNonce
from portal.clients.once import forget_old
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

from .conftest import House, form_token, run

KEYS = "/api/v1/client-keys"


def _members(key: CallerKey) -> dict[str, str]:
    return {name: value for name, value in key.public().items() if name in {"kty", "crv", "x", "y"}}


@pytest.mark.parametrize("curve", ["P-256", "Ed25519"])
def test_a_public_key_is_known_by_its_thumbprint(curve: str) -> None:
    key = CallerKey.make(curve)
    assert read_public(json.dumps(key.public())) == (key.kid, _members(key))


@pytest.mark.parametrize(
    "what", ["private", "rsa", "another curve", "no point", "no key", "a list", "too long"]
)
def test_whatever_else_is_no_key_to_register(what: str) -> None:
    pair = CallerKey.make()
    stated = {
        "private": json.dumps(pair.private()),
        "rsa": json.dumps(RSAKey.generate_key(2048).as_dict(private=False)),
        "another curve": json.dumps(ECKey.generate_key("P-384").as_dict(private=False)),
        "no point": json.dumps(_members(pair) | {"x": _members(pair)["y"]}),
        "no key": "-----BEGIN PUBLIC KEY-----",
        "a list": "[]",
        "too long": " " * 3000,
    }[what]
    with pytest.raises(ClientKeyInvalidError):
        read_public(stated)


def test_two_persons_register_and_end_a_key(house: House) -> None:
    caller = house.caller("ask")
    asks, decides = house.browser(Role.SYSTEM_ADMIN), house.browser(Role.SECURITY_ADMIN)
    pair = CallerKey.make()
    form = asks.get(f"/rights/ask?kind=client-key-add&of={caller.client_id}")
    assert "JWK" in form.text
    said = {"form_token": form_token(form.text), "of": caller.client_id, "reason": "轮换"}
    bad = asks.post("/rights/ask", data=said | {"kind": "client-key-add", "key": json.dumps(pair.private())})
    assert bad.status_code == 422
    good = asks.post("/rights/ask", data=said | {"kind": "client-key-add", "key": json.dumps(pair.public())})
    assert good.status_code == 303, good.text
    next_one = Caller(house.app, house.rooms, caller.client_id, pair)
    assert next_one.asked().status_code == 401, "one person is not enough"
    _approve(house, decides)
    assert next_one.asked().status_code == 200
    assert pair.kid in asks.get(f"/rights/ask?kind=client-key-end&of={caller.client_id}").text
    ended = asks.post("/rights/ask", data=said | {"kind": "client-key-end", "key": caller.key.kid})
    assert ended.status_code == 303
    _approve(house, decides)
    assert caller.asked().status_code == 401
    assert next_one.asked().status_code == 200
    assert house.acts().count("client.key-ended") == 1


def _approve(house: House, browser: object) -> None:
    page = browser.get("/rights")  # type: ignore[attr-defined] # a browser of the house
    change = page.text.partition('id="change-')[2][:26]
    data = {"form_token": form_token(page.text), "decision": "approve", "reason": "核对无误"}
    answer = browser.post(f"/rights/{change}/decision", data=data)  # type: ignore[attr-defined] # as above
    assert answer.status_code == 303, answer.text


def test_who_is_no_administrator_registers_nothing(house: House) -> None:
    caller, public = house.caller("ask"), json.dumps(CallerKey.make().public())
    clerk = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
    rights, kind = house.rooms.rights, ChangeKind.CLIENT_KEY_ADD
    with house.rooms.database.writing() as uow, pytest.raises(NotPermittedError):
        rights.change_key(uow, clerk, kind, caller.client_id, public, "x")


def test_a_system_changes_its_key_itself(house: House) -> None:
    caller, pair = house.caller("ask"), CallerKey.make("Ed25519")
    house.clock.advance(1)
    made = caller.call(KEYS, _members(pair))
    assert (made.status_code, made.json["kid"]) == (201, pair.kid)
    next_one = Caller(house.app, house.rooms, caller.client_id, pair)
    listed = house.app.test_client().get(KEYS, headers=next_one.headers()).json
    assert [one["kid"] for one in listed["keys"]] == [caller.key.kid, pair.kid]
    own = next_one.call(f"{KEYS}/{pair.kid}/end", {})
    assert (own.status_code, own.json["code"]) == (409, "client-key-in-use")
    assert next_one.call(f"{KEYS}/{caller.key.kid}/end", {}).status_code == 200
    assert caller.asked().status_code == 401
    assert house.acts().count("client.key-added") == 2


def test_a_key_belongs_to_one_system_and_five_are_enough(house: House) -> None:
    caller, other = house.caller("ask"), house.caller("ask")
    taken = other.call(KEYS, _members(caller.key))
    assert (taken.status_code, taken.json["code"]) == (409, "client-key-taken")
    for _ in range(MOST_KEYS - 1):
        assert caller.call(KEYS, _members(CallerKey.make())).status_code == 201
    full = caller.call(KEYS, _members(CallerKey.make()))
    assert (full.status_code, full.json["code"]) == (409, "client-keys-full")
    assert ClientKeyTakenError.status == 409


def test_a_shared_key_and_an_unsigned_call_register_nothing(house: House) -> None:
    shared = {"Authorization": f"Bearer {house.client_key('announce')}"}
    key = _members(CallerKey.make())
    refused = house.app.test_client().post(KEYS, json=key, headers=shared)
    assert (refused.status_code, refused.json["code"]) == (403, "client-key-required")
    caller = house.caller("ask")
    unsigned = house.app.test_client().post(KEYS, json=key, headers=caller.headers())
    assert (unsigned.status_code, unsigned.json["code"]) == (401, "signature-invalid")
    private = caller.call(KEYS, key | {"d": "secret"})
    assert private.status_code == 422
    assert "secret" not in private.text


def test_what_is_too_old_is_forgotten(house: House) -> None:
    caller = house.caller("ask")
    caller.token()
    house.clock.advance(600)
    with house.rooms.database.writing() as uow:
        assert forget_old(uow) == 1
        assert uow.session.query(ClientNonce).count() == 0


def test_the_command_line_makes_registers_and_ends_keys(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = json.loads((installation / "demo-cast.json").read_bytes())["sandbox"]
    code, said = run("client", "make-key", str(tmp_path / "pair"), capsys=capsys)
    assert code == 0
    kid = said.split()[0]
    assert CallerKey.read(tmp_path / "pair" / "private.jwk").kid == kid
    public = str(tmp_path / "pair" / "public.jwk")
    code, said = run("client", "key-add", client, public, "--reason", "轮换", capsys=capsys)
    assert code == 0, said
    change = said.split()[3]
    assert run("right", "approve", change, "--reason", "核对", capsys=capsys)[0] == 0
    code, said = run("client", "key-end", client, kid, "--reason", "停用", capsys=capsys)
    assert code == 0, said
    assert run("client", "key-add", client, public, "--reason", "又", capsys=capsys)[0] == 3


@pytest.mark.parametrize("beginning", ["-", "--"])
def test_a_thumbprint_that_begins_with_hyphens_is_ended_like_any_other(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], beginning: str
) -> None:
    client = json.loads((installation / "demo-cast.json").read_bytes())["sandbox"]
    made = (CallerKey.make("Ed25519") for _ in itertools.count())
    pair = next(key for key in made if key.kid.startswith(beginning) and "h" in key.kid)
    public = tmp_path / "public.jwk"
    public.write_text(json.dumps(pair.public()))
    code, said = run("client", "key-add", client, str(public), "--reason", "轮换", capsys=capsys)
    assert code == 0, said
    assert run("right", "approve", said.split()[3], "--reason", "核对", capsys=capsys)[0] == 0
    code, said = run("client", "key-end", client, pair.kid, "--reason", "停用", capsys=capsys)
    assert code == 0, said
    code, said = run("client", "key-end", client, pair.kid, "--resaon", "停用", capsys=capsys)
    assert (code, "command-line" in said) == (64, True)
