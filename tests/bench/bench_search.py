# SPDX-License-Identifier: Apache-2.0
"""Search in the embedded index: runs of Han characters among two thousand dossiers, permission included."""

import datetime as dt
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import Measurement, percentile

from indexer.document import IndexDocument
from indexer.embedded import EmbeddedIndex
from indexer.query import Query

DOCUMENTS, SEARCHES = 2_000, 200
WORDS = (
    *(
        "食品",
        "经营",
        "许可",
        "申请",
        "企业",
        "设立",
        "登记",
        "道路",
        "运输",
        "占用",
        "挖掘",
        "城市",
        "审批",
        "施工",
    ),
    *(
        "平面",
        "布局",
        "安全",
        "管理",
        "制度",
        "受理",
        "通知",
        "决定",
        "场地",
        "证明",
        "演示",
        "材料",
        "目录",
        "卷内",
    ),
)
DEPARTMENTS = ("scjg", "jtys", "zhzf")


def _document(number: int, chance: random.Random) -> IndexDocument:
    return IndexDocument(
        id=f"{number:026d}",
        kind="dossier",
        title="".join(chance.choices(WORDS, k=8)),
        text="，".join("".join(chance.choices(WORDS, k=6)) for _ in range(25)),
        organisation=DEPARTMENTS[number % 3],
        number=f"X339-XK·2026-D30-{number:05d}",
        at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=number),
    )


def measure() -> Iterator[Measurement]:
    """Fill an index, search it, and compare with reading every text."""
    chance = random.Random(1)
    documents = [_document(number, chance) for number in range(DOCUMENTS)]
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder) / "index.db")
        start = time.perf_counter()
        for document in documents:
            index.put(document)
        filled = DOCUMENTS / (time.perf_counter() - start)
        phrases = ["".join(chance.choices(WORDS, k=2)) for _ in range(SEARCHES)]
        found = [_timed(lambda phrase=phrase: _search(index, phrase)) for phrase in phrases]
        read = [_timed(lambda phrase=phrase: _read_all(documents, phrase)) for phrase in phrases]
    yield Measurement(
        f"search of {DOCUMENTS} dossiers, p95",
        percentile(found, 0.95),
        "ms",
        "reading every text, p95",
        percentile(read, 0.95),
    )
    yield Measurement("search, p50", percentile(found, 0.5), "ms", "allowed", 100.0)
    yield Measurement("dossiers indexed", filled, "1/s", "searches", 1000 * SEARCHES / sum(found))


def _timed(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]  # a search
    return (time.perf_counter() - start) * 1000


def _search(index: EmbeddedIndex, phrase: str) -> int:
    return index.search(Query(phrase, frozenset({"scjg", "jtys"}))).total


def _read_all(documents: list[IndexDocument], phrase: str) -> int:
    return sum(phrase in document.title or phrase in document.text for document in documents)
