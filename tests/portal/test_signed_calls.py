# SPDX-License-Identifier: Apache-2.0
"""The signature over a call: exactly this call, by the token's key, now, and once."""

import base64
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from calling import Caller
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from licenses.decisions import ProofService
from portal.clients.signatures import COVERED
from portal.web.schemas import PROOF_EXAMPLE
from storage.database import LedgerClosedError
from storage.secrets import ErasedError

from .conftest import House
from .test_client_tokens import PROOFS, announced

BODY = json.dumps(PROOF_EXAMPLE).encode()
JSON = {"Content-Type": "application/json"}


def _send(house: House, headers: Any, body: bytes = BODY, path: str = PROOFS) -> TestResponse:
    return FlaskClient(house.app, house.app.response_class).post(path, data=body, headers=headers)


def _signed(caller: Caller, later: float = 0, **more: str) -> dict[str, str]:
    return caller.signed(PROOFS, BODY, JSON | caller.headers() | more, later=later)


@pytest.fixture
def caller(house: House) -> Caller:
    announced(house)
    return house.caller("ask")


def test_a_call_without_signature_is_refused(house: House, caller: Caller) -> None:
    answer = _send(house, JSON | caller.headers())
    assert (answer.status_code, answer.json["code"]) == (401, "signature-invalid")
    assert "proof.asked" not in house.acts()


def test_a_call_is_answered_once(house: House, caller: Caller) -> None:
    headers = _signed(caller)
    assert _send(house, headers).status_code == 200
    again = _send(house, headers)
    assert (again.status_code, again.json["code"]) == (409, "request-replayed")
    assert house.acts().count("proof.answered") == 1
    assert house.acts()[-1] == "access.refused", "the replay is recorded"


def test_a_batch_is_answered_once(house: House, caller: Caller) -> None:
    body = json.dumps({"questions": [PROOF_EXAMPLE, PROOF_EXAMPLE]}).encode()
    path = f"{PROOFS}:batch"
    headers = caller.signed(path, body, JSON | caller.headers())
    assert _send(house, headers, body, path).status_code == 200
    assert _send(house, headers, body, path).status_code == 409
    assert house.acts().count("proof.answered") == 2


@pytest.mark.parametrize("error", [None, ErasedError, LedgerClosedError, KeyError])
def test_a_batch_that_is_refused_or_fails_is_not_asked_again(
    house: House, caller: Caller, monkeypatch: pytest.MonkeyPatch, error: type[Exception] | None
) -> None:
    def fails(*_: Any) -> None:
        assert error is not None
        raise error

    unknown = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "UNKNOWN"}}
    body = json.dumps({"questions": [unknown, unknown]}).encode()
    path = f"{PROOFS}:batch"
    headers = caller.signed(path, body, JSON | caller.headers())
    with monkeypatch.context() as while_it_fails:
        if error is not None:
            while_it_fails.setattr(ProofService, "ask_each", fails)
        answer = _send(house, headers, body, path)
    if error is KeyError:
        assert answer.status_code == 500
    else:
        status = 403 if error is None else error.status  # type: ignore[union-attr] # one of ours
        assert [one["status"] for one in answer.json["answers"]] == [status, status]
    again = _send(house, headers, body, path)
    assert (again.status_code, again.json["code"]) == (409, "request-replayed")
    assert "proof.asked" not in house.acts()


def test_of_a_batch_sent_twice_at_once_one_is_answered(house: House, caller: Caller) -> None:
    body = json.dumps({"questions": [PROOF_EXAMPLE]}).encode()
    path = f"{PROOFS}:batch"
    headers = caller.signed(path, body, JSON | caller.headers())
    with ThreadPoolExecutor(8) as pool:
        codes = [one.status_code for one in pool.map(lambda _: _send(house, headers, body, path), range(8))]
    assert sorted(codes) == [200, *[409] * 7]
    assert house.acts().count("proof.answered") == 1


@pytest.mark.parametrize("later", [-61, -60, 0, 60, 61])
def test_a_signature_is_a_minute_old_at_most(house: House, caller: Caller, later: int) -> None:
    answer = _send(house, _signed(caller, later))
    if abs(later) <= 60:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json["code"]) == (401, "clock-skew")
    assert answer.json["facts"]["window"] == 60
    assert answer.json["facts"]["now"].startswith(house.clock.now().strftime("%Y-%m-%dT%H:%M"))


def _without(name: str) -> Callable[[dict[str, str]], None]:
    def change(headers: dict[str, str]) -> None:
        headers["signature-input"] = (
            headers["signature-input"].replace(f'"{name}" ', "").replace(f' "{name}"', "")
        )

    return change


def _set(name: str, old: str, new: str) -> Callable[[dict[str, str]], None]:
    def change(headers: dict[str, str]) -> None:
        assert old in headers[name]
        headers[name] = headers[name].replace(old, new, 1)

    return change


def _drop(name: str) -> Callable[[dict[str, str]], None]:
    return lambda headers: headers.pop(name) and None


def _made(name: str, make: Callable[[str], str]) -> Callable[[dict[str, str]], None]:
    def change(headers: dict[str, str]) -> None:
        headers[name] = make(headers[name])

    return change


def _quoted_time(stated: str) -> str:
    head, _, tail = stated.partition("created=")
    time, _, rest = tail.partition(";")
    return f'{head}created="{time}";{rest}'


