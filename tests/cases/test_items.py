# SPDX-License-Identifier: Apache-2.0
"""The catalogue of items and the working calendar."""

import datetime as dt
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import WorkingCalendar
from cases.errors import DepartmentUnknownError, ItemUnknownError
from cases.identifiers import is_uscc
from cases.items import DATA, Group, Item, ItemCatalogue, Retention

CATALOGUE = ItemCatalogue.load()
CALENDAR = WorkingCalendar.load()
FOOD = CATALOGUE.get("339999010002", "2026-03")
days = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 1))


def test_the_shipped_catalogue_has_eight_items_of_five_departments() -> None:
    assert len(CATALOGUE.items) == 8
    assert {item.department for item in CATALOGUE.items} == {"scjg", "jtys", "zhzf", "wjw", "rsj"}
    assert all(is_uscc(CATALOGUE.department(item.department).uscc) for item in CATALOGUE.items)
    assert len({item.license_type for item in CATALOGUE.items} - {None}) == 6


@pytest.mark.parametrize("item", CATALOGUE.items, ids=lambda item: item.code)
def test_every_item_requires_something_of_each_group(item: Item) -> None:
    assert {rule.group for rule in item.required()} == set(Group)


def test_an_unknown_edition_is_an_unknown_item() -> None:
    with pytest.raises(ItemUnknownError):
        CATALOGUE.get(FOOD.code, "2025-01")
    with pytest.raises(DepartmentUnknownError):
        CATALOGUE.department("nobody")


def test_the_retention_rule_that_applies_explains_itself() -> None:
    granted = FOOD.retention({"result": "approved"})
    assert (granted.code, granted.zh) == (Retention.YEARS_30, "准予食品经营许可的案卷保管30年")
    assert FOOD.retention({"result": "refused"}).code is Retention.YEARS_10
    assert FOOD.retention({}).code is Retention.YEARS_10


def test_a_catalogue_that_contradicts_itself_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "departments.json").write_bytes((DATA / "departments.json").read_bytes())
    shipped = json.loads((DATA / "items.json").read_bytes())

    def load(**change: object) -> None:
        items = [shipped["items"][0] | change]
        (tmp_path / "items.json").write_text(json.dumps({"version": "1", "items": items}), encoding="utf-8")
        ItemCatalogue.load(tmp_path)

    load()
    material = shipped["items"][0]["materials"][0]
    for change in ({"department": "nobody"}, {"materials": [material, material]}, {"retention": []}):
        with pytest.raises(ValueError, match="item 339999010001"):
            load(**change)
    (tmp_path / "items.json").write_text(
        json.dumps({"version": "1", "items": shipped["items"][:1] * 2}), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="twice"):
        ItemCatalogue.load(tmp_path)


def test_a_missing_edition_is_asked_for_and_held_from_then_on() -> None:
    later = replace(FOOD, edition="2027-01", filing_days=7)
    asked: list[int] = []

    def look_up(number: int) -> list[tuple[int, tuple[Item, ...]]]:
        asked.append(number)
        return [(1, (later,))] if number < 1 else []

    catalogue = ItemCatalogue.load(look_up=look_up)
    assert catalogue.get(FOOD.code, FOOD.edition) == FOOD
    assert asked == []
    assert catalogue.get(later.code, "2027-01") == later
    assert catalogue.get(later.code, "2027-01") == later
    assert asked == [0]
    with pytest.raises(ItemUnknownError):
        catalogue.get(FOOD.code, "2027-02")
    assert asked == [0, 1]


def test_a_list_of_items_is_refreshed_at_most_every_few_seconds() -> None:
    asked: list[int] = []

    def look_up(number: int) -> list[tuple[int, tuple[Item, ...]]]:
        asked.append(number)
        return []

    catalogue = ItemCatalogue.load(look_up=look_up)
    for _ in range(5):
        assert catalogue.current() == CATALOGUE.items
    assert len(asked) == 1
    assert catalogue.knows(FOOD.code)
    assert not catalogue.knows("nothing")


def test_an_edition_that_does_not_fit_leaves_the_others_working(caplog: pytest.LogCaptureFixture) -> None:
    foreign = replace(FOOD, edition="2027-01", department="nobody")
    altered = replace(FOOD, filing_days=7)
    good = replace(FOOD, edition="2027-02")
    found = [(1, (foreign,)), (2, (altered,)), (3, (good,))]
    catalogue = ItemCatalogue.load(look_up=lambda number: [one for one in found if one[0] > number])
    assert catalogue.get(FOOD.code, "2027-02") == good
    assert catalogue.get(FOOD.code, FOOD.edition) == FOOD
    with pytest.raises(ItemUnknownError):
        catalogue.get(FOOD.code, "2027-01")
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


editions = st.builds(
    lambda item, edition, days: replace(item, edition=edition, filing_days=days),
    st.sampled_from(CATALOGUE.items),
    st.sampled_from(["2026-03", "2027-01", "2027-02"]),
    st.integers(1, 90),
)


@given(st.lists(st.lists(editions, max_size=4), max_size=6))
def test_whatever_is_adopted_no_held_edition_is_ever_altered(waves: list[list[Item]]) -> None:
    catalogue = ItemCatalogue.load()
    held: dict[tuple[str, str], Item] = {(item.code, item.edition): item for item in CATALOGUE.items}
    for number, wave in enumerate(waves):
        refused = catalogue.adopt(wave, number)
        for item in wave:
            held.setdefault((item.code, item.edition), item)
        assert {key: catalogue.get(*key) for key in held} == held
        assert list(refused) == [item for item in wave if held[item.code, item.edition] != item]
        assert len(catalogue.items) == len(held)


def test_threads_that_adopt_at_once_lose_nothing() -> None:
    catalogue = ItemCatalogue.load()
    threads = [
        threading.Thread(target=catalogue.adopt, args=([replace(FOOD, edition=f"2027-{number:02d}")], number))
        for number in range(1, 31)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(catalogue.items) == len(CATALOGUE.items) + 30


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-10-01", False),
        ("2026-10-10", True),
        ("2026-10-11", False),
        ("2026-11-20", True),
        ("2026-02-23", False),
        ("2026-02-28", True),
    ],
)
def test_holidays_and_worked_weekends_are_known(day: str, works: bool) -> None:
    assert CALENDAR.is_working(dt.date.fromisoformat(day)) is works


def test_filing_is_due_so_many_working_days_after_the_legal_date_of_closing() -> None:
    # 23:30 UTC on 29 September is already 30 September in Shanghai; the holiday week follows.
    closed = dt.datetime(2026, 9, 29, 23, 30, tzinfo=dt.UTC)
    assert CALENDAR.filing_due(closed, 1) == dt.date(2026, 10, 8)
    assert CALENDAR.filing_due(closed, 3) == dt.date(2026, 10, 10)


def test_the_calendar_says_which_years_it_knows() -> None:
    assert CALENDAR.knows(dt.date(2026, 5, 5))
    assert not CALENDAR.knows(dt.date(2027, 5, 5))


@given(days, st.integers(0, 20))
def test_a_deadline_is_a_working_day_with_the_right_count_before_it(day: dt.date, count: int) -> None:
    due = CALENDAR.add_working_days(day, count)
    between = [day + dt.timedelta(days=offset + 1) for offset in range((due - day).days)]
    assert sum(map(CALENDAR.is_working, between)) == count
    assert count == 0 or CALENDAR.is_working(due)
