# SPDX-License-Identifier: Apache-2.0
"""In which order every index gives its hits, how they are paged, counted and narrowed, on any engine."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from indexer.ports import Index
from indexer.query import MOST_VALUES, Count, Query, Sort
from storage.cursors import CursorError

from .conftest import NOON, document


def paged(index: Index, query: Query, between: Callable[[int], None] = lambda _: None) -> list[str]:
    """Give the hits of all pages, in order; ``between`` is called after each page."""
    seen: list[str] = []
    for page_number in range(100):
        page = index.search(query)
        seen += [hit.id for hit in page.hits]
        between(page_number)
        if page.next_cursor is None:
            return seen
        query = replace(query, after=page.next_cursor)
    raise AssertionError("the pages never end")


def test_those_whose_title_or_number_holds_every_term_are_the_most_relevant(index: Index) -> None:
    index.put_all(
        [
            document(1, title="食品经营许可", number="A-1"),
            document(2, title="公共场所", text="食品经营许可", number="A-2"),
            document(3, title="公共场所", text="食品", number="食品 A-3"),
            document(4, title="食品经营", text="许可", number="A-4"),
        ]
    )
    assert paged(index, Query("食品 许可", None, sort=Sort.RELEVANCE)) == ["id0001", "id0004", "id0002"]
    assert paged(index, Query("食品", None, sort=Sort.RELEVANCE)) == ["id0004", "id0003", "id0001", "id0002"]
    assert paged(index, Query("A 食品", None, sort=Sort.RELEVANCE, limit=1))[0] == "id0004"


def test_numbers_are_sorted_by_their_characters(index: Index) -> None:
    numbers = ["B-2", "A-10", "文-1", "A-2", "b-1", "A-2"]
    index.put_all([document(place, number=number) for place, number in enumerate(numbers)])
    found_numbers = [hit.number for hit in index.search(Query("食品", None, sort=Sort.NUMBER)).hits]
    assert found_numbers == ["A-10", "A-2", "A-2", "B-2", "b-1", "文-1"]


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_of_each_order_have_neither_gaps_nor_repetitions_while_documents_arrive(
    index: Index, sort: Sort, limit: int
) -> None:
    for number in range(1, 16):
        # Two share each instant and each number, so the identifier has to decide; every third is a best hit.
        index.put(
            document(
                number,
                title="食品经营许可" if number % 3 == 0 else "其他",
                text="食品",
                number=f"N-{number // 2:03d}",
                at=NOON + dt.timedelta(seconds=number // 2),
            )
        )
    query = Query("食品", None, sort=sort, limit=limit)
    before = paged(index, query)
    assert sorted(before) == [f"id{number:04d}" for number in range(1, 16)]

    def arrive(page: int) -> None:
        if page < 15:
            for place, title in enumerate(("食品", "其他")):
                index.put(document(200 + 2 * page + place, title=title, text="食品", number=f"M-{page}"))
                index.put(document(400 + 2 * page + place, title=title, text="食品", number=f"N-{page:03d}"))

    seen = paged(index, query, arrive)
    assert [one for one in seen if one in before] == before
    assert len(set(seen)) == len(seen)


def test_a_cursor_of_another_order_is_refused(index: Index) -> None:
    index.put_all([document(number) for number in range(3)])
    cursors = {sort: index.search(Query("食品", None, limit=1, sort=sort)).next_cursor for sort in Sort}
    for sort in Sort:
        for made_by, cursor in cursors.items():
            if made_by is not sort:
                with pytest.raises(CursorError):
                    index.search(Query("食品", None, sort=sort, after=cursor))


NEW_YEAR = dt.datetime(2026, 12, 31, 17, tzinfo=dt.UTC)
"""In Shanghai the year 2027 has begun."""
FACETED = [
    document(1, item="I1", state="filed"),
    document(2, item="I1", state="original-only", at=NOON.replace(year=2025)),
    document(3, item="I2", state="filed", organisation="DEMO-B"),
    document(4, item="I2", state="issued", type="T1", kind="licence"),
    document(5, item="I2", state="revoked", type="T1", kind="licence", at=NEW_YEAR),
    document(6, item="I3", title="无关"),
]


def test_hits_are_counted_by_facet_among_what_may_be_found(index: Index) -> None:
    index.put_all(FACETED)
    every = index.search(Query("食品", None, counted=True))
    assert every.total == 5
    assert every.facets == {
        "kind": (Count("dossier", 3), Count("licence", 2)),
        "organisation": (Count("DEMO-A", 4), Count("DEMO-B", 1)),
        "item": (Count("I2", 3), Count("I1", 2)),
        "year": (Count("2026", 3), Count("2025", 1), Count("2027", 1)),
        "state": (Count("filed", 2), Count("issued", 1), Count("original-only", 1), Count("revoked", 1)),
        "type": (Count("T1", 2),),
    }
    own = index.search(Query("食品", frozenset({"DEMO-A"}), counted=True))
    assert own.facets["organisation"] == (Count("DEMO-A", 4),)
    assert own.facets["item"] == (Count("I1", 2), Count("I2", 2))
    dossiers = index.search(Query("食品", None, kinds=frozenset({"dossier"}), counted=True))
    assert dossiers.facets["type"] == ()
    assert index.search(Query("食品", None)).facets == {}


def test_what_is_chosen_narrows_the_hits_and_the_counts_of_the_other_facets(index: Index) -> None:
    index.put_all(FACETED)
    page = index.search(Query("食品", None, chosen={"item": "I2"}, counted=True))
    assert ([hit.id for hit in page.hits], page.total) == (["id0005", "id0004", "id0003"], 3)
    assert page.facets["item"] == (Count("I2", 3), Count("I1", 2)), "another one may be chosen instead"
    assert page.facets["year"] == (Count("2026", 2), Count("2027", 1))
    both = index.search(Query("食品", None, chosen={"item": "I2", "state": "revoked"}, counted=True))
    assert [hit.id for hit in both.hits] == ["id0005"]
    assert both.facets["item"] == (Count("I2", 1),)
    assert both.facets["state"] == (Count("filed", 1), Count("issued", 1), Count("revoked", 1))
    assert both.facets["year"] == (Count("2027", 1),)
    for sort in Sort:
        assert len(paged(index, Query("食品", None, chosen={"year": "2026"}, sort=sort, limit=1))) == 3


def test_choosing_a_department_shows_nothing_of_one_that_may_not_be_found(index: Index) -> None:
    index.put_all(FACETED)
    asked = Query("食品", frozenset({"DEMO-A"}), chosen={"organisation": "DEMO-B"}, counted=True)
    page = index.search(asked)
    assert (page.hits, page.total) == ((), 0)
    assert page.facets["organisation"] == (Count("DEMO-A", 4),)
    assert page.facets["item"] == ()


def test_a_replaced_or_removed_document_is_not_counted_any_more(index: Index) -> None:
    index.put_all(FACETED)
    index.put(replace(FACETED[3], state="revoked", version=2))
    index.delete("id0003", 1)
    index.forget("id0002")
    counted = index.search(Query("食品", None, counted=True)).facets
    assert counted["state"] == (Count("revoked", 2), Count("filed", 1))
    index.rebuild([FACETED[:1]])
    assert index.search(Query("食品", None, counted=True)).facets["item"] == (Count("I1", 1),)


def test_the_most_frequent_values_of_a_facet_are_counted(index: Index) -> None:
    index.put_all([document(number, item=f"I{min(number, 60):03d}") for number in range(62)])
    items = index.search(Query("食品", None, counted=True)).facets["item"]
    assert len(items) == MOST_VALUES
    assert items[:2] == (Count("I060", 2), Count("I000", 1))
