# SPDX-License-Identifier: Apache-2.0
"""Why a material has no rendition: stable codes and the sentences people see (``data/reasons.json``)."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reason:
    """One reason.

    Attributes:
        code: Stable code, recorded for ever.
        zh: Sentence in Chinese.
        en: Sentence in English.
    """

    code: str
    zh: str
    en: str


def _load() -> dict[str, Reason]:
    data = json.loads(Path(__file__).with_name("data").joinpath("reasons.json").read_text("utf-8"))
    return {code: Reason(code, words["zh"], words["en"]) for code, words in data.items()}


REASONS = _load()
"""All reasons by code."""

_BY_RULE = (
    ("6.2.11.4.1-", "fonts-not-embedded"),
    ("6.2.11.8-", "glyphs-missing"),
    ("6.2.4.3-", "colour-cmyk"),
)


def reason_for_rules(rules: tuple[str, ...]) -> str:
    """Give the reason that stands behind broken PDF/A rules, the one a person can act on first."""
    for part, reason in _BY_RULE:
        if any(part in rule for rule in rules):
            return reason
    return "not-conformant"
