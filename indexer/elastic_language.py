# SPDX-License-Identifier: Apache-2.0
"""What is said to the Elasticsearch server and what its answers mean; nothing here speaks to it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from indexer.document import FACETS, TOKENISER_VERSION, IndexDocument, token_text
from indexer.errors import IndexUnavailableError
from indexer.facets import frequent
from indexer.ports import Written
from indexer.query import MOST_VALUES, Count, Hit, Phrase, Query, Sort, hit_of
from indexer.validity import LICENCE, Judged, microseconds, span_of
from storage.clock import rfc3339

LAYOUT = 3
"""Of the mapping: an index of another one is refused until it is rebuilt."""
_FIELDS = ("title_words", "text_words", "number_words")
_BEST_FIELDS = ("title_words", "number_words")
SHOWN = {
    "includes": ["id", "kind", "number", "organisation", "at", "title", "text", "trust", "seal", "valid"]
}
WATERMARK = "~watermark"
REMOVED = "removed"
# A prefix this long is a term of its own; longer ones are looked up among so many words.
_PREFIX = {"min_chars": 1, "max_chars": 19}
_EXPANSIONS = 1024

Operation = tuple[dict[str, Any], dict[str, Any] | None]
"""Action of the bulk language without its index, and the document."""


def body_of(analyzer: str) -> dict[str, Any]:
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
            "_meta": {"tokeniser": TOKENISER_VERSION, "analyzer": analyzer, "layout": LAYOUT},
            # The tokens can be made again; keeping them twice would double the index.
            "_source": {"excludes": list(_FIELDS)},
            "properties": {
                "id": exact,
                "version": {"type": "long"},
                **dict.fromkeys(FACETS, exact),
                "visible_to": exact,
                "at": exact,
                "number": exact,
                "seal": exact,
                "valid": {"type": "long_range"},
                **dict.fromkeys(("title", "text", "trust"), kept),
                **dict.fromkeys(_FIELDS, word),
            },
        },
    }


def put_operation(document: IndexDocument) -> Operation:
    """Add or replace a document unless this or a newer version is held."""
    action = {"_id": document.id, "version": document.version, "version_type": "external"}
    span = span_of(document)
    valid = {} if span is None else {"valid": {"gte": span[0], "lt": span[1]}}
    return {"index": action}, {
        **valid,
        "trust": document.trust,
        "seal": document.seal,
        "id": document.id,
        "version": document.version,
        **document.facets,
        "visible_to": sorted(document.visible_to),
        "at": rfc3339(document.at),
        "title": document.title,
        "text": document.text,
        "number": document.number,
        "title_words": token_text(document.title),
        "text_words": token_text(document.text),
        "number_words": token_text(document.number),
    }


def note(note_id: str, kind: str, version: int, at: str | None = None) -> Operation:
    """Write something that no query finds, for its kind is none of a document."""
    action = {"_id": note_id, "version": version, "version_type": "external_gte"}
    body: dict[str, Any] = {"id": note_id, "kind": kind, "version": version}
    return {"index": action}, body if at is None else {**body, "at": at}


def _clause(phrase: Phrase, fields: Sequence[str] = _FIELDS) -> dict[str, Any]:
    """Ask for one phrase in any of the texts."""
    words = " ".join(phrase.tokens)
    asked: Any = words
    if not phrase.prefix:
        kind = "match_phrase"
    elif len(phrase.tokens) == 1:
        kind = "prefix"
    else:
        kind, asked = "match_phrase_prefix", {"query": words, "max_expansions": _EXPANSIONS}
    each = [{kind: {name: asked}} for name in fields]
    return {"bool": {"should": each, "minimum_should_match": 1}}


def wanted(query: Query, phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Ask for what this query finds, permission included."""
    clauses: list[dict[str, Any]] = [{"terms": {"kind": sorted(query.kinds)}}]
    if query.organisations is not None:
        clauses.append({"terms": {"visible_to": sorted(query.organisations)}})
    if query.judged is not None and not query.judged.ended:
        clauses.append(_valid(query.judged))
    found: dict[str, Any] = {"filter": [*clauses, *map(_clause, phrases)]}
    if query.sort is Sort.RELEVANCE:
        best = {"bool": {"filter": [_clause(phrase, _BEST_FIELDS) for phrase in phrases]}}
        # Worth one point or none: no statistics, so that a place in the list stays where it is.
        found["should"] = [{"constant_score": {"filter": best, "boost": 1.0}}]
    return {"bool": found}


