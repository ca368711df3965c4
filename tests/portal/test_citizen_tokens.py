# SPDX-License-Identifier: Apache-2.0
"""ID tokens at the edge: only what the provider signed for this sign-in, now, lets anybody in."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from identity import Forger, forger, query_of
from joserfc.jwk import ECKey, OctKey, RSAKey

from portal.citizens.errors import DemoProviderError
from portal.citizens.flow import Flow
from portal.citizens.provider import Provider, Registration
from storage.clock import RandomIds

from .conftest import House, make_house
from .signing_in import PUBLIC_URL, begin, house_at, let_nobody_in


@dataclass
class Attack:
    """A house at a provider that says whatever the test wants, and a browser on its way back."""

    house: House
    forger: Forger
    browser: FlaskClient
    asked: dict[str, str]

    def comes_back(self, answer: Any) -> Any:
        self.forger.make = lambda: answer
        return self.browser.get("/mine/back", query_string={"code": "c", "state": self.asked["state"]})


@pytest.fixture
def attack(tmp_path: Path) -> Iterator[Attack]:
    clock = HandClock()
    with forger(clock) as made:
        house = house_at(tmp_path, made.issuer, clock=clock)
        browser = house.app.test_client()
        yield Attack(house, made, browser, query_of(begin(browser)))


def test_a_good_token_is_accepted(attack: Attack) -> None:
    token = attack.forger.token(attack.forger.claims(attack.asked["nonce"]))
    assert attack.comes_back(token).headers.get("Location") == "/mine"
    asked = attack.forger.asked[0]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(asked["code_verifier"].encode()).digest())
    assert challenge.rstrip(b"=").decode() == attack.asked["code_challenge"]
    assert asked["redirect_uri"] == f"{PUBLIC_URL}/mine/back"


NOW = int(HandClock().now().timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": ["cunzheng", "another"]},
        {"aud": ["cunzheng", "another"], "azp": "another"},
        {"azp": "another"},
        {"aud": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": NOW - 61},
        {"exp": None},
        {"iat": NOW + 120},
        {"iat": None},
        {"nbf": NOW + 120},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=lambda changes: "-".join(f"{name}:{value}" for name, value in changes.items()),
)
def test_a_token_with_a_wrong_claim_is_refused(attack: Attack, changes: dict[str, Any]) -> None:
    token = attack.forger.token(attack.forger.claims(attack.asked["nonce"], **changes))
    let_nobody_in(attack.house, attack.comes_back(token))


def test_clocks_may_differ_by_a_minute(attack: Attack) -> None:
    claims = attack.forger.claims(attack.asked["nonce"], iat=NOW + 50, exp=NOW + 300)
    assert attack.comes_back(attack.forger.token(claims)).status_code == 303


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> dict[str, Any]:
    signed = f"{_part(header)}.{_part(claims)}"
    made = hmac.digest(secret, signed.encode(), "sha256") if secret is not None else b""
    return {"id_token": f"{signed}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"}


@pytest.mark.parametrize("alg", ["none", "None", "HS256", ""])
def test_a_token_that_is_not_signed_with_a_key_pair_is_refused(attack: Attack, alg: str) -> None:
    claims, kid = attack.forger.claims(attack.asked["nonce"]), attack.forger.key.kid
    public = attack.forger.key.as_pem(private=False)
    for secret in (None, public, public.strip(), json.dumps(attack.forger.keys[0]).encode()):
        let_nobody_in(attack.house, attack.comes_back(_by_hand({"alg": alg, "kid": kid}, claims, secret)))


def test_a_token_signed_by_a_stranger_is_refused_and_keys_are_fetched_once_a_minute(
    attack: Attack,
) -> None:
    stranger = ECKey.generate_key("P-256", auto_kid=True)
    claims = attack.forger.claims(attack.asked["nonce"])
    for kid in (attack.forger.key.kid, stranger.kid, "../../etc/passwd", 7):
        header = {"kid": kid} if isinstance(kid, str) else {}
        let_nobody_in(attack.house, attack.comes_back(attack.forger.token(claims, stranger, **header)))
    embedded = {"jwk": stranger.as_dict(private=False), "jku": "http://127.0.0.1:1/keys"}
    text = attack.forger.token(claims, stranger)["id_token"].split(".")
    forged = {"id_token": f"{_part({'alg': 'ES256', **embedded})}.{text[1]}.{text[2]}"}
    let_nobody_in(attack.house, attack.comes_back(forged))
    assert attack.forger.key_fetches == 1


def test_a_new_key_of_the_provider_is_found(attack: Attack) -> None:
    claims = attack.forger.claims(attack.asked["nonce"])
    fresh = ECKey.generate_key("P-256", auto_kid=True)
    let_nobody_in(attack.house, attack.comes_back(attack.forger.token(claims, fresh, kid=fresh.kid)))
    attack.forger.keys.append(fresh.as_dict(private=False))
    attack.house.clock.advance(61)
    claims = attack.forger.claims(attack.asked["nonce"])
    assert attack.comes_back(attack.forger.token(claims, fresh, kid=fresh.kid)).status_code == 303


def test_a_published_secret_signs_nothing(attack: Attack) -> None:
    shared = OctKey.generate_key(256, auto_kid=True)
    attack.forger.keys.insert(0, shared.as_dict(private=True) | {"use": "sig", "alg": "HS256"})
    claims = attack.forger.claims(attack.asked["nonce"])
    forged = _by_hand({"alg": "HS256", "kid": shared.kid}, claims, shared.raw_value)
    let_nobody_in(attack.house, attack.comes_back(forged))
    assert attack.comes_back(attack.forger.token(claims)).status_code == 303


def test_an_rsa_key_may_sign_too(attack: Attack) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True)
    attack.forger.keys[:] = [key.as_dict(private=False)]
    claims = attack.forger.claims(attack.asked["nonce"])
    assert attack.comes_back(attack.forger.token(claims, key, alg="RS256", kid=key.kid)).status_code == 303


@pytest.mark.parametrize("answer", [{}, {"id_token": 7}, {"id_token": "a.b.c"}, {"id_token": ""}])
def test_an_answer_without_a_token_is_refused(attack: Attack, answer: Any) -> None:
    let_nobody_in(attack.house, attack.comes_back(answer))


@pytest.mark.parametrize("code", [None, "", "339999190001010013", "x" * 300, 7])
def test_a_token_that_names_nobody_is_refused(attack: Attack, code: Any) -> None:
    token = attack.forger.token(attack.forger.claims(attack.asked["nonce"], identity_code=code))
    let_nobody_in(attack.house, attack.comes_back(token), "identity-incomplete")


def test_claims_may_come_from_the_userinfo_endpoint_of_the_same_person_only(attack: Attack) -> None:
    attack.forger.metadata = {"userinfo_endpoint": f"{attack.forger.issuer}/who"}
    attack.house.clock.advance(3601)
    attack.asked = query_of(begin(attack.browser))
    token = attack.forger.token(attack.forger.claims(attack.asked["nonce"], identity_code=None))
    attack.forger.user_info = {"sub": "another", "identity_code": "339999190001010012"}
    let_nobody_in(attack.house, attack.comes_back(token))
    attack.forger.user_info = {"sub": "s-1", "identity_code": "339999190001010012"}
    assert attack.comes_back(token).status_code == 303


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "http://127.0.0.1:1"}, {"token_endpoint": "file:///etc/passwd"}, {"jwks_uri": None}],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(
    tmp_path: Path, metadata: dict[str, Any]
) -> None:
    with forger(make_house(tmp_path / "clock").clock) as made:
        made.metadata = metadata
        house = house_at(tmp_path, made.issuer)
        browser = house.app.test_client()
        begun = browser.get("/mine/begin")
        if begun.status_code == 303:
            asked = query_of(begun.headers["Location"])
            made.make = lambda: made.token(made.claims(asked["nonce"]))
            begun = browser.get("/mine/back", query_string={"code": "c", "state": asked["state"]})
        assert begun.status_code == 503
        assert "holder.signed-in" not in house.acts()


def test_a_demonstrations_provider_is_found_out_in_production(attack: Attack) -> None:
    attack.forger.metadata = {"cunzheng_demonstration": True}
    registration = Registration(attack.forger.issuer, "cunzheng", None, f"{PUBLIC_URL}/mine/back", "openid")
    clock, flow = attack.house.clock, Flow.begin(RandomIds(), attack.house.clock.now())
    assert Provider(registration, clock, production=False).authorization_address(flow, "zh-CN")
    with pytest.raises(DemoProviderError):
        Provider(registration, clock, production=True).authorization_address(flow, "zh-CN")
