# SPDX-License-Identifier: Apache-2.0
"""The status list: what stands where, as of when, how large, and that nobody alters it."""

import base64
import datetime as dt
import json
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_library import FOOD, GROUNDS, MANAGER, Library

from licenses.answers import AnswerKeys
from licenses.errors import AnswerInvalidError
from licenses.lifecycle import EventKind, Status
from licenses.models import License
from licenses.published import status_entries
from licenses.status_list import ListedStatus, StatusList, pack, read_list, sign_list

URI = "https://cunzheng.invalid/status-lists/licences"
NOW = dt.datetime(2026, 11, 29, 4, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> AnswerKeys:
    return AnswerKeys(tmp_path_factory.mktemp("keys"))


def listing(entries: bytes) -> StatusList:
    return StatusList(URI, NOW, NOW, entries)


@given(st.lists(st.sampled_from(list(ListedStatus)), max_size=200))
def test_every_entry_is_read_as_it_was_packed(statuses: list[ListedStatus]) -> None:
    changed = [(place, status) for place, status in enumerate(statuses) if status]
    listed = listing(pack(len(statuses), changed))
    assert [listed.of(place) for place in range(len(statuses))] == statuses
    assert listed.of(-1) is None
    assert listed.of(4 * -(-len(statuses) // 4)) is None


def test_the_layout_is_that_of_the_draft() -> None:
    statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    packed = pack(12, [(place, ListedStatus(one)) for place, one in enumerate(statuses)])
    assert packed == bytes([0xC9, 0x44, 0xF9])


def test_a_million_with_one_in_a_hundred_changed_are_25_kilobytes(keys: AnswerKeys) -> None:
    chosen = Random(7)
    changed = [(place, ListedStatus.INVALID) for place in chosen.sample(range(1_000_000), 10_000)]
    token = sign_list(keys, URI, pack(1_000_000, changed), NOW)
    assert len(token) <= 25_000 * 4 / 3 + 1_000
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    compressed = base64.urlsafe_b64decode(claims["status_list"]["lst"] + "==")
    assert len(compressed) <= 25_000
    assert len(zlib.decompress(compressed)) == 250_000


def test_a_signed_list_says_what_it_is_and_until_when(keys: AnswerKeys) -> None:
    listed = read_list(sign_list(keys, URI, b"\x01", NOW), keys.jwks())
    assert (listed.uri, listed.at, listed.expires) == (URI, NOW, NOW + dt.timedelta(days=7))
    assert listed.of(0) is ListedStatus.INVALID


def test_an_altered_list_and_one_of_foreign_keys_are_refused(keys: AnswerKeys, tmp_path: Path) -> None:
    token = sign_list(keys, URI, b"\x01", NOW)
    head, body, seal = token.split(".")
    other = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(body + "==").replace(b'"ttl":300', b'"ttl":301')
    )
    with pytest.raises(AnswerInvalidError):
        read_list(f"{head}.{other.rstrip(b'=').decode()}.{seal}", keys.jwks())
    with pytest.raises(AnswerInvalidError):
        read_list(token, AnswerKeys(tmp_path).jwks())


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": URI, "iat": 1, "exp": 2, "status_list": {"bits": 1, "lst": ""}},
        {"sub": URI, "iat": 1, "exp": 2, "status_list": {"bits": 2, "lst": "AAAA"}},
        {"sub": URI, "iat": 1, "exp": "x", "status_list": {"bits": 2, "lst": "eJwDAAAAAAE"}},
        {"sub": URI, "iat": 1, "exp": 2, "status_list": []},
    ],
)
def test_a_malformed_list_is_refused_although_it_is_signed(
    keys: AnswerKeys, claims: dict[str, object]
) -> None:
    with pytest.raises(AnswerInvalidError):
        read_list(keys.sign_payload(claims, "statuslist+jwt"), keys.jwks())  # type: ignore[arg-type]  # malformed


def test_a_list_that_inflates_without_end_is_refused(keys: AnswerKeys) -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(65 << 20), 9)).decode()
    claims = {"sub": URI, "iat": 1, "exp": 2, "status_list": {"bits": 2, "lst": bomb}}
    with pytest.raises(AnswerInvalidError) as refused:
        read_list(keys.sign_payload(claims, "statuslist+jwt"), keys.jwks())
    assert refused.value.facts["rule"] == "size"


def test_each_licence_has_its_entry_now_and_as_it_was(library: Library) -> None:
    first = library.issue(FOOD)
    whole = library.clock.now()
    library.clock.advance(10)
    second = library.issue(FOOD, number="N0000000002")
    with library.database.writing() as uow:
        library.service.change(uow, MANAGER, second.identifier, EventKind.SUSPENDED, GROUNDS)
    library.clock.advance(10)
    third = library.issue_reserved(library.reserve(FOOD, replaces=first.identifier, change="renewal"))
    library.reserve(FOOD, number="N0000000003")
    with library.database.reading() as uow:
        now = listing(status_entries(uow, library.clock.now(), {}))
        before = listing(status_entries(uow, whole, {}))
        rows = [uow.session.get_one(License, one.id) for one in (first, second, third)]
    places = [row.status_index or 0 for row in rows]
    assert [now.of(place) for place in places] == [
        ListedStatus.SUPERSEDED,
        ListedStatus.SUSPENDED,
        ListedStatus.VALID,
    ]
    assert now.of(3) is ListedStatus.INVALID, "what is only reserved has no genuine file"
    assert before.of(places[0]) is ListedStatus.VALID
    assert len(before.entries) == 1


def test_an_empty_library_has_an_empty_list(library: Library) -> None:
    with library.database.reading() as uow:
        assert status_entries(uow, library.clock.now(), {}) == b""


def test_what_a_revoked_seal_sealed_is_not_listed_as_valid_from_then_on(library: Library) -> None:
    sealed = library.issue(FOOD)
    ended = library.issue(FOOD, number="N0000000002")
    other = library.issue_reserved(library.reserve(FOOD, number="N0000000003"), "seal-2")
    with library.database.writing() as uow:
        library.service.change(uow, MANAGER, ended.identifier, EventKind.REVOKED, GROUNDS)
    before = library.clock.now()
    library.clock.advance(60)
    library.seals.revoked["seal-1"] = library.clock.now()
    with library.database.reading() as uow:
        revoked = library.holdings.revoked_seals(uow)
        now = listing(status_entries(uow, library.clock.now(), revoked))
        earlier = listing(status_entries(uow, before, revoked))
        places = [uow.session.get_one(License, one.id).status_index or 0 for one in (sealed, ended, other)]
    assert library.status(sealed) is Status.SEAL_UNDETERMINED
    assert [now.of(place) for place in places] == [
        ListedStatus.SUSPENDED,
        ListedStatus.INVALID,
        ListedStatus.VALID,
    ]
    assert earlier.of(places[0]) is ListedStatus.VALID
