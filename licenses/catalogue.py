# SPDX-License-Identifier: Apache-2.0
"""The catalogue of licence types: what came with the product, and what two persons agreed on since.

A type is named by code *and* version. A version that is held stays as it is for ever, so an old licence is
read and drawn as the type was when it was issued; the newest version issues. A new type is data: no code,
no release. A type whose code does not start with a valid credit code cannot be published.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from licenses.definition import LicenseType, TypeState
from licenses.errors import CatalogueError, UnknownTypeError

DATA: Final = Path(__file__).parent / "data" / "types"
SCHEMA: Final = DATA.with_name("types.schema.json")
_EDITION: Final = DATA.with_name("types.version.json")
_log: Final = logging.getLogger(__name__)
_FRESH_SECONDS: Final = 3.0
"""How old a list may be; a type that is missing, or that shall be issued, is asked for at once."""

LookUp = Callable[[int], Iterable[tuple[int, Sequence[LicenseType]]]]
"""Gives the editions that were approved after a number, each with its number, the oldest first."""


class TypeCatalogue:
    """All versions of all types of an installation. Safe between threads; more are only added.

    Args:
        types: What the catalogue begins with.
        version: Name of the edition it begins with.
        look_up: Asks for approved editions.
    """

    def __init__(
        self, types: Iterable[LicenseType], version: str = "", look_up: LookUp | None = None
    ) -> None:
        self.version = version
        self._held: Mapping[tuple[str, str], LicenseType] = {}
        self._newest: Mapping[str, LicenseType] = {}
        self._look_up = look_up
        self._adopting = threading.Lock()
        self._number = 0
        self._looked_at: float | None = None
        self.adopt(types)

    def __contains__(self, code: object) -> bool:
        if code not in self._newest:
            self.refresh()
        return code in self._newest

    def get(self, code: str, version: str | None = None) -> LicenseType:
        """Give a type in a version, or in the newest one; newer ones are asked for every few seconds.

        What is missing is asked for at once.

        Raises:
            UnknownTypeError: The catalogue does not hold it.
        """
        if version is None:
            self._freshen()
        found = self._find(code, version)
        if found is None:
            self.refresh()
            found = self._find(code, version)
        if found is None:
            raise UnknownTypeError
        return found

    def as_issued(self, code: str, version: str) -> LicenseType:
        """Give a type as it was when a licence of it was issued, to read or draw that licence.

        A version that this release no longer holds is read as the newest one: a licence stays readable.

        Raises:
            UnknownTypeError: The catalogue does not hold the type at all.
        """
        try:
            return self.get(code, version)
        except UnknownTypeError:
            return self.get(code)

    def to_issue(self, code: str) -> LicenseType:
        """Give the newest version of a type, to issue a licence of it; newer ones are asked for each time.

        Raises:
            UnknownTypeError: The catalogue does not hold it, or it is not published (any more).
        """
        self.refresh()
        found = self.get(code)
        if found.state is not TypeState.PUBLISHED:
            raise UnknownTypeError
        return found

    def all(self) -> tuple[LicenseType, ...]:
        """Give the newest version of every type, by code; newer ones are asked for every few seconds."""
        self._freshen()
        newest = self._newest
        return tuple(newest[code] for code in sorted(newest))

    def versions(self, code: str) -> tuple[LicenseType, ...]:
        """Give every version of a type, the oldest first; nothing when there is no such type."""
        self._freshen()
        held = self._held
        return tuple(held[key] for key in sorted(held) if key[0] == code)

    @property
    def held(self) -> Mapping[tuple[str, str], LicenseType]:
        """Every version of every type that is held now, by code and version."""
        return self._held

    def look_again(self) -> None:
        """Let newer versions be asked for at the next look, however young the last one is."""
        self._looked_at = None

    def refresh(self) -> None:
        """Ask for the editions that were approved meanwhile, and hold them from now on."""
        if self._look_up is None:
            return
        for number, types in self._look_up(self._number):
            refused = self.adopt(types, number)
            if refused:
                _log.error(
                    "edition %d: %d licence types contradict what is held and were not taken",
                    number,
                    len(refused),
                )

    def adopt(self, types: Iterable[LicenseType], number: int = 0) -> tuple[LicenseType, ...]:
        """Hold further versions; what is held is never altered.

        Args:
            types: The types; versions that are held already are passed over.
            number: Number of the approved edition that they came with.

        Returns:
            The versions that are held otherwise and therefore were not taken.
        """
        with self._adopting:
            held = dict(self._held)
            refused = [one for one in types if held.setdefault((one.code, one.version), one) != one]
            # Readers see the old catalogue or the new one, never half of it.
            self._held = held
            self._newest = {held[key].code: held[key] for key in sorted(held)}
            self._number = max(self._number, number)
        return tuple(refused)

    def _freshen(self) -> None:
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= _FRESH_SECONDS:
            self._looked_at = now
            self.refresh()

    def _find(self, code: str, version: str | None) -> LicenseType | None:
        return self._newest.get(code) if version is None else self._held.get((code, version))

    @staticmethod
    def load(look_up: LookUp | None = None) -> "TypeCatalogue":
        """Read the catalogue that comes with the product.

        Raises:
            CatalogueError: A file breaks the rules; ``facts`` name it.
        """
        return TypeCatalogue(_shipped(), _version(), look_up)


@cache
def _shipped() -> tuple[LicenseType, ...]:
    types = tuple(read_type(file.read_bytes(), file.name) for file in _files())
    if len({kind.code for kind in types}) != len(types):
        raise CatalogueError(rule="type-code-twice")
    return types


def _files() -> Sequence[Path]:
    return sorted(DATA.glob("*.json"))


@cache
def _version() -> str:
    return str(json.loads(_EDITION.read_bytes())["version"])


def shipped_document() -> dict[str, Any]:
    """Give what is shipped as one document: what somebody who proposes an edition begins with."""
    return {"version": _version(), "types": [json.loads(file.read_bytes()) for file in _files()]}


def read_types(document: Mapping[str, Any]) -> tuple[LicenseType, ...]:
    """Read the types of a document that follows ``types.schema.json`` and passed the lint."""
    return tuple(LicenseType.model_validate_json(json.dumps(entry)) for entry in document["types"])


def read_type(data: bytes, name: str) -> LicenseType:
    """Read one type definition.

    Raises:
        CatalogueError: It breaks a rule; ``facts`` name the file and the first place.
    """
    try:
        return LicenseType.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "type"
        raise CatalogueError(file=name, place=place, rule=first["type"]) from None
