# SPDX-License-Identifier: Apache-2.0
"""The index of a city: Elasticsearch, with the same meaning as the embedded one.

The engine gets the tokens of ``indexer.document``, joined by spaces, beside the text that is shown: its
analyser only finds them again (docs/decisions/0015-the-index-gets-tokens.md). Versions are external ones,
so an older document never replaces a newer one, in whatever order writers come.

Searches go to the alias ``NAME``, which stands for one index ``NAME-000001``. While an index is rebuilt, the
new one bears the alias ``NAME-next``. Every write goes to both aliases in one request that forbids making
an index by writing to it: a writer never needs to know whether a rebuild runs. A page's cursor is a place
in the order (instant, identifier), as in the embedded index: it holds nothing on the server and never ends.
Only reading every version takes a point in time.
"""

import contextlib
import datetime as dt
import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError, TransportError

from indexer.document import IndexDocument
from indexer.elastic_language import (
    DOCUMENTS,
    REMOVED,
    WATERMARK,
    Operation,
    asking,
    body_of,
    documents_after,
    facets_of,
    hit_from,
    is_absent,
    note,
    outcome_of,
    put_operation,
    watermark,
    written_of,
)
from indexer.errors import (
    DocumentRefusedError,
    IndexOutdatedError,
    IndexUnavailableError,
    RebuildOvertakenError,
)
from indexer.places import read_place, write_place
from indexer.ports import Written
from indexer.query import Page, Query, check_chosen, check_limit, parse
from storage.breaker import Breaker
from storage.clock import parse_rfc3339

SEARCH_SECONDS = 5.0
PUT_SECONDS = 5.0
WRITE_SECONDS = 30.0
_FEW = 2
_PAGE = 5_000
_KEEP = "2m"
_FORGET_TRIES, _FORGET_SECONDS = 100, 0.05


@contextlib.contextmanager
def _asking() -> Iterator[None]:
    """Turn every failure of the engine into an error as data."""
    try:
        yield
    except (ApiError, TransportError) as error:
        raise IndexUnavailableError from error


