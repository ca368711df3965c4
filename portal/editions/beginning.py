# SPDX-License-Identifier: Apache-2.0
"""What somebody who writes an edition of no-proof rules begins with: the rules in force, as text."""

import datetime as dt
from collections.abc import Iterable

import yaml

from licenses.rules import Rule, rule_of
from storage.ledger.canonical import Json, parse_canonical


def newest_of_each(rules: Iterable[Rule], today: dt.date) -> list[Rule]:
    """Give the newest version of each rule whose last day is not over, by rule id."""
    newest = {one.body.rule_id: one for one in sorted(rules, key=lambda rule: rule.body.version)}
    ends = ((name, newest[name].body.effective[1]) for name in sorted(newest))
    return [newest[name] for name, end in ends if end is None or today <= end]


def as_text(version: str, rules: Iterable[Rule]) -> str:
    """Write rules as one document in YAML; each is read again as the rule that it is, with its digest."""
    stated = [_stated(one) for one in rules]
    document = {"version": version, "rules": stated}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def _stated(rule: Rule) -> Json:
    # In the order of the format it is read more easily than in that of the alphabet.
    ordered: Json = rule.body.model_dump(mode="json", exclude_unset=True)
    return ordered if rule_of(ordered).digest == rule.digest else parse_canonical(rule.document)
