# SPDX-License-Identifier: Apache-2.0
"""What running systems were allowed before there were grants goes on, as grants that nobody confirmed."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from portal.migrations.upgrading import upgrade

ADD = text(
    "INSERT INTO client (id, name, organisation, key_hash, sources, scopes, items, operators, added_at,"
    " expires_at, ended_at) VALUES (:id, 'n', 'scjg', :hash, '[]', :scopes, :items, '[]',"
    " '2026-01-01T00:00:00.000000Z', :expires, :ended)"
)
LATER, OVER = "2100-06-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"
ITEM = "339999010002"


@pytest.mark.sqlite
def test_the_upgrade_grants_each_running_system_that_asks_or_reads_what_it_was_allowed(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'cunzheng.db'}"
    upgrade(url, "0031")
    engine = create_engine(url)
    rows = [
        ("asks", ["ask"], [ITEM], LATER, None),
        ("reads", ["read", "file"], [ITEM], LATER, None),
        ("files", ["file"], [ITEM], LATER, None),
        ("of nothing", ["ask"], [], LATER, None),
        ("ended", ["ask"], [ITEM], LATER, OVER),
        ("expired", ["ask"], [ITEM], OVER, None),
    ]
    with engine.begin() as connection:
        for number, (name, scopes, items, expires, ended) in enumerate(rows):
            values = {"id": name, "hash": bytes([number]) * 32, "expires": expires, "ended": ended}
            connection.execute(ADD, values | {"scopes": json.dumps(scopes), "items": json.dumps(items)})
    upgrade(url, "0032")
    query = (
        "SELECT client_id, items, ceiling, quota, valid_until, origin FROM license_grant ORDER BY client_id"
    )
    with engine.begin() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    items = json.dumps([{"code": ITEM, "edition": None}])
    assert found == [(name, items, "document", 2000, "2100-06-01", "migrated") for name in ("asks", "reads")]
