# SPDX-License-Identifier: Apache-2.0
"""Empty indices on the Elasticsearch server that the environment names."""

import contextlib
import os
import uuid
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from indexer.elastic import ElasticIndex

ELASTICSEARCH = "CUNZHENG_TEST_ELASTICSEARCH"


def elastic_address() -> str:
    """Give the server's address; skip the test where none is named."""
    address = os.environ.get(ELASTICSEARCH)
    if address is None:
        pytest.skip(f"{ELASTICSEARCH} names no server")
    return address


@contextlib.contextmanager
def elastic_name() -> Iterator[str]:
    """Give an unused index name; what was made under it goes at the end."""
    name = f"test-{uuid.uuid4().hex}"
    with Elasticsearch(elastic_address()) as server:
        try:
            yield name
        finally:
            for index in list(server.indices.get(index=f"{name}-*")):
                server.indices.delete(index=index)


@contextlib.contextmanager
def elastic_index() -> Iterator[ElasticIndex]:
    """Give an empty index in which every write is visible at once."""
    with elastic_name() as name:
        index = ElasticIndex(elastic_address(), name, refresh=True)
        with contextlib.closing(index):
            yield index
