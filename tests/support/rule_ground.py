# SPDX-License-Identifier: Apache-2.0
"""What tests of the lint of no-proof rules compare documents with: the shipped data, and a sound rule."""

import datetime as dt
from typing import Any

from rule_world import BUSINESS, FOOD, licence, requirement

from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.relation_table import relation_table
from licenses.rules import Rule
from licenses.rules_lint import RuleGround

ITEMS = ItemCatalogue.load()


def ground(*held: Rule, **changes: Any) -> RuleGround:
    values: dict[str, Any] = {
        "items": {(one.code, one.edition): one for one in ITEMS.items},
        "departments": {one.code: one for one in ITEMS.departments},
        "types": {one.code: one for one in TypeCatalogue.load().all()},
        "relations": frozenset(one.code for one in relation_table().relations),
        "held": held,
        "covered": {BUSINESS, FOOD},
        "today": dt.date(2026, 11, 20),
        "versions": {"2026-11"},
    }
    return RuleGround(**(values | changes))


def stated(*requirements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "rule_id": "some-rule",
        "version": 1,
        "item": {"code": "339999010002", "edition": "2026-03"},
        "effective": ["2026-01-01", None],
        "legal_basis": ["某规定第一条"],
        "approved_by": ["one", "other"],
        "requirements": list(requirements) or [requirement([licence()])],
    }
    return base | changes
