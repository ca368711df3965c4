# SPDX-License-Identifier: Apache-2.0
"""Findings of checks, their sentences, and the four-property report 四性检测 (DA/T 70) made of them.

Sentences and remedies are data (``data/checks.json``). A finding stores its sentence, so that what an
office was told stays readable after the data change. What was not checked says so: never "passed".
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.errors import ArchiveDataError
from storage.ledger.canonical import Json

DATA = Path(__file__).parent / "data" / "checks.json"


@dataclass(frozen=True, slots=True)
class CheckText:
    """What a check says: code, property of DA/T 70, sentence and remedy; a warning never returns a filing."""

    code: str
    property: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """One of the 16 sub-types at filing, and who checks it when none of our checks does.

    Attributes:
        by: What guarantees it elsewhere (``intake``, ``ledger``); empty when nothing does.
        person: Whether a person has to confirm it.
    """

    code: str
    zh: str
    en: str
    by: str = ""
    person: bool = False
    reason_zh: str = ""
    reason_en: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found wrong.

    Attributes:
        code: The check's stable code.
        material: Code of the material concerned, if it is one.
        position: Its place in the submission, if it was sent.
        rule: Further stable detail, such as the field of the licence data and the rule it breaks.
    """

    code: str
    property: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    warning: bool
    material: str | None = None
    position: int | None = None
    rule: str | None = None

    def as_json(self) -> dict[str, Json]:
        """Give the finding as it is stored and answered."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_finding(stored: Json) -> Finding:
    """Read what :meth:`Finding.as_json` gave."""
    if not isinstance(stored, dict):
        raise ArchiveDataError(file="finding", rule="shape")
    return Finding(**stored)


@cache
def check_texts() -> dict[str, CheckText]:
    """Give every check's text by its code.

    Raises:
        ArchiveDataError: A code stands twice, or a property is none of the 16.
    """
    entries = json.loads(DATA.read_bytes())["checks"]
    texts = {entry["code"]: CheckText(**entry) for entry in entries}
    known = {one.code for one in properties()}
    if len(texts) != len(entries) or any(text.property not in known for text in texts.values()):
        raise ArchiveDataError(file=DATA.name, rule="checks")
    return texts


@cache
def properties() -> tuple[Property, ...]:
    """Give the 16 sub-types at filing, in order."""
    return tuple(Property(**entry) for entry in json.loads(DATA.read_bytes())["properties"])


def finding(
    code: str,
    *,
    material: str | None = None,
    title: tuple[str, str] = ("", ""),
    position: int | None = None,
    rule: str | None = None,
) -> Finding:
    """Make a finding with its sentences; ``title`` names the material in Chinese and English."""
    text = check_texts()[code]
    return Finding(
        code=code,
        property=text.property,
        zh=text.zh.format(material=title[0]),
        en=text.en.format(material=title[1]),
        remedy_zh=text.remedy_zh,
        remedy_en=text.remedy_en,
        warning=text.warning,
        material=material,
        position=position,
        rule=rule,
    )


def failures(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Give the findings that return a filing."""
    return tuple(one for one in findings if not one.warning)


def property_report(performed: Sequence[str], findings: Sequence[Finding]) -> dict[str, Json]:
    """Make the four-property report at filing.

    Args:
        performed: Codes of the checks that ran.
        findings: What they found.

    Returns:
        JSON with each check's verdict (``pass``, ``warn``, ``fail``) and each property's: the worst of its
        checks, ``elsewhere`` when another part guarantees it, ``person`` or ``not-checked``.
    """
    texts = check_texts()
    found = {code: [one for one in findings if one.code == code] for code in performed}
    verdicts = {code: _verdict(found[code]) for code in performed}
    return {
        "v": 1,
        "stage": "F",
        "checks": [
            {
                "code": code,
                "property": texts[code].property,
                "verdict": verdicts[code],
                "findings": len(found[code]),
            }
            for code in performed
        ],
        "findings": [one.as_json() for one in findings],
        "properties": [
            _property(one, [verdicts[code] for code in performed if texts[code].property == one.code])
            for one in properties()
        ],
    }


def _verdict(found: Sequence[Finding]) -> str:
    if failures(found):
        return "fail"
    return "warn" if found else "pass"


def _property(one: Property, verdicts: Sequence[str]) -> dict[str, Json]:
    if verdicts:
        verdict = next(worst for worst in ("fail", "warn", "pass") if worst in verdicts)
    elif one.by:
        verdict = "elsewhere"
    else:
        verdict = "person" if one.person else "not-checked"
    entry: dict[str, Json] = {"code": one.code, "zh": one.zh, "en": one.en, "verdict": verdict}
    if one.reason_zh:
        entry |= {"reason_zh": one.reason_zh, "reason_en": one.reason_en}
    return entry
