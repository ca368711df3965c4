# SPDX-License-Identifier: Apache-2.0
"""How items of a record and levels of trust are called, as data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from licenses.stock.profiles import Item


@dataclass(frozen=True, slots=True)
class Title:
    """What something is called."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class TrustLevel:
    """A trust level 可信等级 and what it means to somebody who relies on a licence."""

    code: str
    zh: str
    en: str
    words_zh: str
    words_en: str


@cache
def item_titles() -> Mapping[Item, Title]:
    """Read what the items of a record are called; every item has exactly one title."""
    rows = _read("stock_items.json")["items"]
    return {Item(row["code"]): Title(row["zh"], row["en"]) for row in rows}


@cache
def trust_levels() -> Mapping[str, TrustLevel]:
    """Read the levels of trust by their letter."""
    return {row["code"]: TrustLevel(**row) for row in _read("trust.json")["levels"]}


def _read(name: str) -> dict[str, list[dict[str, str]]]:
    text = resources.files("licenses").joinpath(f"data/{name}").read_text("utf-8")
    read: dict[str, list[dict[str, str]]] = json.loads(text)
    return read