def _valid(judged: Judged) -> dict[str, Any]:
    """Ask for everything but licences that are not valid."""
    rests = [{"terms": {"seal": sorted(judged.revoked)}}] if judged.revoked else []
    valid = {"bool": {"filter": [{"term": {"valid": judged.place}}], "must_not": rests}}
    other = {"bool": {"must_not": [{"term": {"kind": LICENCE}}]}}
    return {"bool": {"should": [other, valid], "minimum_should_match": 1}}


def hit_from(source: Mapping[str, Any], phrases: Sequence[Phrase], judged: Judged | None) -> Hit:
    """Read a document that was found."""
    valid = source.get("valid")
    return hit_of(source, None if valid is None else (valid["gte"], valid["lt"]), phrases, judged)


def _chosen(query: Query, but: str = "") -> dict[str, Any]:
    terms = [{"term": {name: value}} for name, value in query.chosen.items() if name != but]
    return {"bool": {"filter": terms}}


_ORDERS: dict[Sort, list[dict[str, str]]] = {
    Sort.NEWEST: [{"at": "desc"}, {"id": "desc"}],
    Sort.RELEVANCE: [{"_score": "desc"}, {"at": "desc"}, {"id": "desc"}],
    Sort.NUMBER: [{"number": "asc"}, {"id": "asc"}],
}


def asking(query: Query, phrases: Sequence[Phrase], place: Sequence[str | int] | None) -> dict[str, Any]:
    """Give what the server is asked for a page.

    What is chosen narrows the hits after they were counted by facet, since each facet is counted under the
    choice of the others only.
    """
    asked: dict[str, Any] = {
        "query": wanted(query, phrases),
        "post_filter": _chosen(query) if query.chosen else None,
        "sort": _ORDERS[query.sort],
        "search_after": None if place is None else list(place),
        "size": query.limit + 1,
        "track_total_hits": True,
        "source": SHOWN,
    }
    if query.counted:
        most = {"size": MOST_VALUES + 1, "order": [{"_count": "desc"}, {"_key": "asc"}]}
        asked["aggs"] = {
            name: {"filter": _chosen(query, name), "aggs": {"values": {"terms": {"field": name, **most}}}}
            for name in FACETS
        }
    return asked


def facets_of(answer: Mapping[str, Any]) -> dict[str, tuple[Count, ...]]:
    """Read how many hits have each value of each facet."""
    counted = answer.get("aggregations")
    if counted is None:
        return {}
    return {
        name: frequent({one["key"]: one["doc_count"] for one in counted[name]["values"]["buckets"]})
        for name in FACETS
    }


DOCUMENTS = {"bool": {"must_not": [{"terms": {"kind": [REMOVED, WATERMARK]}}]}}


def documents_after(document_id: str) -> dict[str, Any]:
    """Ask for every document behind an identifier."""
    return {"bool": {**DOCUMENTS["bool"], "filter": [{"range": {"id": {"gt": document_id}}}]}}


def watermark(up_to: dt.datetime) -> Operation:
    """Note how far the index has come; as a version the instant never goes back."""
    return note(WATERMARK, WATERMARK, microseconds(up_to), rfc3339(up_to))


def is_absent(item: Mapping[str, Any]) -> bool:
    """Tell whether there was no index under this alias."""
    return bool(item["status"] == 404) and item.get("error", {}).get("type") == "index_not_found_exception"


def outcome_of(item: Mapping[str, Any]) -> bool | None:
    """Tell what became of one operation: done, not needed (False), or refused by the engine (None).

    Raises:
        IndexUnavailableError: The engine could not do it now.
    """
    status = int(item["status"])
    if status < 300:
        return True
    if status in {404, 409}:
        return False
    # Only 400 blames the document: a full disk or a busy server answers otherwise.
    if status != 400:
        raise IndexUnavailableError
    return None


def written_of(documents: Sequence[IndexDocument], outcomes: Sequence[bool | None]) -> Written:
    """Sum up what became of many documents."""
    pairs = zip(documents, outcomes, strict=True)
    refused = tuple(document.id for document, outcome in pairs if outcome is None)
    return Written(sum(outcome is True for outcome in outcomes), refused)
