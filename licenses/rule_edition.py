# SPDX-License-Identifier: Apache-2.0
"""A document of no-proof rules, as it is proposed and approved: its form, and what came with the product."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from licenses.rule_definition import RuleBody
from licenses.rule_text import read_text
from licenses.rules import Rule, rule_of, shipped_files

SCHEMA: Final = Path(__file__).parent / "data" / "rules.schema.json"
VERSION: Final = "2026-11"
"""Name of the edition that comes with the product."""


class RulesDocument(BaseModel):
    """An edition of rules: those that are new or have a new version."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}([.-][0-9A-Za-z]{1,10})?$")
    rules: tuple[RuleBody, ...] = Field(min_length=1, max_length=500)


def shipped_document() -> dict[str, Any]:
    """Give what is shipped as one document: what somebody who proposes an edition begins with."""
    return {"version": VERSION, "rules": [read_text(file.read_bytes()) for file in shipped_files()]}


def read_rules(document: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Read the rules of a document that follows ``rules.schema.json`` and passed the lint.

    Raises:
        CatalogueError: A rule contradicts itself.
    """
    return tuple(rule_of(stated) for stated in document["rules"])
