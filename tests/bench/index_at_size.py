# SPDX-License-Identifier: Apache-2.0
"""A city's index: rebuild, bytes, search, reconciliation, and the same hits on both engines.

Usage: index_at_size.py [--embedded N] [--elastic N] [--queries N]. The Elasticsearch part runs where the
environment names a server; what it made there goes at the end. Exits 1 when a golden query or one of the
department whose documents both hold finds anything else on one of them.
"""

import argparse
import contextlib
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from elastic_part import ELASTICSEARCH, elastic_name  # noqa: E402 # the path above has to be set first
from elasticsearch import Elasticsearch  # noqa: E402 # as above
from many_documents import (  # noqa: E402 # as above
    EARLY,
    GOLDEN,
    batches,
    document,
    golden_departments,
    queries,
)
from measuring import percentile, sha256_rate, timed  # noqa: E402 # as above

from indexer.elastic import ElasticIndex  # noqa: E402 # as above
from indexer.embedded import EmbeddedIndex  # noqa: E402 # as above
from indexer.ports import Index  # noqa: E402 # as above
from indexer.query import Query  # noqa: E402 # as above
from indexer.reconcile import compare  # noqa: E402 # as above
from storage.cursors import write_cursor  # noqa: E402 # as above

Answers = list[tuple[int, list[str]]]


def _say(name: str, value: str) -> None:
    print(f"{name:<44} {value}", flush=True)


def _search(index: Index, count: int, documents: int, *, deep: bool) -> None:
    wanted = list(queries(count, documents))
    if deep:
        # Nine tenths of all documents are newer.
        behind = document(documents // 10)
        wanted = [replace(query, after=write_cursor(behind.at, behind.id)) for query in wanted]
    times, totals = [], []
    for query in wanted:
        start = time.perf_counter()
        totals.append(index.search(query).total)
        times.append((time.perf_counter() - start) * 1000)
    shares = (f"p{round(share * 100)} {percentile(times, share):.1f}" for share in (0.5, 0.95, 0.99))
    name = "search, page behind nine tenths" if deep else "search, first page"
    _say(name, f"{' / '.join(shares)} ms of {count}, median {statistics.median(totals):.0f} hits")


def _golden(index: Index) -> list[str]:
    """Give the golden queries that find anything else than they should."""
    own = golden_departments()
    found = {
        case["why"]: sorted(hit.id for hit in index.search(Query(case["text"], own)).hits)
        for case in GOLDEN["queries"]
    }
    return [case["why"] for case in GOLDEN["queries"] if found[case["why"]] != case["finds"]]


def _early(index: Index, count: int) -> Answers:
    asked = (replace(query, organisations=frozenset({EARLY})) for query in queries(count, 100_000, seed=11))
    pages = map(index.search, asked)
    return [(page.total, [hit.id for hit in page.hits]) for page in pages]


def _reconcile(index: Index, documents: int) -> None:
    golden = ((entry["id"], 1) for entry in GOLDEN["documents"])
    recorded = chain(((f"{number:026d}", 1) for number in range(documents)), golden)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    difference = compare(recorded, index)
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    _say(
        "compared with the records", f"{seconds:.1f} s, equal: {difference.equal}, {grown:.0f} MB more memory"
    )


def _measure(index: Index, documents: int, count: int) -> tuple[list[str], Answers]:
    seconds = timed(lambda: index.rebuild(batches(documents)))
    _say("rebuilt", f"{documents / seconds:,.0f} documents/s, {seconds:.0f} s")
    _search(index, 20, documents, deep=False)
    for deep in (False, True):
        _search(index, count, documents, deep=deep)
    _reconcile(index, documents)
    wrong = _golden(index)
    _say("golden queries that find anything else", ", ".join(wrong) or "none")
    return wrong, _early(index, count)


def _embedded(documents: int, count: int) -> tuple[list[str], Answers]:
    print(f"\nembedded, {documents:,} documents")
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder) / "index.db")
        result = _measure(index, documents, count)
        held = sum(path.stat().st_size for path in Path(folder).iterdir())
        _say("bytes on disk", f"{held / 1e6:.0f} MB, {held / documents:.0f} each")
        return result


@contextlib.contextmanager
def _server_index() -> Iterator[ElasticIndex]:
    address = os.environ[ELASTICSEARCH]
    with elastic_name() as name, contextlib.closing(ElasticIndex(address, name)) as index:
        yield index


def _elastic(documents: int, count: int) -> tuple[list[str], Answers]:
    print(f"\nElasticsearch, {documents:,} documents")
    with _server_index() as index, Elasticsearch(os.environ[ELASTICSEARCH]) as server:
        result = _measure(index, documents, count)
        stored = server.indices.stats(index=index.name, metric="store")["_all"]["primaries"]["store"]
        held = stored["size_in_bytes"]
        _say("bytes on disk", f"{held / 1e6:.0f} MB, {held / documents:.0f} each")
        return result


def main() -> int:
    """Measure what is asked for and compare the engines."""
    parser = argparse.ArgumentParser(description="A city's index, measured.")
    parser.add_argument("--embedded", type=int, default=100_000)
    parser.add_argument("--elastic", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=300)
    wanted = parser.parse_args()
    _say("load before", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    _say("SHA-256 of 1 KiB, one thread", f"{sha256_rate():,.0f} 1/s")
    results = []
    if wanted.embedded:
        results.append(_embedded(wanted.embedded, wanted.queries))
    if wanted.elastic and ELASTICSEARCH in os.environ:
        results.append(_elastic(wanted.elastic, wanted.queries))
    _say("\nload after", f"{os.getloadavg()[0]:.1f}")
    wrong = [why for golden, _ in results for why in golden]
    if len(results) == 2:
        pairs = list(zip(results[0][1], results[1][1], strict=True))
        differ = sum(one != other for one, other in pairs)
        _say("queries of which the engines differ", f"{differ} of {len(pairs)}")
        return 1 if wrong or differ else 0
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
