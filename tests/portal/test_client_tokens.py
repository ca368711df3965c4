# SPDX-License-Identifier: Apache-2.0
"""Tokens of calling systems: proven by a key, for one person and purpose, ended with what they stand on."""

import base64
import datetime as dt
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from portal.accounts.models import Account, Client
from portal.accounts.rights import NewAccount, add_account, add_client
from portal.asking.signing import CallerKey
from portal.clients.keys import add_key, end_key, running_key
from portal.clients.tokens import TOKEN_TYPE
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE
from storage.identity import Role

from .conftest import ADMINISTRATOR, House
from .test_api_cases import PATH

PROOFS = "/api/v1/proofs"


def announced(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.client_key('announce')}"}
    assert house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers=headers).status_code == 201


def _stands(house: House, token: str) -> int:
    """Give the status of a call that a running token of scope ``ask`` opens."""
    headers = {"Authorization": f"Bearer {token}"}
    return int(house.app.test_client().get("/api/v1/proofs/recalled", headers=headers).status_code)


@pytest.mark.parametrize("curve", ["P-256", "Ed25519"])
def test_a_proven_client_gets_a_token_and_its_signed_question_is_answered(house: House, curve: str) -> None:
    announced(house)
    caller = house.caller("ask", curve=curve)
    answer = caller.asked()
    assert answer.status_code == 200
    assert {"token_type": "Bearer", "expires_in": 600, "scope": "ask"}.items() <= answer.json.items()
    assert answer.headers["Cache-Control"] == "no-store"
    key = ECKey.import_key(house.app.test_client().get("/.well-known/jwks.json").json["keys"][0])
    token = jwt.decode(answer.json["access_token"], key, algorithms=["ES256"])
    assert token.header["typ"] == TOKEN_TYPE
    said = token.claims
    assert (said["sub"], said["client_id"]) == (caller.client_id, caller.client_id)
    assert (said["operator"], said["purpose"]) == ("op-1", "accept")
    assert said["cnf"] == {"jkt": caller.key.kid}
    assert said["exp"] - said["iat"] == 600
    assert caller.call(PROOFS, PROOF_EXAMPLE).status_code == 200
    assert house.acts()[-2:] == ["proof.asked", "proof.answered"]


def test_the_server_says_where_tokens_are_given(house: House) -> None:
    browser = house.app.test_client()
    told = browser.get("/.well-known/oauth-authorization-server")
    assert told.json["token_endpoint"] == told.json["issuer"] + "/oauth/token"
    assert told.json["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    again = browser.get(
        "/.well-known/oauth-authorization-server", headers={"If-None-Match": told.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "another"}, "client-not-proven"),
        ({"sub": None}, "client-not-proven"),
        ({"aud": "https://elsewhere.example/oauth/token"}, "client-not-proven"),
        ({"aud": None}, "client-not-proven"),
        ({"jti": None}, "client-not-proven"),
        ({"exp": None}, "client-not-proven"),
        ({"exp": "tomorrow"}, "client-not-proven"),
        ({"exp": True}, "client-not-proven"),
    ],
)
def test_an_assertion_that_says_something_else_proves_nobody(
    house: House, claims: dict[str, Any], code: str
) -> None:
    answer = house.caller("ask").asked(assertion=claims)
    assert answer.status_code == 401
    assert (answer.json["error"], answer.json["code"]) == ("invalid_client", code)


@pytest.mark.parametrize(
    ("issued", "over", "code"),
    [
        (-61, -61, "clock-skew"),
        (61, 120, "clock-skew"),
        (0, 361, "client-not-proven"),
        (-3600, 60, None),
        (59, 300, None),
        (-100, -59, None),
    ],
)
def test_clocks_may_differ_by_a_minute_and_assertions_live_five(
    house: House, issued: int, over: int, code: str | None
) -> None:
    now = int(house.clock.now().timestamp())
    answer = house.caller("ask").asked(assertion={"iat": now + issued, "exp": now + over})
    assert answer.json.get("code") == code
    if code == "clock-skew":
        assert answer.json["facts"]["window"] == 60
        assert answer.json["facts"]["now"].startswith(house.clock.now().strftime("%Y-%m-%dT%H:%M"))


