# SPDX-License-Identifier: Apache-2.0
"""What only the index on a server has to promise: what happens when the server does not answer."""

import contextlib
import datetime as dt
import socket
from collections.abc import Iterator, Sequence

import pytest
from elastic_part import elastic_address, elastic_index, elastic_name
from elasticsearch import Elasticsearch

from indexer.document import IndexDocument
from indexer.elastic import ElasticIndex
from indexer.errors import (
    DocumentRefusedError,
    IndexOutdatedError,
    IndexUnavailableError,
    RebuildOvertakenError,
)
from indexer.ports import Written
from indexer.query import Query

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


def document(number: int = 1, version: int = 1) -> IndexDocument:
    return IndexDocument(
        f"id{number}", "dossier", "食品经营许可", "正文", "DEMO-A", f"N{number}", NOON, version=version
    )


@pytest.fixture
def index() -> Iterator[ElasticIndex]:
    with elastic_index() as made:
        yield made


@pytest.fixture
def deaf() -> Iterator[ElasticIndex]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    index = ElasticIndex(f"http://127.0.0.1:{port}")
    with contextlib.closing(index):
        yield index


def test_a_server_that_is_down_is_an_error_as_data(deaf: ElasticIndex) -> None:
    with pytest.raises(IndexUnavailableError) as refusal:
        deaf.search(Query("食品", None))
    assert refusal.value.status == 503
    with pytest.raises(IndexUnavailableError):
        deaf.put(document())
    with pytest.raises(IndexUnavailableError):
        deaf.rebuild([[document()]])


@pytest.mark.services
def test_a_document_that_the_engine_cannot_hold_keeps_no_other_out(index: ElasticIndex) -> None:
    # A term of more than 32,766 bytes is refused; departments' codes are ours, so this is a broken record.
    broken = IndexDocument("id9", "dossier", "题名", "", "长" * 20_000, "N9", NOON)
    assert index.put_all([document(1), broken, document(2)]) == Written(2, ("id9",))
    with pytest.raises(DocumentRefusedError):
        index.put(broken)


@pytest.mark.services
def test_an_index_of_other_rules_is_refused_until_it_is_rebuilt() -> None:
    with elastic_name() as name:
        first = ElasticIndex(elastic_address(), name, "standard", refresh=True)
        first.put(document(1))
        second = ElasticIndex(elastic_address(), name, refresh=True)
        with pytest.raises(IndexOutdatedError):
            second.search(Query("食品", None))
        second.rebuild([[document(1)]])
        assert second.search(Query("食品", None)).total == 1
        first.close()
        second.close()


@pytest.mark.services
def test_the_later_of_two_rebuilds_wins(index: ElasticIndex) -> None:
    index.put(document(1))

    def batches() -> Iterator[Sequence[IndexDocument]]:
        yield [document(1)]
        index.rebuild([[document(2)]])
        yield [document(3)]

    with pytest.raises(RebuildOvertakenError):
        index.rebuild(batches())
    assert list(index.versions()) == [("id2", 1)]


@pytest.mark.services
def test_a_rebuild_leaves_one_index_behind_one_alias(index: ElasticIndex) -> None:
    index.put(document(1))
    index.rebuild([[document(1)]])
    index.rebuild([[document(1)]])
    with Elasticsearch(elastic_address()) as server:
        found = server.indices.get_alias(name=f"{index.name}*")
    aliases = {name: list(about["aliases"]) for name, about in found.items()}
    assert aliases == {f"{index.name}-000003": [index.name]}


@pytest.mark.services
def test_an_index_that_somebody_removed_is_made_again(index: ElasticIndex) -> None:
    index.put(document(1))
    with Elasticsearch(elastic_address()) as server:
        server.indices.delete(index=f"{index.name}-000001")
    with pytest.raises(IndexUnavailableError):
        index.search(Query("食品", None))
    assert index.put(document(2))
    assert list(index.versions()) == [("id2", 1)]
