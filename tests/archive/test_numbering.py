# SPDX-License-Identifier: Apache-2.0
"""Archival numbers: composed by template, unique, without gaps, the same for the same case."""

import threading
from pathlib import Path

import pytest
from fakes import make_database
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ArchiveDataError, NumberTemplateError
from archive.numbering import NumberTemplate, NumberTemplates, report, reserve
from archive.retention import decide
from cases.items import ItemCatalogue

TEMPLATES = NumberTemplates.load()
Z901 = TEMPLATES.of("Z901")


@pytest.mark.parametrize(
    ("fonds", "template", "width", "number"),
    [
        ("Z109", "{fonds}-WS·{year}·{retention}·BGS-{serial}", 4, "Z109-WS·2011·Y·BGS-0001"),
        ("Z008", "{fonds}-WS·{year}·{retention}-{serial}", 3, "Z008-WS·2019·Y-037"),
        ("C015", "{fonds}-WY·TZGG·{year}·{retention}-{serial}", 5, "C015-WY·TZGG·2019·D10-00001"),
    ],
)
def test_published_numbers_are_read_and_written_back(
    fonds: str, template: str, width: int, number: str
) -> None:
    parts = NumberTemplate(fonds, template, width).parse(number)
    assert parts is not None
    assert NumberTemplate(fonds, template, width).compose(parts.year, parts.retention, parts.serial) == number


@given(
    st.sampled_from(["Z901", "Z902", "Z903"]),
    st.integers(2000, 2099),
    st.sampled_from(["Y", "D30", "D10"]),
    st.integers(1, 10**7),
)
def test_what_is_composed_is_read_back(fonds: str, year: int, retention: str, serial: int) -> None:
    number = TEMPLATES.of(fonds).compose(year, retention, serial)
    parts = TEMPLATES.parse(number)
    assert (parts.fonds, parts.year, parts.retention, parts.serial) == (fonds, year, retention, serial)


@pytest.mark.parametrize("dot", ["•", "・", "･", "‧"])
def test_look_alikes_of_the_middle_dot_are_folded_when_read(dot: str) -> None:
    number = Z901.compose(2026, "D30", 7)
    assert TEMPLATES.parse(number.replace("·", dot)) == TEMPLATES.parse(number)


@pytest.mark.parametrize("text", ["", "Z901", "Z901-ZY·XK·2026·D30-7", "Z901-ZY·XK·2026·D20-00007", "Z9-1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberTemplateError):
        TEMPLATES.parse(text)


@pytest.mark.parametrize(
    "template",
    [
        NumberTemplate("Z901", "{fonds}-ZY•{year}·{retention}-{serial}", 5),
        NumberTemplate("Z901", "{fonds}-{year}-{serial}-{retention}", 5),
        NumberTemplate("Z901", "{fonds}-{year}·{retention}-{serial}", 0),
    ],
)
def test_a_template_that_breaks_the_rules_cannot_load(template: NumberTemplate) -> None:
    with pytest.raises(ArchiveDataError):
        NumberTemplates([template])


def test_a_case_keeps_its_number_and_series_are_dense(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    numbers = []
    for case in ("a", "b", "a", "c"):
        with database.writing() as uow:
            numbers.append(reserve(uow, Z901, 2026, "D30", f"case-{case}")[0].number)
    with database.writing() as uow:
        other = reserve(uow, Z901, 2026, "D10", "case-d")[0].number
    assert numbers[0] == numbers[2] == "Z901-ZY·XK·2026·D30-00001"
    assert numbers[1:4:2] == ["Z901-ZY·XK·2026·D30-00002", "Z901-ZY·XK·2026·D30-00003"]
    assert other == "Z901-ZY·XK·2026·D10-00001"
    with database.reading() as uow:
        assert [(one.last, one.gaps) for one in report(uow)] == [(1, ()), (3, ())]


def test_a_rolled_back_reservation_leaves_no_gap(tmp_path: Path) -> None:
    database = make_database(tmp_path)

    def reserve_and_fail() -> None:
        with database.writing() as uow:
            reserve(uow, Z901, 2026, "Y", "case-a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reserve_and_fail()
    with database.writing() as uow:
        assert reserve(uow, Z901, 2026, "Y", "case-b")[0].serial == 1


def test_threads_get_different_numbers(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    serials: list[int] = []

    def take(case: int) -> None:
        with database.writing() as uow:
            serials.append(reserve(uow, Z901, 2026, "D30", f"case-{case}")[0].serial)

    threads = [threading.Thread(target=take, args=(case,)) for case in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(serials) == list(range(1, 25))


def test_retention_says_which_rule_gave_it() -> None:
    item = ItemCatalogue.load().get("339999010002", "2026-03")
    granted, refused = decide(item, "approved"), decide(item, "refused")
    assert (granted.code, granted.zh) == ("D30", "准予食品经营许可的案卷保管30年")
    assert (refused.code, refused.zh) == ("D10", "未予许可的申请保管10年")
