# SPDX-License-Identifier: Apache-2.0
"""The index of a city: Elasticsearch, with the same meaning as the embedded one.

The engine gets the tokens of ``indexer.document``, joined by spaces, beside the text that is shown: its
analyser only finds them again (docs/decisions/0013-the-index-gets-tokens.md). Versions are external ones,
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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError, TransportError

from indexer.document import TOKENISER_VERSION, IndexDocument, token_text
from indexer.errors import (
    DocumentRefusedError,
    IndexOutdatedError,
    IndexUnavailableError,
    RebuildOvertakenError,
)
from indexer.ports import Written
from indexer.query import Hit, Page, Phrase, Query, check_limit, highlight, parse, snippet
from storage.clock import parse_rfc3339, rfc3339
from storage.cursors import read_cursor, write_cursor

SEARCH_SECONDS = 5.0
WRITE_SECONDS = 30.0
_PAGE = 5_000
_KEEP = "2m"
_FIELDS = ("title_words", "text_words", "number_words")
_SHOWN = {"includes": ["id", "kind", "number", "organisation", "at", "title", "text"]}
_WATERMARK = "~watermark"
_REMOVED = "removed"
# A prefix this long is a term of its own; longer ones are looked up among so many words.
_PREFIX = {"min_chars": 1, "max_chars": 19}
_EXPANSIONS = 1024
_FORGET_TRIES, _FORGET_SECONDS = 100, 0.05

Operation = tuple[dict[str, Any], dict[str, Any] | None]
"""Action of the bulk language without its index, and the document."""


def _body(analyzer: str) -> dict[str, Any]:
    """Give settings and mapping of an index."""
    word = {"type": "text", "analyzer": analyzer, "index_prefixes": _PREFIX}
    kept = {"type": "keyword", "index": False, "doc_values": False}
    exact = {"type": "keyword"}
    return {
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            # Forgetting a document must also forget its version.
            "gc_deletes": "0s",
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"tokeniser": TOKENISER_VERSION, "analyzer": analyzer},
            # The tokens can be made again; keeping them twice would double the index.
            "_source": {"excludes": list(_FIELDS)},
            "properties": {
                "id": exact,
                "version": {"type": "long"},
                "kind": exact,
                "organisation": exact,
                "visible_to": exact,
                "at": exact,
                **dict.fromkeys(("title", "text", "number"), kept),
                **dict.fromkeys(_FIELDS, word),
            },
        },
    }


def _put(document: IndexDocument) -> Operation:
    action = {"_id": document.id, "version": document.version, "version_type": "external"}
    return {"index": action}, {
        "id": document.id,
        "version": document.version,
        "kind": document.kind,
        "organisation": document.organisation,
        "visible_to": sorted(document.visible_to),
        "at": rfc3339(document.at),
        "title": document.title,
        "text": document.text,
        "number": document.number,
        "title_words": token_text(document.title),
        "text_words": token_text(document.text),
        "number_words": token_text(document.number),
    }


def _note(note_id: str, kind: str, version: int, at: str | None = None) -> Operation:
    """Write something that no query finds, for its kind is none of a document."""
    action = {"_id": note_id, "version": version, "version_type": "external_gte"}
    body: dict[str, Any] = {"id": note_id, "kind": kind, "version": version}
    return {"index": action}, body if at is None else {**body, "at": at}


def _clause(phrase: Phrase) -> dict[str, Any]:
    """Ask for one phrase in any of the texts."""
    words = " ".join(phrase.tokens)
    asked: Any = words
    if not phrase.prefix:
        kind = "match_phrase"
    elif len(phrase.tokens) == 1:
        kind = "prefix"
    else:
        kind, asked = "match_phrase_prefix", {"query": words, "max_expansions": _EXPANSIONS}
    each = [{kind: {name: asked}} for name in _FIELDS]
    return {"bool": {"should": each, "minimum_should_match": 1}}


def _wanted(query: Query, phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Ask for what this query finds, permission included."""
    clauses: list[dict[str, Any]] = [{"terms": {"kind": sorted(query.kinds)}}]
    if query.organisations is not None:
        clauses.append({"terms": {"visible_to": sorted(query.organisations)}})
    return {"bool": {"filter": [*clauses, *map(_clause, phrases)]}}


