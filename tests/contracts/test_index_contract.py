# SPDX-License-Identifier: Apache-2.0
"""What every index does, whichever engine holds it."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.document import IndexDocument, is_han
from indexer.errors import QueryError
from indexer.ports import Index, Written
from indexer.query import MAX_TOKENS, Query, Sort
from indexer.reconcile import Difference, OrderError, compare
from storage.cursors import CursorError

from .conftest import IMPLEMENTATIONS, NOON, PARAMETERS, document

GOLDEN = json.loads((Path(__file__).parent / "golden_queries.json").read_text("utf-8"))


@pytest.fixture(params=PARAMETERS, scope="module")
def golden_index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with IMPLEMENTATIONS[request.param](tmp_path_factory.mktemp("golden")) as made:
        documents = [
            IndexDocument(**entry, at=NOON + dt.timedelta(minutes=order))
            for order, entry in enumerate(GOLDEN["documents"])
        ]
        assert made.put_all(documents) == Written(len(documents))
        yield made


def found(index: Index, text: str, **changes: object) -> list[str]:
    return [hit.id for hit in index.search(Query(text, None, **changes)).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize("case", GOLDEN["queries"], ids=lambda case: case["why"])
def test_the_golden_queries_mean_the_same(golden_index: Index, case: dict[str, object]) -> None:
    assert sorted(found(golden_index, str(case["text"]))) == case["finds"]


HAN = st.one_of(st.integers(0x4E00, 0x9FFF), st.integers(0x3400, 0x4DBF), st.integers(0x20000, 0x2A6DF)).map(
    chr
)
PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PROPERTY
@given(title=st.text(HAN, min_size=1, max_size=12), data=st.data())
def test_every_run_of_han_characters_of_a_title_finds_it(
    index: Index, title: str, data: st.DataObject
) -> None:
    assert all(map(is_han, title))
    start = data.draw(st.integers(0, len(title) - 1))
    end = data.draw(st.integers(start + 1, len(title)))
    index.put(document(1, title=title, version=next(_versions)))
    page = index.search(Query(title[start:end], frozenset({"DEMO-A"})))
    assert [hit.id for hit in page.hits] == ["id0001"]
    left, right = page.hits[0].title.spans[0]
    assert title[start:end][0] == title[left:right][0]


_versions = iter(range(1, 1_000_000))


def test_a_department_finds_its_own_documents_only(index: Index) -> None:
    index.put(document(1))
    index.put(document(2, organisation="DEMO-B"))
    mine = index.search(Query("食品", frozenset({"DEMO-A"})))
    assert [hit.id for hit in mine.hits] == ["id0001"]
    assert mine.total == 1
    assert found(index, "食品") == ["id0002", "id0001"]


def test_nobody_without_a_department_finds_anything(index: Index) -> None:
    index.put(document(1))
    page = index.search(Query("食品", frozenset(), counted=True))
    assert (page.total, set(page.facets.values())) == (0, {()})


def test_a_restricted_document_is_found_by_those_named_alone(index: Index) -> None:
    index.put(document(1, restricted_to=frozenset({"DEMO-B", "DEMO-C"})))
    assert index.search(Query("食品", frozenset({"DEMO-A"}))).total == 0
    assert index.search(Query("食品", frozenset({"DEMO-C"}))).total == 1


def test_kinds_are_told_apart(index: Index) -> None:
    index.put(document(1))
    index.put(document(2, kind="licence"))
    assert found(index, "食品", kinds=frozenset({"licence"})) == ["id0002"]


def test_pages_have_neither_gaps_nor_repetitions_while_documents_arrive(index: Index) -> None:
    for number in range(1, 24):
        # Two share each instant, so the identifier has to decide the order.
        index.put(document(number, at=NOON + dt.timedelta(seconds=number // 2)))
    seen: list[str] = []
    cursor: str | None = None
    for arrival in range(100, 200):
        page = index.search(Query("食品", None, limit=5, after=cursor))
        seen += [hit.id for hit in page.hits]
        index.put(document(arrival))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"id{number:04d}" for number in range(23, 0, -1)]


def test_a_newer_version_replaces_and_an_older_one_does_not(index: Index) -> None:
    assert index.put(document(1, title="旧题名", version=2))
    assert index.put(document(1, title="新题名", version=3))
    assert not index.put(document(1, title="旧题名", version=2))
    assert found(index, "新题名") == ["id0001"]
    assert found(index, "旧题名") == []


def test_what_was_deleted_stays_deleted(index: Index) -> None:
    index.put(document(1, version=2))
    index.delete("id0001", 2)
    assert not index.put(document(1, version=1))
    assert found(index, "食品") == []
    assert list(index.versions()) == []


def test_what_was_forgotten_may_come_back_in_any_version(index: Index) -> None:
    index.put(document(1, title="新题名", version=5))
    index.forget("id0001")
    assert found(index, "题名") == []
    assert index.put(document(1, title="旧题名", version=2))
    assert index.put(document(1, title="题名", version=3))
    assert list(index.versions()) == [("id0001", 3)]


def test_many_are_put_at_once_and_held_ones_are_left(index: Index) -> None:
    assert index.put_all([document(1), document(2, version=2)]) == Written(2)
    assert index.put_all([document(1), document(2), document(3)]) == Written(1)
    assert index.put_all([]) == Written(0)
    assert list(index.versions()) == [("id0001", 1), ("id0002", 2), ("id0003", 1)]
    assert index.count() == 3


def test_a_deleted_document_and_the_watermark_are_not_counted(index: Index) -> None:
    index.put(document(1))
    index.put(document(2, version=4))
    index.delete("id0002", 1)
    index.advance(NOON)
    assert (index.count(), list(index.versions())) == (1, [("id0001", 1)])
    assert not index.put(document(2))


def test_a_rebuild_makes_the_index_what_the_records_say(index: Index) -> None:
    index.put_all([document(1, title="旧题名"), document(2), document(3, version=7)])
    index.advance(NOON)
    written = index.rebuild([[document(1, title="新题名")], [document(3, version=2), document(4)], []])
    assert written == Written(3)
    assert list(index.versions()) == [("id0001", 1), ("id0003", 2), ("id0004", 1)]
    assert (found(index, "新题名"), found(index, "旧题名")) == (["id0001"], [])
    assert index.indexed_up_to() == NOON
    assert index.put(document(3, version=3))


def test_writes_during_a_rebuild_are_not_lost_and_searches_are_answered(index: Index) -> None:
    index.put_all([document(1), document(2)])

    def batches() -> Iterator[Sequence[IndexDocument]]:
        yield [document(1)]
        assert found(index, "食品") == ["id0002", "id0001"]
        assert index.put(document(1, title="新题名", version=2))
        assert index.put(document(5))
        index.advance(NOON)
        assert found(index, "新题名") == ["id0001"]
        # Read before the change above, written after it.
        yield [document(1), document(2)]

    index.rebuild(batches())
    assert list(index.versions()) == [("id0001", 2), ("id0002", 1), ("id0005", 1)]
    assert found(index, "新题名") == ["id0001"]
    assert index.indexed_up_to() == NOON


def test_a_broken_rebuild_leaves_an_index_that_serves(index: Index) -> None:
    index.put_all([document(1), document(2)])

    def batches() -> Iterator[Sequence[IndexDocument]]:
        yield [document(1)]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.rebuild(batches())
    assert found(index, "食品") == ["id0002", "id0001"]
    assert index.put(document(3))
    index.rebuild([[document(1)]])
    assert list(index.versions()) == [("id0001", 1)]


@pytest.mark.parametrize("number", ["YC-2026-000140", "GB/T39784"])
def test_a_piece_of_a_text_cuts_no_number_in_two_and_says_where_it_leaves_out(
    index: Index, number: str
) -> None:
    for before in range(15, 35):
        text = f"{'前' * 9}{number}{'中' * before}食品{'后' * (90 - before)}{number}{'尾' * 9}"
        index.put(document(1, text=text, version=before))
        piece = index.search(Query("食品", None)).hits[0].snippet
        assert [piece.text[start:end] for start, end in piece.spans] == ["食品"]
        assert piece.text.startswith("…") == (not text.startswith(piece.text.strip("…")))
        assert piece.text.endswith("…") == (not text.endswith(piece.text.strip("…")))
        assert piece.text.strip("…") in text
        told = piece.text.strip("…中前后尾")
        cuts = range(1, len(number))
        assert not any(told.startswith(number[cut:]) or told.endswith(number[:cut]) for cut in cuts)


def test_marks_stand_on_the_original_text(index: Index) -> None:
    index.put(document(1, title="（ＡＢＣ１２３）食品", text="前" * 200 + "食品经营" + "后" * 200))
    hit = index.search(Query("abc123 食品", None)).hits[0]
    assert [hit.title.text[start:end] for start, end in hit.title.spans] == ["ＡＢＣ１２３", "食品"]
    assert [hit.snippet.text[start:end] for start, end in hit.snippet.spans] == ["食品"]
    assert len(hit.snippet.text) < 100


def test_indexed_up_to_never_goes_back(index: Index) -> None:
    assert index.indexed_up_to() is None
    index.advance(NOON)
    index.advance(NOON - dt.timedelta(hours=1))
    index.put(document(1))
    assert index.indexed_up_to() == NOON
    assert index.search(Query("食品", None)).indexed_up_to == NOON


@pytest.mark.parametrize(
    "query",
    [
        Query("", None),
        Query("、。——*", None),
        Query("长" * (MAX_TOKENS + 1), None),
        Query("食品", None, limit=0),
        Query("食品", None, limit=101),
        Query("食品", None, after="bm9uc2Vuc2U="),
        Query("食品", None, after="不是游标"),
        Query("食品", None, after="W10", sort=Sort.NUMBER),
        Query("食品", None, after="WyJyZWxldmFuY2UiLDIsIngiLCJ5Il0", sort=Sort.RELEVANCE),
        Query("食品", None, chosen={"holder": "x"}),
    ],
)
def test_what_cannot_be_run_is_refused_without_repeating_it(index: Index, query: Query) -> None:
    with pytest.raises((QueryError, CursorError)) as refusal:
        index.search(query)
    assert not query.text or query.text not in str(refusal.value)


def test_reconciling_compares_sets_of_versions(index: Index) -> None:
    for number in (1, 2, 3):
        index.put(document(number))
    index.put(document(5, version=3))
    difference = compare([("id0001", 1), ("id0002", 2), ("id0004", 1), ("id0005", 2)], index)
    assert difference == Difference(
        missing=("id0004",), outdated=("id0002",), ahead=("id0005",), surplus=("id0003",)
    )
    first = compare([("id0001", 1), ("id0002", 2), ("id0004", 1), ("id0005", 2)], index, most=2)
    assert first == Difference(outdated=("id0002",), surplus=("id0003",), through="id0003")
    rest = compare([("id0004", 1), ("id0005", 2)], index, "id0003", most=2)
    assert rest == Difference(missing=("id0004",), ahead=("id0005",))
    index.forget("id0005")
    assert compare([(f"id000{number}", 1) for number in (1, 2, 3)], index).equal


def test_versions_are_those_of_one_moment_in_ascending_order(index: Index) -> None:
    index.put_all([document(number) for number in (3, 1, 2)])
    versions = index.versions()
    assert next(versions) == ("id0001", 1)
    index.put_all([document(2, version=2), document(4)])
    assert list(versions) == [("id0002", 1), ("id0003", 1)]
    assert list(index.versions("id0002")) == [("id0003", 1), ("id0004", 1)]


def test_records_out_of_order_are_refused_and_not_taken_for_missing(index: Index) -> None:
    index.put_all([document(1), document(2)])
    with pytest.raises(OrderError):
        compare([("id0002", 1), ("id0001", 1)], index)


def test_what_was_recorded_while_the_index_was_read_is_no_surplus(index: Index) -> None:
    index.put(document(1))

    def recorded() -> Iterator[tuple[str, int]]:
        # Filed and indexed once the comparison has begun.
        index.put(document(2))
        yield from [("id0001", 1), ("id0002", 1)]

    assert compare(recorded(), index).surplus == ()