class ElasticIndex:
    """An index on an Elasticsearch server; safe to use from several threads and processes.

    Nothing is asked of the server before the first use, so it may be down when this is made.

    Args:
        address: URL of the server, with name and password where it needs them.
        name: Alias under which the index is found; its indices are called ``NAME-000001`` and so on.
        analyzer: Analyser of the server that finds the tokens again.
        refresh: Make each write visible at once, which costs much; otherwise within a second.
    """

    engine = "elasticsearch"

    def __init__(
        self, address: str, name: str = "cunzheng", analyzer: str = "whitespace", *, refresh: bool = False
    ) -> None:
        client = Elasticsearch(address, max_retries=0, retry_on_timeout=False)
        self._client = client.options(request_timeout=WRITE_SECONDS)
        self._searching = client.options(request_timeout=SEARCH_SECONDS)
        self._putting = client.options(request_timeout=PUT_SECONDS)
        self._server = Breaker(IndexUnavailableError)
        self.name, self._next = name, f"{name}-next"
        self._analyzer, self._refresh = analyzer, refresh
        self._known = False

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    # -- writing ---------------------------------------------------------------------------------

    def put(self, document: IndexDocument) -> bool:
        """Add or replace a document; False when the index already holds this or a newer version."""
        written = self.put_all([document])
        if written.refused:
            raise DocumentRefusedError
        return written.changed == 1

    def put_all(self, documents: Sequence[IndexDocument]) -> Written:
        """Put many; one that the engine cannot hold does not keep the others out."""
        if not documents:
            return Written(0)
        return written_of(documents, self._write([put_operation(document) for document in documents]))

    def delete(self, document_id: str, version: int) -> None:
        """Remove a document for good: no put of this or an older version brings it back."""
        (done,) = self._write([note(document_id, REMOVED, version)])
        if done:
            return
        with _asking():
            held = self._client.get(index=self.name, id=document_id, source=False)
        self._write([note(document_id, REMOVED, held["_version"])])

    def forget(self, document_id: str) -> None:
        """Remove a document and every memory of its versions, as if it had never been put."""
        self._write([({"delete": {"_id": document_id}}, None)], refresh=True)
        # The server remembers the deleted version until a refresh after its coarse clock has ticked.
        for _ in range(_FORGET_TRIES):
            (done,) = self._write([note(document_id, REMOVED, 0)], refresh=True)
            if done:
                return
            time.sleep(_FORGET_SECONDS)
        raise IndexUnavailableError

    def advance(self, up_to: dt.datetime) -> None:
        """Note that everything recorded up to this instant is held; never goes back."""
        self._write([watermark(up_to)])

    def _write(self, operations: Sequence[Operation], *, refresh: bool = False) -> list[bool | None]:
        """Write to the index and to one that is being made; see :func:`outcome_of` for the answers."""
        self._ready()
        answers = self._bulk((self.name, self._next), operations, refresh=refresh)
        if any(is_absent(item) for item in answers[::2]):
            self._known = False
            self._ready()
            answers = self._bulk((self.name, self._next), operations, refresh=refresh)
            if any(is_absent(item) for item in answers[::2]):
                raise IndexUnavailableError
        for item in answers[1::2]:
            if not is_absent(item):
                outcome_of(item)
        return [outcome_of(item) for item in answers[::2]]

    def _bulk(
        self, names: Sequence[str], operations: Sequence[Operation], *, refresh: bool = False
    ) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        for action, body in operations:
            ((verb, details),) = action.items()
            for name in names:
                lines.append({verb: {**details, "_index": name}})
                if body is not None:
                    lines.append(body)
        client = self._putting if len(operations) <= _FEW else self._client
        with _asking():
            answer = client.bulk(
                operations=lines, require_alias=True, refresh=refresh or self._refresh or None
            )
        return [next(iter(item.values())) for item in answer["items"]]

    # -- reading ---------------------------------------------------------------------------------

    def search(self, query: Query) -> Page:
        """Find what the query means among the documents its organisations may find, in its order."""
        phrases = parse(query.text)
        limit = check_limit(query.limit)
        check_chosen(query.chosen)
        asked = asking(query, phrases, read_place(query))
        with self._server.asking():
            self._ready()
            with _asking():
                answer = self._searching.search(index=self.name, **asked)
            up_to = self._up_to()
        found = answer["hits"]["hits"]
        hits = tuple(hit_from(one["_source"], phrases, query.judged) for one in found[:limit])
        cursor = None
        if len(found) > limit:
            cursor = write_place(query.sort, hits[-1], best=found[limit - 1]["sort"][0] == 1)
        return Page(hits, int(answer["hits"]["total"]["value"]), cursor, up_to, facets_of(answer.body))

    def versions(self, after: str = "") -> Generator[tuple[str, int]]:
        """Give identifier and version of every document held at that moment, in ascending order."""
        self._ready()
        with _asking():
            if self._refresh is False:
                self._client.indices.refresh(index=self.name)
            moment = self._client.open_point_in_time(index=self.name, keep_alive=_KEEP)["id"]
        try:
            place: list[Any] | None = None
            while True:
                with _asking():
                    answer = self._client.search(
                        pit={"id": moment, "keep_alive": _KEEP},
                        query=documents_after(after),
                        sort=[{"id": "asc"}],
                        search_after=place,
                        size=_PAGE,
                        source=False,
                        fields=[{"field": "id"}, {"field": "version"}],
                        track_total_hits=False,
                    )
                moment, found = answer["pit_id"], answer["hits"]["hits"]
                if not found:
                    return
                for one in found:
                    yield one["fields"]["id"][0], one["fields"]["version"][0]
                place = found[-1]["sort"]
        finally:
            with contextlib.suppress(ApiError, TransportError):
                self._client.close_point_in_time(id=moment)

    def count(self) -> int:
        """Give how many documents are held."""
        self._ready()
        with _asking():
            return int(self._searching.count(index=self.name, query=DOCUMENTS)["count"])

    def indexed_up_to(self) -> dt.datetime | None:
        """Give the instant of :meth:`advance`; None when nothing was noted yet."""
        with self._server.asking():
            self._ready()
            return self._up_to()

    def _up_to(self) -> dt.datetime | None:
        with _asking():
            # Searched, not fetched: it becomes visible with what was written before it, not earlier.
            found = self._searching.search(
                index=self.name, query={"ids": {"values": [WATERMARK]}}, size=1, source={"includes": ["at"]}
            )["hits"]["hits"]
        return parse_rfc3339(found[0]["_source"]["at"]) if found else None

    # -- indices ---------------------------------------------------------------------------------

    def _ready(self) -> None:
        """Make the first index when there is none; refuse one that was made with other rules."""
        if self._known:
            return
        with _asking():
            if not self._searching.indices.exists_alias(name=self.name):
                self._create(f"{self.name}-000001", {self.name: {}})
            mapping = self._searching.indices.get_mapping(index=self.name)
        body = body_of(self._analyzer)["mappings"]
        if any(one["mappings"].get("_meta") != body["_meta"] for one in mapping.values()):
            raise IndexOutdatedError
        self._known = True

    def _create(self, index: str, aliases: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            self._client.indices.create(index=index, aliases=aliases, **body_of(self._analyzer))
        except BadRequestError as error:
            # Another process was quicker.
            if error.error != "resource_already_exists_exception":
                raise

    def _indices(self, alias: str) -> list[str]:
        try:
            return sorted(self._client.indices.get_alias(name=alias))
        except NotFoundError:
            return []

    def rebuild(self, batches: Iterable[Sequence[IndexDocument]]) -> Written:
        """Make the index anew of exactly these documents; searches are answered all the while."""
        with _asking():
            fresh = self._begin()
        try:
            written = Written(0)
            for batch in filter(None, batches):
                written = written.plus(self._load(batch))
            with _asking():
                self._switch(fresh)
        except BaseException:
            with contextlib.suppress(ApiError, TransportError):
                self._client.indices.delete(index=fresh, ignore_unavailable=True)
            raise
        self._known = False
        return written

    def _load(self, batch: Sequence[IndexDocument]) -> Written:
        answers = self._bulk((self._next,), [put_operation(document) for document in batch])
        if any(map(is_absent, answers)):
            raise RebuildOvertakenError
        return written_of(batch, [outcome_of(item) for item in answers])

    def _begin(self) -> str:
        """Make a new index to which every writer writes from now on; those left by broken rebuilds go."""
        numbered = re.compile(re.escape(self.name) + r"-(\d{6})").fullmatch
        found = {name: int(match[1]) for name in self._every() if (match := numbered(name))}
        fresh = f"{self.name}-{max(found.values(), default=0) + 1:06d}"
        self._client.indices.create(index=fresh, **body_of(self._analyzer))
        # Nobody searches it yet: seeing each second's writes would be wasted work.
        self._client.indices.put_settings(index=fresh, settings={"refresh_interval": "-1"})
        left = sorted(found.keys() - set(self._indices(self.name)))
        actions: list[dict[str, Any]] = [{"remove_index": {"index": one}} for one in left]
        self._client.indices.update_aliases(
            actions=[*actions, {"add": {"index": fresh, "alias": self._next}}]
        )
        return fresh

    def _every(self) -> Iterable[str]:
        return list(self._client.indices.get(index=f"{self.name}-*", features="aliases"))

    def _switch(self, fresh: str) -> None:
        """Search the new index from now on; the old one goes in the same change."""
        old = self._indices(self.name)
        up_to = self._kept_watermark() if old else None
        if up_to is not None:
            self._bulk((self._next,), [watermark(up_to)])
        self._client.indices.put_settings(index=fresh, settings={"refresh_interval": None})
        self._client.indices.refresh(index=fresh)
        actions: list[dict[str, Any]] = [
            {"remove": {"index": fresh, "alias": self._next, "must_exist": True}},
            {"add": {"index": fresh, "alias": self.name}},
            *({"remove_index": {"index": one}} for one in old),
        ]
        try:
            self._client.indices.update_aliases(actions=actions)
        except NotFoundError as error:
            raise RebuildOvertakenError from error

    def _kept_watermark(self) -> dt.datetime | None:
        try:
            held = self._client.get(index=self.name, id=WATERMARK)
        except NotFoundError:
            return None
        return parse_rfc3339(held["_source"]["at"])