def _hit(source: Mapping[str, str], phrases: Sequence[Phrase]) -> Hit:
    return Hit(
        id=source["id"],
        kind=source["kind"],
        number=source["number"],
        organisation=source["organisation"],
        at=parse_rfc3339(source["at"]),
        title=highlight(source["title"], phrases),
        snippet=snippet(source["text"], phrases),
    )


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
        return _written(documents, self._write([_put(document) for document in documents]))

    def delete(self, document_id: str, version: int) -> None:
        """Remove a document for good: no put of this or an older version brings it back."""
        (done,) = self._write([_note(document_id, _REMOVED, version)])
        if done:
            return
        with _asking():
            held = self._client.get(index=self.name, id=document_id, source=False)
        self._write([_note(document_id, _REMOVED, held["_version"])])

    def forget(self, document_id: str) -> None:
        """Remove a document and every memory of its versions, as if it had never been put."""
        self._write([({"delete": {"_id": document_id}}, None)], refresh=True)
        # The server remembers the deleted version until a refresh after its coarse clock has ticked.
        for _ in range(_FORGET_TRIES):
            (done,) = self._write([_note(document_id, _REMOVED, 0)], refresh=True)
            if done:
                return
            time.sleep(_FORGET_SECONDS)
        raise IndexUnavailableError

    def advance(self, up_to: dt.datetime) -> None:
        """Note that everything recorded up to this instant is held; never goes back."""
        self._write([_watermark(up_to)])

    def _write(self, operations: Sequence[Operation], *, refresh: bool = False) -> list[bool | None]:
        """Write to the index and to one that is being made; see :func:`_outcome` for the answers."""
        self._ready()
        answers = self._bulk((self.name, self._next), operations, refresh=refresh)
        if any(_absent(item) for item in answers[::2]):
            self._known = False
            self._ready()
            answers = self._bulk((self.name, self._next), operations, refresh=refresh)
            if any(_absent(item) for item in answers[::2]):
                raise IndexUnavailableError
        for item in answers[1::2]:
            if not _absent(item):
                _outcome(item)
        return [_outcome(item) for item in answers[::2]]

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
        with _asking():
            answer = self._client.bulk(
                operations=lines, require_alias=True, refresh=refresh or self._refresh or None
            )
        return [next(iter(item.values())) for item in answer["items"]]

    # -- reading ---------------------------------------------------------------------------------

    def search(self, query: Query) -> Page:
        """Find what the query means among the documents its organisations may find, newest first."""
        phrases = parse(query.text)
        limit = check_limit(query.limit)
        place: list[Any] | None = None
        if query.after is not None:
            at, document_id = read_cursor(query.after)
            place = [rfc3339(at), document_id]
        self._ready()
        with _asking():
            found = self._searching.search(
                index=self.name,
                query=_wanted(query, phrases),
                sort=[{"at": "desc"}, {"id": "desc"}],
                search_after=place,
                size=limit + 1,
                track_total_hits=True,
                source=_SHOWN,
            )["hits"]
        hits = tuple(_hit(one["_source"], phrases) for one in found["hits"][:limit])
        cursor = write_cursor(hits[-1].at, hits[-1].id) if len(found["hits"]) > limit else None
        return Page(hits, int(found["total"]["value"]), cursor, self.indexed_up_to())

    def versions(self) -> Iterator[tuple[str, int]]:
        """Give identifier and version of every document held, ordered by identifier."""
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
                        query=_DOCUMENTS,
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
            return int(self._searching.count(index=self.name, query=_DOCUMENTS)["count"])

    def indexed_up_to(self) -> dt.datetime | None:
        """Give the instant of :meth:`advance`; None when nothing was noted yet."""
        self._ready()
        with _asking():
            # Searched, not fetched: it becomes visible with what was written before it, not earlier.
            found = self._searching.search(
                index=self.name, query={"ids": {"values": [_WATERMARK]}}, size=1, source={"includes": ["at"]}
            )["hits"]["hits"]
        return parse_rfc3339(found[0]["_source"]["at"]) if found else None

    # -- indices ---------------------------------------------------------------------------------

    def _ready(self) -> None:
        """Make the first index when there is none; refuse one that was made with other rules."""
        if self._known:
            return
        with _asking():
            if not self._client.indices.exists_alias(name=self.name):
                self._create(f"{self.name}-000001", {self.name: {}})
            mapping = self._client.indices.get_mapping(index=self.name)
        body = _body(self._analyzer)["mappings"]
        if any(one["mappings"].get("_meta") != body["_meta"] for one in mapping.values()):
            raise IndexOutdatedError
        self._known = True

    def _create(self, index: str, aliases: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            self._client.indices.create(index=index, aliases=aliases, **_body(self._analyzer))
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
        answers = self._bulk((self._next,), [_put(document) for document in batch])
        if any(map(_absent, answers)):
            raise RebuildOvertakenError
        return _written(batch, [_outcome(item) for item in answers])

    def _begin(self) -> str:
        """Make a new index to which every writer writes from now on; those left by broken rebuilds go."""
        numbered = re.compile(re.escape(self.name) + r"-(\d{6})").fullmatch
        found = {name: int(match[1]) for name in self._every() if (match := numbered(name))}
        fresh = f"{self.name}-{max(found.values(), default=0) + 1:06d}"
        self._client.indices.create(index=fresh, **_body(self._analyzer))
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
            self._bulk((self._next,), [_watermark(up_to)])
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
            held = self._client.get(index=self.name, id=_WATERMARK)
        except NotFoundError:
            return None
        return parse_rfc3339(held["_source"]["at"])


_DOCUMENTS = {"bool": {"must_not": [{"terms": {"kind": [_REMOVED, _WATERMARK]}}]}}


def _watermark(up_to: dt.datetime) -> Operation:
    return _note(_WATERMARK, _WATERMARK, int(up_to.timestamp() * 1_000_000), rfc3339(up_to))


def _absent(item: Mapping[str, Any]) -> bool:
    """Tell whether there was no index under this alias."""
    return bool(item["status"] == 404) and item.get("error", {}).get("type") == "index_not_found_exception"


def _outcome(item: Mapping[str, Any]) -> bool | None:
    """Tell what became of one operation: done, not needed (False), or refused by the engine (None).

    Raises:
        IndexUnavailableError: The engine could not do it now.
    """
    status = int(item["status"])
    if status < 300:
        return True
    if status in {404, 409}:
        return False
    if status == 429 or status >= 500:
        raise IndexUnavailableError
    return None


def _written(documents: Sequence[IndexDocument], outcomes: Sequence[bool | None]) -> Written:
    pairs = zip(documents, outcomes, strict=True)
    refused = tuple(document.id for document, outcome in pairs if outcome is None)
    return Written(sum(outcome is True for outcome in outcomes), refused)
