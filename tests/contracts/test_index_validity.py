# SPDX-License-Identifier: Apache-2.0
"""Which licences every index finds: those that are valid when somebody searches, or all, as is asked."""

import datetime as dt
from dataclasses import replace

import pytest

from indexer.document import IndexDocument
from indexer.ports import Index
from indexer.query import Count, Page, Query, Sort
from indexer.validity import Judged

from .conftest import NOON, document

DAY = dt.timedelta(days=1)


def licence(
    number: int, since: dt.datetime | None = NOON - DAY, until: dt.datetime | None = None, seal: str = ""
) -> IndexDocument:
    state = "issued" if since is not None else "revoked"
    made = document(number, kind="licence", type="T1", state=state, trust="B")
    return replace(made, since=since, until=until, seal=seal)


def found(index: Index, judged: Judged, **changes: object) -> Page:
    return index.search(Query("食品", None, judged=judged, **changes))  # type: ignore[arg-type]


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


STOCKED = [
    licence(1),
    licence(2, NOON - DAY, NOON + DAY),
    licence(3, NOON - DAY, NOON),
    licence(4, NOON, NOON + DAY),
    licence(5, NOON + DAY),
    licence(6, None),
    document(7),
]


def test_only_licences_that_are_valid_at_the_instant_are_found_and_dossiers_always(index: Index) -> None:
    index.put_all(STOCKED)
    page = found(index, Judged(NOON))
    assert (ids(page), page.total) == (["id0007", "id0004", "id0002", "id0001"], 4)
    assert ids(found(index, Judged(NOON + DAY))) == ["id0007", "id0005", "id0001"]
    assert ids(found(index, Judged(NOON - DAY))) == ["id0007", "id0003", "id0002", "id0001"]
    assert ids(found(index, Judged(NOON - 2 * DAY))) == ["id0007"]


def test_a_span_begins_with_its_first_microsecond_and_ends_before_its_last(index: Index) -> None:
    tick = dt.timedelta(microseconds=1)
    index.put(licence(1, NOON, NOON + DAY))
    times = (NOON - tick, NOON, NOON + DAY - tick, NOON + DAY)
    assert [found(index, Judged(at)).total for at in times] == [0, 1, 1, 0]


def test_those_that_are_not_valid_are_found_when_asked_for_and_each_says_what_it_is(index: Index) -> None:
    index.put_all(STOCKED)
    page = found(index, Judged(NOON, ended=True))
    assert page.total == 7
    assert [(hit.id, hit.valid, hit.trust) for hit in page.hits] == [
        ("id0007", None, ""),
        *((f"id000{number}", number in {1, 2, 4}, "B") for number in range(6, 0, -1)),
    ]
    assert {hit.valid for hit in index.search(Query("食品", None)).hits} == {None}, "nobody judged"


def test_what_rests_on_a_revoked_seal_is_not_valid(index: Index) -> None:
    index.put_all([licence(1, seal="S1"), licence(2, seal="S2"), licence(3), document(4)])
    gone = frozenset({"S1", "S9"})
    assert ids(found(index, Judged(NOON, gone))) == ["id0004", "id0003", "id0002"]
    every = found(index, Judged(NOON, gone, ended=True))
    assert {hit.id: hit.valid for hit in every.hits} == {
        "id0004": None,
        "id0003": True,
        "id0002": True,
        "id0001": False,
    }


def test_counts_and_facets_agree_with_what_is_found(index: Index) -> None:
    index.put_all(STOCKED)
    page = found(index, Judged(NOON), counted=True)
    assert page.facets["kind"] == (Count("licence", 3), Count("dossier", 1))
    assert page.facets["state"] == (Count("issued", 3),)
    every = found(index, Judged(NOON, ended=True), counted=True)
    assert every.facets["kind"] == (Count("licence", 6), Count("dossier", 1))
    assert every.facets["state"] == (Count("issued", 5), Count("revoked", 1))
    chosen = found(index, Judged(NOON), counted=True, chosen={"state": "revoked"})
    assert (chosen.total, chosen.hits) == (0, ())


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("few", [1, 1_000], ids=["many", "few"])
def test_pages_hold_what_is_valid_and_nothing_else(
    index: Index, sort: Sort, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.embedded._FEW", few)
    made = [licence(number, NOON if number % 3 else None, seal=f"S{number % 2}") for number in range(1, 25)]
    index.put_all(
        [replace(one, title="其他" if at % 4 else one.title, text="食品") for at, one in enumerate(made)]
    )
    seen: list[str] = []
    query = Query("食品", None, limit=3, sort=sort, judged=Judged(NOON, frozenset({"S0"})))
    while True:
        page = index.search(query)
        assert page.total == 8
        seen += ids(page)
        if page.next_cursor is None:
            break
        query = replace(query, after=page.next_cursor)
    assert sorted(seen) == [f"id{number:04d}" for number in range(1, 25) if number % 2 and number % 3]


def test_a_licence_that_was_put_again_or_removed_is_judged_as_it_is_now(index: Index) -> None:
    index.put_all([licence(1), licence(2)])
    index.put(replace(licence(1, None), version=2))
    index.delete("id0002", 1)
    assert found(index, Judged(NOON)).total == 0
    index.put(replace(licence(1), version=3))
    assert ids(found(index, Judged(NOON))) == ["id0001"]
    index.rebuild([[replace(licence(1, NOON + DAY), version=4), licence(2)]])
    assert ids(found(index, Judged(NOON))) == ["id0002"]
