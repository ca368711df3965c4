# SPDX-License-Identifier: Apache-2.0
"""The catalogue of licence types: what came with the product, and what two persons agreed on since.

A type is named by code *and* version. A version that is held stays as it is for ever, so an old licence is
read and drawn as the type was when it was issued; the newest version issues. A new type is data: no code,
no release. A type whose code does not start with a valid credit code cannot be published.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import ValidationError

from licenses.definition import LicenseType, TypeState
from licenses.errors import CatalogueError, UnknownTypeError
from storage.adopting import Adopting, LookUp

DATA: Final = Path(__file__).parent / "data" / "types"
SCHEMA: Final = DATA.with_name("types.schema.json")
_EDITION: Final = DATA.with_name("types.version.json")


class TypeCatalogue(Adopting[LicenseType]):
    """All versions of all types of an installation. Safe between threads; more are only added.

    Args:
        types: What the catalogue begins with.
        version: Name of the edition it begins with.
        look_up: Asks for approved editions.
    """

    parts: ClassVar[str] = "licence types"

    def __init__(
        self, types: Iterable[LicenseType], version: str = "", look_up: LookUp[LicenseType] | None = None
    ) -> None:
        super().__init__(look_up)
        self.version = version
        self._held: Mapping[tuple[str, str], LicenseType] = {}
        self._newest: Mapping[str, LicenseType] = {}
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
            self.freshen()
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
        self.freshen()
        newest = self._newest
        return tuple(newest[code] for code in sorted(newest))

    def versions(self, code: str) -> tuple[LicenseType, ...]:
        """Give every version of a type, the oldest first; nothing when there is no such type."""
        self.freshen()
        held = self._held
        return tuple(held[key] for key in sorted(held) if key[0] == code)

    @property
    def held(self) -> Mapping[tuple[str, str], LicenseType]:
        """Every version of every type that is held now, by code and version."""
        return self._held

    def _hold(self, parts: Iterable[LicenseType]) -> tuple[LicenseType, ...]:
        held = dict(self._held)
        refused = [one for one in parts if held.setdefault((one.code, one.version), one) != one]
        self._held = held
        self._newest = {held[key].code: held[key] for key in sorted(held)}
        return tuple(refused)

    def _find(self, code: str, version: str | None) -> LicenseType | None:
        return self._newest.get(code) if version is None else self._held.get((code, version))

    @staticmethod
    def load(look_up: LookUp[LicenseType] | None = None) -> "TypeCatalogue":
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
