# SPDX-License-Identifier: Apache-2.0
"""What only the embedded index has to promise: its file."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from indexer import embedded
from indexer.document import IndexDocument
from indexer.embedded import EmbeddedIndex
from indexer.errors import IndexUnavailableError
from indexer.query import Query, Sort
from storage.cursors import write_cursor

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


def document(number: int) -> IndexDocument:
    return IndexDocument(f"id{number}", "dossier", "食品经营许可", "正文", "DEMO-A", f"N{number}", NOON)


def test_the_index_survives_a_restart(tmp_path: Path) -> None:
    EmbeddedIndex(tmp_path / "index.db").put(document(1))
    assert EmbeddedIndex(tmp_path / "index.db").search(Query("经营", None)).total == 1


def test_a_changed_tokeniser_empties_the_index_for_reconciling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EmbeddedIndex(tmp_path / "index.db").put(document(1))
    monkeypatch.setattr(embedded, "TOKENISER_VERSION", 2)
    index = EmbeddedIndex(tmp_path / "index.db")
    assert list(index.versions()) == []
    assert index.put(document(1))


def test_threads_put_and_search_at_once(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index.db")

    def work(number: int) -> int:
        index.put(document(number))
        return index.search(Query("经营", None)).total

    with ThreadPoolExecutor(8) as pool:
        assert min(pool.map(work, range(40))) >= 1
    assert index.search(Query("经营", None)).total == 40


def test_a_file_that_is_no_index_is_reported_as_unavailable(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(IndexUnavailableError):
        EmbeddedIndex(tmp_path / "index.db")


@pytest.mark.parametrize("few", [1, 1_000], ids=["by the order of the index", "sorted"])
def test_few_and_many_hits_come_in_the_same_order_with_the_same_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("indexer.embedded._FEW", few)
    index = EmbeddedIndex(tmp_path / "index.db")
    made = [replace(document(one), at=NOON + dt.timedelta(days=one // 2)) for one in range(9)]
    index.put_all(made)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = index.search(Query("食品", None, limit=4, after=cursor))
        assert page.total == 9
        seen += [hit.id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"id{number}" for number in range(8, -1, -1)]
    behind = write_cursor(NOON - dt.timedelta(days=1), "id0")
    assert index.search(Query("食品", None, after=behind)) == replace(page, hits=())


@pytest.mark.parametrize("few", [1, 1_000], ids=["by the order of the index", "sorted"])
@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NUMBER])
def test_few_and_many_hits_come_in_the_same_order_by_relevance_and_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int, sort: Sort
) -> None:
    monkeypatch.setattr("indexer.embedded._FEW", few)
    index = EmbeddedIndex(tmp_path / "index.db")
    index.put_all([replace(document(one), title="食品" if one % 2 else "", text="食品") for one in range(9)])
    seen: list[str] = []
    query: Query | None = Query("食品", None, limit=2, sort=sort)
    while query is not None:
        page = index.search(query)
        assert page.total == 9
        seen += [hit.id[2:] for hit in page.hits]
        query = replace(query, after=page.next_cursor) if page.next_cursor else None
    assert "".join(seen) == ("753186420" if sort is Sort.RELEVANCE else "012345678")
