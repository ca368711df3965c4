# SPDX-License-Identifier: Apache-2.0
"""Sentences of reason codes and of actions, as data (``data/reasons.json``).

Decisions name the table they were written with. One that was replaced stays in ``data/earlier_reasons``,
under the first twelve digits of its digest, so that decisions written with it can still be replayed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from storage.ledger.canonical import canonical


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason or an action in two languages; ``resolve_*`` says what would help, if anything."""

    zh: str
    en: str
    resolve_zh: str = ""
    resolve_en: str = ""


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """Sentences of reason codes and actions, with the digest that decisions name."""

    version: str
    digest: str
    reasons: dict[str, Sentence]
    actions: dict[str, Sentence]

    @staticmethod
    @cache
    def load() -> "ReasonTable":
        """Read the table that comes with the product."""
        return ReasonTable.read(resources.files("licenses").joinpath("data/reasons.json").read_bytes())

    @staticmethod
    @cache
    def held() -> Mapping[str, "ReasonTable"]:
        """Read the table that comes with the product and every one before it, by digest.

        What an earlier one lacks it says as the newest does: a replay that meets it differs, it does not
        break.
        """
        newest, found = ReasonTable.load(), {}
        for file in resources.files("licenses").joinpath("data/earlier_reasons").iterdir():
            table = ReasonTable.read(file.read_bytes())
            reasons, actions = newest.reasons | table.reasons, newest.actions | table.actions
            found[table.digest] = replace(table, reasons=reasons, actions=actions)
        return {**found, newest.digest: newest}

    @staticmethod
    def read(data: bytes) -> "ReasonTable":
        """Read a table."""
        raw = json.loads(data)
        reasons = {
            row["code"]: Sentence(row["zh"], row["en"], row["resolve_zh"], row["resolve_en"])
            for row in raw["reasons"]
        }
        actions = {row["kind"]: Sentence(row["zh"], row["en"]) for row in raw["actions"]}
        return ReasonTable(raw["version"], hashlib.sha256(canonical(raw)).hexdigest(), reasons, actions)
