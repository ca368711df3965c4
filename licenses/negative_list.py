# SPDX-License-Identifier: Apache-2.0
"""What an office must not ask a citizen for, material by material: the negative list of an item.

Pure: an item in one edition and its rule of a day. A material that the item does not list may not be asked
for at all, since it has no legal basis; the list says so once for all.
"""

import enum
from collections.abc import Iterable, Mapping
from typing import Final

from cases.items import Item
from licenses.rule_definition import Requirement
from licenses.rules import Rule
from storage.ledger.canonical import Json

SIGNATURE_TYPE: Final = "cunzheng-no-proof+json"
"""``typ`` of the signature over what is published of rules."""


class MayAsk(enum.StrEnum):
    """Whether a material may be asked for."""

    NEVER = "never"
    ONLY_IF_NOT_ESTABLISHED = "only-if-not-established"
    YES = "yes"


SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "abolished": ("该证明已取消，不得索要", "This proof was abolished and may not be asked for"),
    "established-by-office": (
        "先行核验；核验结论要求收取的方可收取",
        "Ask the licence library first; collect it only where the decision says so",
    ),
    "no-automatic-way": ("目前只能由申请人提交", "There is no way but to ask the applicant for now"),
    "application": ("申请材料，由申请人提交", "Part of the application; the applicant hands it in"),
}
"""Why, in Chinese and English."""


def materials(item: Item, rule: Rule | None) -> dict[str, Json]:
    """Give the list of an item.

    Args:
        item: The item in one edition.
        rule: Its rule of the day asked about; ``None`` when there is none.
    """
    by_material = {one.material: one for one in rule.body.requirements} if rule is not None else {}
    rows: list[Json] = []
    for material in item.materials:
        requirement = by_material.get(material.code)
        may, reason = may_ask(requirement) if requirement is not None else (MayAsk.YES, "application")
        zh, en = SENTENCES[reason]
        rows.append(
            {
                "code": material.code,
                "zh": material.zh,
                "en": material.en,
                "required": material.required,
                "ask": str(may),
                "reason": {"code": reason, "zh": zh, "en": en},
            }
        )
    return {
        "item": {"code": item.code, "edition": item.edition, "zh": item.zh, "en": item.en},
        "rule": _named(rule) if rule is not None else None,
        "materials": rows,
        "others": {
            "ask": str(MayAsk.NEVER),
            "zh": "未列明的材料没有依据，不得索要",
            "en": "What is not listed has no legal basis and may not be asked for",
        },
    }


def rules_listed(rules: Iterable[Rule]) -> dict[str, Json]:
    """Give every version of every rule, without its requirements."""
    return {
        "rules": [
            {
                **_named(rule),
                "item": {"code": rule.body.item.code, "edition": rule.body.item.edition},
                "effective": {
                    "from": rule.body.effective[0].isoformat(),
                    "until": rule.body.effective[1].isoformat() if rule.body.effective[1] else None,
                },
                "legal_basis": list[Json](rule.body.legal_basis),
            }
            for rule in rules
        ]
    }


def rule_described(rule: Rule) -> dict[str, Json]:
    """Give a rule whole, with its digest; who approved it stands in the ledger."""
    stated: dict[str, Json] = rule.body.model_dump(mode="json", exclude={"approved_by"})
    return {"digest": rule.digest, "rule": stated}


def _named(rule: Rule) -> dict[str, Json]:
    return {"id": rule.body.rule_id, "version": rule.body.version, "digest": rule.digest}


def may_ask(requirement: Requirement) -> tuple[MayAsk, str]:
    """Tell whether the material of a requirement may be asked for, and give the code of the reason."""
    if requirement.cancelled is not None:
        return MayAsk.NEVER, "abolished"
    only_upload = [one.kind for one in requirement.fallback] == ["citizen_upload"]
    if not requirement.alternatives and only_upload:
        return MayAsk.YES, "no-automatic-way"
    return MayAsk.ONLY_IF_NOT_ESTABLISHED, "established-by-office"