CHANGES: dict[str, Callable[[dict[str, str]], None]] = {
    **{f"without {name}": _without(name) for name in COVERED},
    "a component twice": _set("signature-input", '("@method"', '("@method" "@method"'),
    "an unknown component": _set("signature-input", '("@method"', '("@method" "@authority"'),
    "a component with a parameter": _set("signature-input", '"@method"', '"@method";req'),
    "another tag": _set("signature-input", 'tag="cunzheng"', 'tag="other"'),
    "no tag": _set("signature-input", ';tag="cunzheng"', ""),
    "a parameter twice": _set("signature-input", ';tag="cunzheng"', ';tag="cunzheng";tag="cunzheng"'),
    "an unknown parameter": _set("signature-input", ';tag="cunzheng"', ';tag="cunzheng";context="x"'),
    "a time in quotes": _made("signature-input", _quoted_time),
    "another algorithm": _set("signature-input", 'alg="ecdsa-p256-sha256"', 'alg="hmac-sha256"'),
    "two signatures": _made("signature-input", lambda text: f"{text}, {text.replace('sig1', 'sig2')}"),
    "another label": _set("signature", "sig1=", "sig2="),
    "no signature": _drop("signature"),
    "no digest": _drop("content-digest"),
    "a digest of another kind": _set("content-digest", "sha-256=", "sha-512="),
    "a second digest": _made("content-digest", lambda text: f"{text}, {text}"),
    "spaces": _set("signature-input", '" "', '"  "'),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_the_profile_does_not_name_is_refused(house: House, caller: Caller, name: str) -> None:
    headers = _signed(caller)
    CHANGES[name](headers)
    answer = _send(house, headers)
    assert (answer.status_code, answer.json["code"]) == (401, "signature-invalid"), answer.json
    assert "proof.asked" not in house.acts()


def test_another_body_needs_another_signature(house: House, caller: Caller) -> None:
    other = json.dumps(PROOF_EXAMPLE | {"requirements": ["R1"]}).encode()
    headers = _signed(caller)
    assert _send(house, headers, other).json["facts"]["rule"] == "Content-Digest is of another body"
    digest = base64.b64encode(hashlib.sha256(other).digest()).decode()
    answer = _send(house, headers | {"content-digest": f"sha-256=:{digest}:"}, other)
    assert answer.json["facts"]["rule"] == "signature"


def test_a_signature_holds_for_one_address_alone(house: House, caller: Caller) -> None:
    headers = caller.signed("/api/v1/proofs:batch", BODY, JSON | caller.headers())
    assert _send(house, headers).json["facts"]["rule"] == "signature"
    assert _send(house, _signed(caller), path=f"{PROOFS}?x=1").json["facts"]["rule"] == "signature"


def test_a_header_that_states_the_basis_is_covered_too(house: House, caller: Caller) -> None:
    headers = _signed(caller) | {"Access-Operator": "op-1"}
    assert _send(house, headers).json["facts"]["rule"].startswith("components: ")
    assert _send(house, _signed(caller, **{"Access-Operator": "op-1"})).status_code == 200


def test_another_clients_key_and_token_are_of_no_use(house: House, caller: Caller) -> None:
    other = house.caller("ask")
    own = JSON | caller.headers()
    foreign = other.signed(PROOFS, BODY, own)
    assert _send(house, foreign).json["facts"]["rule"] == "keyid is not the token's key"
    exchanged = _signed(caller) | {"authorization": other.headers()["Authorization"]}
    assert _send(house, exchanged).status_code == 401
    forged = {name: value.replace(other.key.kid, caller.key.kid) for name, value in foreign.items()}
    assert _send(house, forged).json["facts"]["rule"] == "signature"


def test_a_header_sent_twice_is_another_call(house: House, caller: Caller) -> None:
    headers = list(_signed(caller).items())
    for name in ("authorization", "signature", "signature-input"):
        twice = [*headers, (name, dict(headers)[name])]
        assert _send(house, twice).status_code == 401, name
    assert "proof.asked" not in house.acts()


def test_the_question_is_for_the_purpose_of_the_token(house: House, caller: Caller) -> None:
    other = json.dumps(PROOF_EXAMPLE | {"purpose": "verify"}).encode()
    headers = caller.signed(PROOFS, other, JSON | caller.headers())
    answer = _send(house, headers, other)
    assert (answer.status_code, answer.json["code"]) == (403, "purpose-differs")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_changed_character_of_a_signed_call_is_accepted(
    house: House, caller: Caller, data: st.DataObject
) -> None:
    headers = _signed(caller)
    name = data.draw(st.sampled_from(["signature", "signature-input", "content-digest", "body"]))
    text = BODY.decode() if name == "body" else headers[name]
    place = data.draw(st.integers(0, len(text) - 1))
    # Signatures differ from run to run, so what is drawn must not depend on them.
    drawn = data.draw(st.integers(0, 92))
    letter = [chr(one) for one in range(33, 127) if chr(one) != text[place]][drawn]
    changed = text[:place] + letter + text[place + 1 :]
    before = house.acts().count("proof.answered")
    if name == "body":
        answer = _send(house, headers, changed.encode())
    else:
        answer = _send(house, headers | {name: changed})
    assert answer.status_code in {400, 401, 409}, (name, place)
    assert house.acts().count("proof.answered") == before


def test_of_equal_calls_that_come_together_one_is_answered(house: House, caller: Caller) -> None:
    headers = _signed(caller)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: _send(house, headers).status_code, range(16)))
    assert sorted(codes) == [200] + [409] * 15
    assert house.acts().count("proof.answered") == 1
