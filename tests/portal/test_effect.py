# SPDX-License-Identifier: Apache-2.0
"""The supervisor sees what no-proof handling achieves, takes it away, and opens what is behind a number."""

import csv
import io
from typing import Any

import pytest

from storage.identity import Role

from .conftest import House
from .test_ladder import asked, happen, take
from .test_operation import figures
from .test_window import announce, ask

PLACE = "/supervision/effect"
TABLES = ("answers", "collected", "cooperation", "commitments")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


@pytest.fixture
def busy(house: House) -> House:
    """A house in which a case was asked about, a department answered, and a holder committed."""
    clerk, doctor = house.browser(Role.CLERK), house.browser(Role.CLERK, "wjw")
    answer = asked(house, clerk)
    house.clock.advance(1)
    happen(doctor, take(clerk, answer, "R3", "cooperation").headers["Location"], "answered-yes")
    place = take(clerk, answer, "R2", "commitment").headers["Location"]
    for event in ("committed", "accepted"):
        happen(clerk, place, event)
    return house


def test_the_page_says_how_requirements_departments_and_commitments_came_out(busy: House) -> None:
    supervisor = busy.browser(Role.SUPERVISOR)
    page = supervisor.get(PLACE).text
    for words in ("免证成效", "食品经营许可核发", "证明要求核验结果", "部门协查", "告知承诺", "100.0%"):
        assert words in page
    assert PLACE in supervisor.get("/supervision").text
    assert "What no-proof handling achieves" in supervisor.get(f"{PLACE}?lang=en").text


def test_each_table_is_taken_away_with_what_the_page_shows(busy: House) -> None:
    supervisor = busy.browser(Role.SUPERVISOR)
    found: dict[str, Any] = {name: rows(supervisor.get(f"{PLACE}/{name}.csv").text) for name in TABLES}
    (answers,) = found["answers"]
    assert (answers["事项编码"], answers["核验次数"], answers["证明要求"]) == ("339999010002", "1", "3")
    assert answers["自动核实率"] == f"{int(answers['凭证据核实']) / 3:.3f}"
    assert sum(int(answers[one]) for one in ("凭证据核实", "无法核实", "核实不符")) == 3
    (cooperation,) = found["cooperation"]
    assert (cooperation["发起协查"], cooperation["按时"], cooperation["逾期"]) == ("1", "1", "0")
    (commitments,) = found["commitments"]
    assert (commitments["已承诺"], commitments["承诺不实"]) == ("1", "0")
    assert found["collected"] == [], "no case is closed yet"


def test_another_department_s_supervisor_sees_none_of_it(busy: House) -> None:
    supervisor = busy.browser(Role.SUPERVISOR, "jtys")
    for name in TABLES:
        assert rows(supervisor.get(f"{PLACE}/{name}.csv").text) == []
    asked_one = busy.browser(Role.SUPERVISOR, "wjw")
    assert len(rows(asked_one.get(f"{PLACE}/cooperation.csv").text)) == 1, "it answers for itself"
    assert len(rows(busy.browser(Role.AUDIT_ADMIN).get(f"{PLACE}/answers.csv").text)) == 1


def test_nothing_is_shown_without_the_right(busy: House) -> None:
    clerk = busy.browser(Role.CLERK)
    for address in (PLACE, f"{PLACE}/proofs?verdict=established", *(f"{PLACE}/{one}.csv" for one in TABLES)):
        assert clerk.get(address).status_code == 403
        assert busy.app.test_client().get(address).status_code in {303, 401, 403}


def test_who_administers_audit_sees_counts_and_no_cases_behind_them(busy: House) -> None:
    browser = busy.browser(Role.AUDIT_ADMIN)
    assert browser.get(PLACE).status_code == 200
    assert "effect/proofs" not in browser.get(PLACE).text
    assert browser.get(f"{PLACE}/proofs?verdict=established").status_code == 403
    assert busy.acts()[-1] == "access.refused"


@pytest.mark.parametrize(
    "asked_for",
    [
        "from=2026-11-02&until=2026-11-01",
        "from=2025-01-01&until=2026-11-01",
        "from=x&until=y",
        "from=2026-11-01",
    ],
)
def test_what_is_no_period_is_refused_without_an_echo(house: House, asked_for: str) -> None:
    answer = house.browser(Role.SUPERVISOR).get(f"{PLACE}?{asked_for}")
    assert answer.status_code == 422
    assert ">x<" not in answer.text


def test_days_in_which_nothing_happened_say_so(house: House) -> None:
    page = house.browser(Role.SUPERVISOR).get(f"{PLACE}?from=2026-01-01&until=2026-01-31").text
    for words in ("期间内没有核验", "期间内没有办结的办件", "期间内没有发起协查", "期间内没有告知承诺"):
        assert words in page


def test_a_number_of_no_verdict_is_no_page(house: House) -> None:
    assert house.browser(Role.SUPERVISOR).get(f"{PLACE}/proofs?verdict=other").status_code == 422


def test_figures_for_prometheus_name_items_and_departments_only(busy: House) -> None:
    registry = figures(busy)
    said = {
        came: registry.get_sample_value(
            "cunzheng_requirements_answered", {"item": "339999010002", "came": came}
        )
        for came in ("by-evidence", "by-rung", "unknown", "not-met", "provisional", "pending")
    }
    assert sum(value or 0 for value in said.values()) == 3
    answer = {"department": "wjw", "answer": "in-time"}
    assert registry.get_sample_value("cunzheng_cooperation_asked", answer) == 1
    assert registry.get_sample_value("cunzheng_commitments_overdue") == 0
    labels = {
        name
        for family in registry.collect()
        if family.name.startswith(("cunzheng_requirements", "cunzheng_cases", "cunzheng_proofs"))
        for sample in family.samples
        for name in sample.labels
    }
    assert labels <= {"item", "came", "which", "reason"}


def test_they_are_counted_again_after_ten_minutes(busy: House) -> None:
    registry, name = figures(busy), "cunzheng_requirements_answered"

    def counted() -> float:
        found = [sample for one in registry.collect() for sample in one.samples if sample.name == name]
        return sum(sample.value for sample in found)

    assert counted() == 3
    announce(busy, "YC-2026-000777")
    ask(busy.browser(Role.CLERK), "YC-2026-000777")
    assert counted() == 3
    busy.clock.advance(600)
    assert counted() == 6
