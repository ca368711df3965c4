# SPDX-License-Identifier: Apache-2.0
"""What personal data look like in the tests: every person, number and enterprise of theirs is synthetic.

Identity numbers and credit codes of the tests and of the demonstration begin with divisions that do not exist
(3399 99, and 91 3399 99); names hold 演示 or are one of those listed. Logs must hold none of them.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from portal.demo.holders import demo_persons
from portal.demo.script import FOLDER, Script

_SURNAMES = "张王李赵刘陈周吴郑孙钱施严诸葛"
_PERSONAL: Final = re.compile(
    r"339999(?:18|19|20)\d{9}[\dXx]"  # resident identity numbers
    r"|9[1-3]339999[0-9A-HJ-NPQRTUWXY]{10}"  # unified social credit codes
    rf"|[{_SURNAMES}](?:演示|示例|样例)|诸葛例|演示[甲乙丙丁]"  # persons
    r"|(?:演示|示例)[\u4e00-\u9fff0-9]{0,12}有限公司"  # enterprises
)


def personal_in(text: str) -> list[str]:
    """Give the shapes of what is personal in a text: enough to find it, never the whole of it."""
    return [f"{found[0][:2]}…({len(found[0])})" for found in _PERSONAL.finditer(text)]


# -- what the demonstration's own data hold ------------------------------------------------------------

_OF_PERSONS: Final = frozenset({"author", "people", "person", "legal_representative", "address", "domicile"})
_OF_HOLDERS: Final = frozenset({"code", "name"})
_NUMBERS: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[1-9]\d{16}[\dXx]|[1-9A-Z][0-9A-HJ-NPQRTUWXY]{17}|1[3-9]\d{9})(?![0-9A-Za-z])"
)
"""Resident identity numbers, unified social credit codes, numbers of mobile telephones."""


def demo_personal() -> frozenset[str]:
    """Give every name, address and number of a person or an enterprise in the demonstration's data."""
    found = set[str]()
    for person in demo_persons(Script.load()):
        found |= {person.title, *(value for name, value in person.claims.items() if name.endswith("_code"))}
    for path in sorted(FOLDER.rglob("*.json")):
        found |= set(_personal_of(json.loads(path.read_bytes()), "", ""))
    return frozenset(found)


def _personal_of(value: object, key: str, above: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _personal_of(part, name, "holder" if above == "holders" else key)
    elif isinstance(value, list):
        for part in value:
            yield from _personal_of(part, key, above)
    elif isinstance(value, str):
        if key in _OF_PERSONS or (key in _OF_HOLDERS and above == "holder"):
            yield value
        yield from _NUMBERS.findall(value)


def told_in(text: str, personal: Iterable[str]) -> list[str]:
    """Give the shapes of what a text holds of it, however that is written: as such, in an address, in JSON.

    Args:
        text: The text, of a log for instance.
        personal: Names and numbers.
    """
    ways = {text, unquote(text), _unescaped(text), unquote(_unescaped(text))}
    found = {one for one in personal for way in ways if one.casefold() in way.casefold()}
    return sorted(
        {f"{one[:1]}…({len(one)})" for one in found} | {one for way in ways for one in personal_in(way)}
    )


def _unescaped(text: str) -> str:
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(
        r"(?:\\x[0-9a-f]{2})+",
        lambda found: bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "replace"),
        plain,
    )


def logs_under(folder: Path) -> dict[str, str]:
    """Give every log and kept output in a folder, by its name."""
    return {
        path.name: path.read_text("utf-8", "replace")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".log", ".out", ".err"} and path.is_file()
    }
