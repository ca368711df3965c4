# SPDX-License-Identifier: Apache-2.0
"""After a restore the locks of all that was put since the backup are renewed again."""

import datetime as dt
import os
import uuid
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from parts import S3, role_keys
from pydantic import SecretStr

from portal.backup.objects import relearn
from portal.settings import Settings
from portal.tables import all_tables
from storage.objects.bucket import BucketStore
from storage.objects.renewal import TERMS
from storage.objects.versions import LockMode, MemoryBook, TableBook

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]
all_tables()


def test_every_state_of_the_public_keys_is_renewed_again(tmp_path: Path) -> None:
    writer = role_keys(tmp_path, f"test-{uuid.uuid4().hex}")["writer"]
    clock = HandClock(dt.datetime.now(dt.UTC))
    states = ["k/log/ca.pem/older", "k/log/ca.pem/newer"]
    before = BucketStore(writer, MemoryBook(), clock)
    for key in states:
        before.put_named(key, key.encode())
    database = make_database(tmp_path, clock)
    settings = Settings(
        data=tmp_path,
        s3_endpoint=writer.endpoint,
        s3_bucket=writer.bucket,
        s3_access_key=writer.access_key,
        s3_secret_key=SecretStr(writer.secret_key),
    )
    assert relearn(database, settings, clock, MemoryBook(), []) == 0
    clock.advance(TERMS[LockMode.COMPLIANCE].total_seconds())
    assert BucketStore(writer, TableBook(database), clock).renew() == len(states)
