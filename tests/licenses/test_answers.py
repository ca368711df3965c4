# SPDX-License-Identifier: Apache-2.0
import base64
import datetime as dt
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from licenses.answers import AnswerKeys, verify_answer
from licenses.errors import AnswerInvalidError
from storage.ledger.acts import Promise

PROMISE = Promise("example.org/log", "ab" * 32, dt.datetime(2026, 11, 20, tzinfo=dt.UTC))
DECISION = {"id": "0" * 26, "result": "MET"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> AnswerKeys:
    return AnswerKeys(tmp_path_factory.mktemp("answers"))


def test_an_answer_verifies_with_the_published_keys_alone(keys: AnswerKeys) -> None:
    published = json.loads(json.dumps(keys.jwks()))
    answer = verify_answer(keys.sign(DECISION, PROMISE) + "\n", published)
    assert answer.decision == DECISION
    assert answer.promise == PROMISE.as_json()
    assert answer.kid == keys.kid


def test_the_published_set_holds_no_private_part(keys: AnswerKeys) -> None:
    assert all("d" not in key and key["alg"] == "ES256" for key in keys.jwks()["keys"])


def test_the_key_is_kept_across_starts_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    assert AnswerKeys(tmp_path).kid == AnswerKeys(tmp_path).kid
    assert stat.S_IMODE((tmp_path / "answer-0001.jwk").stat().st_mode) == 0o400


def test_a_newer_key_signs_and_the_older_stays_published(tmp_path: Path) -> None:
    old = AnswerKeys(tmp_path)
    answer = old.sign(DECISION, PROMISE)
    other = tmp_path / "other"
    AnswerKeys(other)
    (other / "answer-0001.jwk").rename(tmp_path / "answer-0002.jwk")
    both = AnswerKeys(tmp_path)
    assert both.kid != old.kid
    assert verify_answer(answer, both.jwks()).kid == old.kid


def test_another_installation_does_not_verify_it(keys: AnswerKeys, tmp_path: Path) -> None:
    with pytest.raises(AnswerInvalidError):
        verify_answer(keys.sign(DECISION, PROMISE), AnswerKeys(tmp_path).jwks())


@given(st.data())
def test_no_altered_answer_verifies(keys: AnswerKeys, data: st.DataObject) -> None:
    answer = keys.sign(DECISION, PROMISE)
    place = data.draw(st.integers(0, len(answer) - 1))
    other = data.draw(st.sampled_from("AZaz09-_.~ "))
    changed = answer[:place] + other + answer[place + 1 :]
    if changed != answer and changed.strip() != answer:
        try:
            verified = verify_answer(changed, keys.jwks())
        except AnswerInvalidError:
            return
        # base64url has spare bits at the end of the signature: the signed content is still the same.
        assert verified.decision == DECISION


@pytest.mark.parametrize("text", ["", "a.b.c", "e30.e30.", "x" * 600_000, "\N{FULL STOP}" * 3])
def test_rubbish_is_refused(keys: AnswerKeys, text: str) -> None:
    with pytest.raises(AnswerInvalidError):
        verify_answer(text, keys.jwks())


def test_other_algorithms_are_refused(keys: AnswerKeys) -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    payload = {"decision": DECISION, "promise": PROMISE.as_json()}
    none = f"{part({'alg': 'none', 'kid': keys.kid})}.{part(payload)}."
    secret = OctKey.import_key(json.dumps(keys.jwks()["keys"][0]).encode())
    mac = jws.serialize_compact({"alg": "HS256", "kid": keys.kid}, json.dumps(payload), secret)
    for forged in (none, mac):
        with pytest.raises(AnswerInvalidError):
            verify_answer(forged, keys.jwks())