def test_an_assertion_is_used_once(house: House) -> None:
    caller, other = house.caller("ask"), house.caller("ask")
    used = {"jti": "the-only-one"}
    assert caller.asked(assertion=used).status_code == 200
    again = caller.asked(assertion=used)
    assert (again.status_code, again.json["code"]) == (409, "request-replayed")
    assert other.asked(assertion=used).status_code == 200, "another client may choose the same id"


def _forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Give a token that is signed by nobody, or with the public key taken for a shared secret."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    content = b".".join(parts)
    signature = hmac.digest(secret, content, "sha256") if header["alg"] == "HS256" else b""
    return f"{content.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
def test_the_algorithm_is_the_keys_and_not_the_assertions(house: House, algorithm: str) -> None:
    caller = house.caller("ask")
    now = int(house.clock.now().timestamp())
    claims = {"iss": caller.client_id, "sub": caller.client_id, "aud": f"{caller.address}/oauth/token"}
    claims |= {"exp": now + 60, "jti": "a-made-up-id"}
    header = {"alg": algorithm, "kid": caller.key.kid}
    if algorithm == "RS256":
        text = caller.key.assertion(caller.client_id, f"{caller.address}/oauth/token", house.clock.now())
        header_of_rsa = "eyJhbGciOiJSUzI1NiJ9"
        text = ".".join([header_of_rsa, *text.split(".")[1:]])
    else:
        text = _forged(header, claims, caller.key.key.as_pem(private=False))
    answer = caller.asked(assertion=text)
    assert (answer.status_code, answer.json["code"]) == (401, "client-not-proven")


def test_another_key_proves_nobody_and_nothing_comes_back(house: House) -> None:
    caller = house.caller("ask")
    stranger = CallerKey.make()
    address = f"{caller.address}/oauth/token"
    for text in (
        stranger.assertion(caller.client_id, address, house.clock.now()),
        CallerKey(stranger.key, caller.key.kid).assertion(caller.client_id, address, house.clock.now()),
        "unheard-of.unheard-of.unheard-of",
        "unheard-of" * 900,
        "",
    ):
        answer = caller.asked(assertion=text)
        assert answer.status_code == 401
        assert "unheard-of" not in answer.text
        assert stranger.kid not in answer.text
    assert house.acts() == ["client.added", "client.key-added", "grant.added"], (
        "who proves nobody is only counted"
    )


def test_what_is_asked_for_lies_within_what_the_client_holds(house: House) -> None:
    caller = house.caller("ask", "read")
    for asked, error in (
        ({"scope": "announce"}, "invalid_scope"),
        ({"scope": "ask ask"}, "invalid_scope"),
        ({"operator": "nobody"}, "invalid_request"),
        ({"purpose": "because"}, "invalid_request"),
        ({"purpose": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "basic"}, "invalid_request"),
    ):
        answer = caller.asked(**asked)
        assert (answer.status_code, answer.json["error"]) == (400, error), asked
    assert caller.asked(scope="read", purpose=None).json["scope"] == "read", "reading states its own purpose"


def test_attempts_that_prove_nobody_are_limited(house: House) -> None:
    caller = house.caller("ask")
    codes = [caller.asked(assertion="x.y.z").status_code for _ in range(40)]
    assert codes[0] == 401
    assert codes[-1] == 429
    assert caller.asked().status_code == 200, "one address is many clients: who is proven gets in"
    assert caller.asked(scope="file").status_code == 429, "what fails is told no more than that"
    house.clock.advance(60)
    assert caller.asked(assertion="x.y.z").status_code == 401


