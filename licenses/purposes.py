# SPDX-License-Identifier: Apache-2.0
"""The closed list of purposes of use, as data (``data/purposes.json``)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose that a call may state."""

    code: str
    zh: str
    en: str


@cache
def purposes() -> Mapping[str, Purpose]:
    """Give the published purposes by code."""
    text = resources.files("licenses").joinpath("data/purposes.json").read_text("utf-8")
    return {row["code"]: Purpose(**row) for row in json.loads(text)["purposes"]}


def is_purpose(code: str | None) -> bool:
    """Tell whether a code is a published purpose."""
    return code in purposes()
