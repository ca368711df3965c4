# SPDX-License-Identifier: Apache-2.0
"""Whoever has the object store has the public keys too; each state of them stays."""

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HandClock
from installation import Installation, installed
from minio.commonconfig import REPLACE, CopySource
from parts import S3, bucket

from portal.bootstrap import open_foundation
from portal.publishing import KeyPublisher, public_keys
from storage.ledger.policies import parse_policy
from storage.objects.folder import FolderStore
from storage.objects.ports import ObjectStoreUnusableError

HOUR = 3600.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("published") / "data") as one:
        yield one


def test_the_store_holds_what_a_stranger_needs(site: Installation) -> None:
    foundation, clock = open_foundation(site.settings), HandClock()
    publisher = KeyPublisher(
        foundation.objects,
        site.settings.log_origin,
        lambda: public_keys(foundation, site.settings),
        clock,
    )
    assert publisher.tick()
    held = {
        key.split("/")[2]: foundation.objects.read_named(key) for key in foundation.objects.list_named("k/")
    }
    foundation.database.close()
    assert held.keys() == {"vkey", "policy", "ca.pem", "jwks.json"}
    assert parse_policy(held["policy"].decode()).logs
    assert held["vkey"].decode().strip() == site.rooms.keys.log_key
    assert held["ca.pem"] == site.rooms.keys.ca_pem
    assert json.loads(held["jwks.json"]) == site.rooms.keys.jwks


def test_an_older_state_stays_beside_a_newer_one(tmp_path: Path) -> None:
    store, clock, files = FolderStore(tmp_path), HandClock(), {"ca.pem": b"one"}
    publisher = KeyPublisher(store, "log", lambda: files, clock)
    assert publisher.tick()
    files["ca.pem"] = b"two"
    assert not publisher.tick(), "not before an hour has passed"
    clock.advance(HOUR)
    assert publisher.tick()
    clock.advance(HOUR)
    assert publisher.tick(), "putting the same again changes nothing"
    assert {store.read_named(key) for key in store.list_named("k/")} == {b"one", b"two"}


@pytest.mark.services
@pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)")
def test_metadata_cannot_be_changed_without_a_second_version() -> None:
    """Why the retention class stands in manifests (docs/decisions/0025-public-keys-in-the-bucket.md)."""
    address, client = bucket()
    client.put_object(address.bucket, "o", io.BytesIO(b"truth"), 5)
    changed, source = {"retention-class": "30-years"}, CopySource(address.bucket, "o")
    client.copy_object(address.bucket, "o", source, metadata=changed, metadata_directive=REPLACE)
    versions = client.list_objects(address.bucket, include_version=True)
    assert [one.size for one in versions] == [5, 5]


class Away(FolderStore):
    """A store that does not answer at first."""

    away = True

    def put_named(self, key: str, data: bytes) -> None:
        if self.away:
            raise ObjectStoreUnusableError
        super().put_named(key, data)


def test_a_store_that_is_away_is_tried_again_after_an_hour(tmp_path: Path) -> None:
    store, clock = Away(tmp_path), HandClock()
    publisher = KeyPublisher(store, "log", lambda: {"policy": b"p"}, clock)
    assert not publisher.tick()
    store.away = False
    clock.advance(HOUR)
    assert publisher.tick()


def test_keys_that_are_away_are_replaced_by_none_and_the_sequencer_goes_on(
    site: Installation, tmp_path: Path
) -> None:
    data, store, clock = tmp_path / "data", FolderStore(tmp_path / "store"), HandClock()
    shutil.copytree(site.settings.data, data)
    here = site.settings.model_copy(update={"data": data})
    foundation = open_foundation(here)
    publisher = KeyPublisher(store, "log", lambda: public_keys(foundation, here), clock)
    here.keys.rename(tmp_path / "aside")
    here.keys.mkdir()
    assert not publisher.tick()
    assert not list(here.keys.iterdir())
    here.keys.rmdir()
    (tmp_path / "aside").rename(here.keys)
    list_of_revoked = here.pki / "root.crl"
    list_of_revoked.rename(tmp_path / "root.crl")
    clock.advance(HOUR)
    assert not publisher.tick()
    assert not list(store.list_named("k/"))
    (tmp_path / "root.crl").rename(list_of_revoked)
    clock.advance(HOUR)
    assert publisher.tick()
    foundation.database.close()
