# SPDX-License-Identifier: Apache-2.0
"""A case of an item counts as one of another exactly where the map of editions leads there."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rule_world import AT, case, facts, prior, requirement, rule

from licenses.evaluation import evaluate
from licenses.reason_table import ReasonTable
from licenses.rules import Rule, RuleBook

TABLE = ReasonTable.load()
CODES = "ABCDEFG"
codes = st.sampled_from(CODES)
several = st.lists(codes, max_size=3, unique=True)
editions = st.fixed_dictionaries(
    {"code": codes, "edition": st.sampled_from(["2024-01", "2026-03"])},
    optional={"replaced_by": codes, "split_into": several, "merged_from": several},
)
maps = st.lists(editions, max_size=9, unique_by=lambda one: (one["code"], one["edition"]))


def stating(item: dict[str, Any]) -> Rule:
    return rule(requirement(), rule_id=f"rule-{item['code']}-{item['edition']}", item=item)


def leads(stated: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Give each pair of codes of which the map leads from the first to the second, itself included."""
    ways = {(code, code) for code in CODES}
    for item in stated:
        ways |= {(item["code"], later) for later in item.get("split_into", ())}
        ways |= {(earlier, item["code"]) for earlier in item.get("merged_from", ())}
        if "replaced_by" in item:
            ways.add((item["code"], item["replaced_by"]))
    for over in CODES:
        ways |= {(one, other) for one in CODES for other in CODES if {(one, over), (over, other)} <= ways}
    return ways


@given(maps, st.sampled_from(["2020-07", "2024-01", "2026-03"]))
def test_a_prior_case_counts_exactly_where_the_map_leads(stated: list[dict[str, Any]], edition: str) -> None:
    counted, ways = RuleBook([stating(item) for item in stated]).counted_as(), leads(stated)
    for wanted in CODES:
        asking = rule(requirement([prior(wanted)]))
        for held in CODES:
            known = facts(cases=[case(item_code=held, item_edition=edition)], counted_as=counted)
            result = str(evaluate(asking, known, AT, TABLE).result)
            assert result == ("MET" if (held, wanted) in ways else "UNKNOWN"), (held, wanted)


@given(maps, st.randoms(use_true_random=False))
def test_editions_approved_one_by_one_make_the_map_of_all(stated: list[dict[str, Any]], order: Any) -> None:
    whole = RuleBook([stating(item) for item in stated]).counted_as()
    book = RuleBook([])
    for item in order.sample(stated, len(stated)):
        assert not book.adopt([stating(item)])
    assert book.counted_as() == whole
