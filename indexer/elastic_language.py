# SPDX-License-Identifier: Apache-2.0
"""What is said to the Elasticsearch server and what its answers mean; nothing here speaks to it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from indexer.document import TOKENISER_VERSION, IndexDocument, token_text
from indexer.errors import IndexUnavailableError
from indexer.ports import Written
from indexer.query import Phrase, Query
from storage.clock import rfc3339

_FIELDS = ("title_words", "text_words", "number_words")
SHOWN = {"includes": ["id", "kind", "number", "organisation", "at", "title", "text"]}
WATERMARK = "~watermark"
REMOVED = "removed"
# A prefix this long is a term of its own; longer ones are looked up among so many words.
_PREFIX = {"min_chars": 1, "max_chars": 19}
_EXPANSIONS = 1024
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

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


def put_operation(document: IndexDocument) -> Operation:
    """Add or replace a document unless this or a newer version is held."""
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


def note(note_id: str, kind: str, version: int, at: str | None = None) -> Operation:
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


def wanted(query: Query, phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Ask for what this query finds, permission included."""
    clauses: list[dict[str, Any]] = [{"terms": {"kind": sorted(query.kinds)}}]
    if query.organisations is not None:
        clauses.append({"terms": {"visible_to": sorted(query.organisations)}})
    return {"bool": {"filter": [*clauses, *map(_clause, phrases)]}}


DOCUMENTS = {"bool": {"must_not": [{"terms": {"kind": [REMOVED, WATERMARK]}}]}}


def documents_after(document_id: str) -> dict[str, Any]:
    """Ask for every document behind an identifier."""
    return {"bool": {**DOCUMENTS["bool"], "filter": [{"range": {"id": {"gt": document_id}}}]}}


def watermark(up_to: dt.datetime) -> Operation:
    """Note how far the index has come; as a version the instant never goes back."""
    return note(WATERMARK, WATERMARK, (up_to - _EPOCH) // dt.timedelta(microseconds=1), rfc3339(up_to))


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
