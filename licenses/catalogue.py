# SPDX-License-Identifier: Apache-2.0
"""The catalogue of licence types: data files, checked when they are loaded.

A new type is a file in ``data/types``: no code change. A type whose code does not start with a valid
credit code of its defining authority cannot load, nor can one with contradictory face fields.
"""

import enum
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cases.identifiers import is_uscc
from licenses.errors import CatalogueError, UnknownTypeError

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class FieldType(enum.StrEnum):
    """What a face field holds; dates are ``YYYY-MM-DD``."""

    TEXT = "text"
    DATE = "date"
    INTEGER = "integer"
    CHOICE = "choice"


class Source(enum.StrEnum):
    """Where the value of a face field comes from when the case's licence data do not carry it."""

    HOLDER_NAME = "holder.name"
    HOLDER_CODE = "holder.code"
    ISSUER_NAME = "issuer.name"
    NUMBER = "number"
    ISSUED_ON = "issued_on"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"


class ValidityKind(enum.StrEnum):
    """Whether a licence of the type must, may or cannot end."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OPEN = "open"


class FaceField(BaseModel):
    """One 照面项 of a type.

    Attributes:
        name: Technical name, the key in licence data.
        pinyin: Key in the embedded metadata, written after ``KZ_``.
        sensitive: Masked unless the reader's basis allows the value.
        source: Filled in from there; a value in the licence data must then agree.
    """

    model_config = _FROZEN
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    zh: str
    en: str
    pinyin: str = Field(pattern=r"^[A-Z0-9]{1,20}$")
    type: FieldType = FieldType.TEXT
    max_length: int = Field(default=200, ge=1, le=2000)
    required: bool = True
    sensitive: bool = False
    source: Source | None = None
    values: tuple[str, ...] = ()


class Validity(BaseModel):
    """The type's validity rule; ``range`` is the words of the catalogue (证照有效期范围)."""

    model_config = _FROZEN
    until: ValidityKind
    max_years: int | None = None
    range: str


class Alias(BaseModel):
    """Another code of the same type: always the pair of scheme and code."""

    model_config = _FROZEN
    scheme: str
    code: str


class LicenseType(BaseModel):
    """A licence type 证照类型 as published in the catalogue.

    Attributes:
        code: 21 characters: credit code of the defining authority and a sequence of three digits.
        provisional: The national code is inferred or not known yet; shown to the reader.
        holder_kind: ``person``, ``organisation`` or ``both``.
        template: Name of the typst file that sets it.
    """

    model_config = _FROZEN
    code: str = Field(pattern=r"^[0-9A-Z]{18}[0-9]{3}$")
    version: str
    zh: str
    en: str
    short_zh: str
    provisional: bool
    defined_by: str
    kind: str = Field(pattern=r"^(proof|approval|appraisal|other)$")
    holder_kind: str = Field(pattern=r"^(person|organisation|both)$")
    rank: str = Field(pattern=r"^(national|province|city|county|township|other)$")
    validity: Validity
    template: str = Field(pattern=r"^[a-z_]+\.typ$")
    aliases: tuple[Alias, ...] = ()
    fields: tuple[FaceField, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not is_uscc(self.code[:18]):
            raise ValueError("type code without a valid credit code")
        for key in ("name", "pinyin"):
            keys = [getattr(field, key) for field in self.fields]
            if len(set(keys)) != len(keys):
                raise ValueError("face field twice")
        if any((field.type is FieldType.CHOICE) != bool(field.values) for field in self.fields):
            raise ValueError("choice without values")
        return self

    def field(self, name: str) -> FaceField | None:
        """Give a face field by its technical name."""
        return next((field for field in self.fields if field.name == name), None)


class TypeCatalogue:
    """The published types by code."""

    def __init__(self, types: Iterable[LicenseType]) -> None:
        self._types: Mapping[str, LicenseType] = {kind.code: kind for kind in types}

    def __contains__(self, code: object) -> bool:
        return code in self._types

    def get(self, code: str) -> LicenseType:
        """Give a type.

        Raises:
            UnknownTypeError: The catalogue does not hold it.
        """
        try:
            return self._types[code]
        except KeyError:
            raise UnknownTypeError from None

    def all(self) -> tuple[LicenseType, ...]:
        """Give every type, by code."""
        return tuple(self._types[code] for code in sorted(self._types))

    @staticmethod
    @cache
    def load() -> "TypeCatalogue":
        """Read the catalogue that comes with the product.

        Raises:
            CatalogueError: A file breaks the rules; ``facts`` name it.
        """
        folder = resources.files("licenses").joinpath("data/types")
        files = sorted(
            (file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda f: f.name
        )
        types = [read_type(file.read_bytes(), file.name) for file in files]
        if len({kind.code for kind in types}) != len(types):
            raise CatalogueError(rule="type-code-twice")
        return TypeCatalogue(types)


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
