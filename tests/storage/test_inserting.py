# SPDX-License-Identifier: Apache-2.0
"""Rows that are inserted many at once read back as those that the mapper inserts."""

import datetime as dt
from pathlib import Path

import pytest
from fakes import make_database
from sqlalchemy import select

from licenses.models import License
from licenses.stock.models import StockRejection, StockRun
from portal.tables import all_tables
from storage.engines import HELD_KIBIBYTES
from storage.inserting import hold_pages, insert_many

INSTANT = dt.datetime(2026, 11, 29, 1, 2, 3, 456789, tzinfo=dt.UTC)
LICENSE = {
    **dict.fromkeys(column.name for column in License.__table__.columns),
    "id": "1" * 26,
    "identifier": "演示 '; --",
    "type_code": "T",
    "type_version": "2026-01",
    "issuer_code": "I",
    "issuer_name": "演示局",
    "organisation": "scjg",
    "holder_id": "h" * 26,
    "version": 1,
    "trust": "C",
    "origin": "stock",
    "number": "1",
    "issued_on": dt.date(2020, 2, 29),
    "valid_until": dt.date(9999, 12, 31),
    "face_cipher": bytes(range(256)),
    "data_sha256": b"\0" * 32,
    "code": "c" * 26,
    "reserved_at": INSTANT,
    "issue_step": "",
}


def test_every_kind_of_column_reads_back_as_it_was(tmp_path: Path) -> None:
    all_tables()
    database = make_database(tmp_path)
    other = LICENSE | {"id": "2" * 26, "identifier": "2", "code": "d" * 26, "issued_at": INSTANT}
    with database.writing() as uow:
        insert_many(uow.session.connection(), License, [LICENSE, other])
        insert_many(uow.session.connection(), License, [])
        # Names of columns that are words of SQL.
        rejected = {"run_id": "r", "row": 1, "line": 2, "column": 3, "reason": "row-json"}
        insert_many(uow.session.connection(), StockRejection, [rejected])
    with database.reading() as uow:
        found = uow.session.execute(select(License.__table__).order_by(License.id)).mappings().all()
        assert [dict(row) for row in found] == [LICENSE, other]
        assert uow.session.scalars(select(StockRejection.column)).one() == 3
    database.close()


def test_rows_that_lack_a_column_and_tables_that_need_a_look_are_refused(tmp_path: Path) -> None:
    all_tables()
    database = make_database(tmp_path)
    with database.reading() as uow:
        with pytest.raises(KeyError):
            insert_many(uow.session.connection(), License, [{"id": "1"}])
        with pytest.raises(TypeError):
            insert_many(uow.session.connection(), StockRun, [{"id": "1"}])
    database.close()


def test_an_import_lets_its_connection_hold_more_pages_and_nobody_else(tmp_path: Path) -> None:
    all_tables()
    database = make_database(tmp_path)
    with database.reading() as uow, database.reading() as other:
        hold_pages(uow.session.connection(), 50_000)
        if database.engine.dialect.name == "sqlite":
            held = [
                one.session.connection().exec_driver_sql("PRAGMA cache_size").scalar() for one in (uow, other)
            ]
            assert held == [-50_000, -HELD_KIBIBYTES]
    database.close()
