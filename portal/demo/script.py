# SPDX-License-Identifier: Apache-2.0
"""The demonstration's script as data: seals, cases, the order of what happens, and what is expected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SealSpec:
    """A seal of the demonstration; empty ``items`` = every item of the department."""

    key: str
    department: str
    items: tuple[str, ...]
    document_types: tuple[str, ...]
    zh: str


@dataclass(frozen=True, slots=True)
class CaseSpec:
    """A case of the demonstration and what must come of it.

    Attributes:
        name: Its folder under ``cases/``.
        expect: ``state``, ``licence`` (effective status or None), ``original_only`` (file names) …
    """

    name: str
    zh: str
    en: str
    expect: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Give the folder with ``case.json`` and the material files."""
        return FOLDER / "cases" / self.name

    def data(self) -> dict[str, Any]:
        """Give the submission, or the announcement of a case that stays open."""
        filed = self.folder / "case.json"
        path = filed if filed.exists() else self.folder / "announcement.json"
        data: dict[str, Any] = json.loads(path.read_bytes())
        return data


@dataclass(frozen=True, slots=True)
class Script:
    """The whole script."""

    source: str
    organisations: tuple[str, ...]
    seals: tuple[SealSpec, ...]
    cases: tuple[CaseSpec, ...]
    counts: Mapping[str, int]
    steps: tuple[Mapping[str, Any], ...]

    @classmethod
    def load(cls, path: Path = FOLDER / "script.json") -> Self:
        """Read the script."""
        data = json.loads(path.read_text("utf-8"))
        return cls(
            source=data["source"]["code"],
            organisations=tuple(data["organisations"]),
            seals=tuple(
                SealSpec(
                    seal["key"],
                    seal["department"],
                    tuple(seal["items"]),
                    tuple(seal["document_types"]),
                    seal["zh"],
                )
                for seal in data["seals"]
            ),
            cases=tuple(
                CaseSpec(case["case"], case["zh"], case["en"], case["expect"]) for case in data["cases"]
            ),
            counts=data["counts"],
            steps=tuple(data["steps"]),
        )

    def case(self, name: str) -> CaseSpec:
        """Give a case by its folder's name."""
        return next(case for case in self.cases if case.name == name)
