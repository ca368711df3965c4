# SPDX-License-Identifier: Apache-2.0
"""Each implementation of the index, empty, and documents to put into it."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elastic_part import elastic_index

from indexer.document import IndexDocument
from indexer.embedded import EmbeddedIndex
from indexer.ports import Index

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Index]:
    yield EmbeddedIndex(folder / "index.db")


@contextlib.contextmanager
def elastic(folder: Path) -> Iterator[Index]:
    with elastic_index() as index:
        yield index


IMPLEMENTATIONS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Index]]] = {
    "embedded": embedded,
    "elastic": elastic,
}
PARAMETERS = ["embedded", pytest.param("elastic", marks=pytest.mark.services)]


@pytest.fixture(params=PARAMETERS)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    with IMPLEMENTATIONS[request.param](tmp_path) as made:
        yield made


def document(number: int = 1, /, **changes: object) -> IndexDocument:
    base = IndexDocument(
        id=f"id{number:04d}",
        kind="dossier",
        title="食品经营许可",
        text="申请书",
        organisation="DEMO-A",
        number=f"Z339-XK·2026·D30-{number:05d}",
        at=NOON + dt.timedelta(seconds=number),
    )
    return replace(base, **changes)  # type: ignore[arg-type]