def test_a_token_ends_with_its_time_its_key_its_client_and_its_person(house: House) -> None:
    with house.rooms.database.writing() as uow:
        person = add_account(
            uow, ADMINISTRATOR, NewAccount(name="经办", organisation="scjg", roles=frozenset({Role.CLERK}))
        )
        account = person.id
    database = house.rooms.database

    def fresh() -> Any:
        caller = house.caller("ask")
        database.write(lambda uow: setattr(uow.session.get(Client, caller.client_id), "operators", [account]))
        caller.operator = account
        return caller, caller.token()

    caller, token = fresh()
    assert _stands(house, token) == 200
    database.write(
        lambda uow: end_key(uow, ADMINISTRATOR, running_key(uow, caller.client_id, caller.key.kid))
    )
    assert _stands(house, token) == 401
    assert caller.asked().status_code == 401
    caller, token = fresh()
    database.write(
        lambda uow: setattr(uow.session.get(Client, caller.client_id), "ended_at", uow.clock.now())
    )
    assert _stands(house, token) == 401
    caller, token = fresh()
    database.write(lambda uow: setattr(uow.session.get(Client, caller.client_id), "operators", []))
    assert _stands(house, token) == 401
    caller, token = fresh()
    database.write(lambda uow: setattr(uow.session.get(Account, account), "ended_at", uow.clock.now()))
    assert _stands(house, token) == 401
    caller = house.caller("ask")
    token = caller.token()
    house.clock.advance(599)
    assert _stands(house, token) == 200
    house.clock.advance(2)
    assert _stands(house, token) == 401


def test_a_header_names_no_other_person_than_the_token(house: House) -> None:
    caller = house.caller("ask")
    for named, status in (("op-1", 200), ("op-2", 401)):
        headers = caller.headers() | {"Access-Operator": named}
        assert house.app.test_client().get("/api/v1/proofs/recalled", headers=headers).status_code == status


def test_a_statement_that_is_no_token_opens_nothing(house: House) -> None:
    caller = house.caller("ask")
    answers = house.rooms.proofs.keys
    claims = {"iss": caller.address, "sub": caller.client_id, "exp": 2**33, "cnf": {"jkt": caller.key.kid}}
    payload: dict[str, Any] = claims | {"scope": "ask"}
    assert _stands(house, answers.sign_payload(payload, TOKEN_TYPE)) == 200
    assert _stands(house, answers.sign_payload(payload, "cunzheng-decision+json")) == 401
    assert _stands(house, answers.sign_payload(payload | {"iss": "https://other"}, TOKEN_TYPE)) == 401
    own = jwt.encode({"alg": "ES256", "typ": TOKEN_TYPE, "kid": answers.kid}, payload, caller.key.key)
    assert _stands(house, own) == 401


def test_the_shared_key_opens_nothing_once_there_is_a_public_one(house: House) -> None:
    with house.rooms.database.writing() as uow:
        client, key = add_client(uow, ADMINISTRATOR, house.new_client("announce", "ask"))
        client_id = client.id
    headers = {"Authorization": f"Bearer {key}"}
    browser = house.app.test_client()
    assert browser.put(PATH, json=CASE_EXAMPLE, headers=headers).status_code == 201
    asked = browser.post(PROOFS, json=PROOF_EXAMPLE, headers=headers | {"Access-Operator": "op-1"})
    assert (asked.status_code, asked.json["code"]) == (403, "client-key-required")
    pair = CallerKey.make()
    house.rooms.database.write(lambda uow: add_key(uow, ADMINISTRATOR, client_id, pair.public()))
    gone = browser.put(PATH, json=CASE_EXAMPLE, headers=headers)
    assert (gone.status_code, gone.json["code"]) == (401, "api-key-replaced")
    house.rooms.database.write(lambda uow: end_key(uow, ADMINISTRATOR, running_key(uow, client_id, pair.kid)))
    house.clock.advance(dt.timedelta(days=1).total_seconds())
    assert browser.put(PATH, json=CASE_EXAMPLE, headers=headers).status_code == 401, "nor when that has ended"
