# SPDX-License-Identifier: Apache-2.0
"""How long a dossier is kept, and the rule that says so. The rules are data of the item's edition."""

from dataclasses import dataclass

from cases.items import Item


@dataclass(frozen=True, slots=True)
class RetentionDecision:
    """A retention period (``Y``, ``D30``, ``D10``) and the sentence of the rule that gave it."""

    code: str
    zh: str
    en: str


def decide(item: Item, result: str) -> RetentionDecision:
    """Apply the item's rules, in order of priority, to how the case ended."""
    rule = item.retention({"result": result})
    return RetentionDecision(str(rule.code), rule.zh, rule.en)
