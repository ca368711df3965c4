# SPDX-License-Identifier: Apache-2.0
"""What defines a licence type 证照类型: its face items and details, holders, validity, templates, aliases.

A definition is data that follows the published ``data/types.schema.json``. What reads as a definition is
sound in itself; how it fits the other types is for :mod:`licenses.types_lint`.
"""

import enum
from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cases.identifiers import is_uscc
from licenses.values import FieldType, Pattern

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_NAME = r"^[a-z][a-z0-9_]{0,39}$"
_TEMPLATE = r"^[a-z][a-z0-9_]{0,39}\.typ$"
CODE = r"^[0-9A-Z]{18}[0-9]{3}$"
"""Form of a type code: credit code of the defining authority and a sequence of three digits."""


class Source(enum.StrEnum):
    """Where the value of a face field comes from when the case's licence data do not carry it."""

    HOLDER_NAME = "holder.name"
    HOLDER_CODE = "holder.code"
    ISSUER_NAME = "issuer.name"
    NUMBER = "number"
    ISSUED_ON = "issued_on"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"


class ItemKind(enum.StrEnum):
    """Whether an item states one value (照面项) or rows of a table (明细项)."""

    FACE = "face"
    DETAIL = "detail"


class HolderRole(enum.StrEnum):
    """What a column says of one of several holders."""

    NAME = "holder.name"
    CODE = "holder.code"
    SHARE = "holder.share"


class ValidityKind(enum.StrEnum):
    """Whether a licence of the type must, may or cannot state a date."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OPEN = "open"


class TypeState(enum.StrEnum):
    """Standing of a type in the catalogue."""

    UNPUBLISHED = "unpublished"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class DataItem(BaseModel):
    """What a face item and a column of a detail have in common.

    Attributes:
        name: Technical name, the key in licence data.
        pinyin: Key in the embedded metadata; a face item's is written after ``KZ_``.
        max_length: Characters of a text, digits of a number.
        precision: Digits after the point of a decimal.
        min: Least value of a number or date, as text; ``None`` is no limit.
        max: Greatest value, likewise.
        pattern: Form of a text, from a closed set.
        required: False is nullable.
        sensitive: Masked unless the reader's basis allows the value.
        example: A made-up value that shows what stands there.
    """

    model_config = _FROZEN
    name: str = Field(pattern=_NAME)
    zh: str
    en: str
    pinyin: str = Field(pattern=r"^[A-Z0-9]{1,20}$")
    type: FieldType = FieldType.TEXT
    max_length: int = Field(default=200, ge=1, le=2000)
    precision: int = Field(default=0, ge=0, le=6)
    min: str | None = None
    max: str | None = None
    pattern: Pattern | None = None
    required: bool = True
    sensitive: bool = False
    values: tuple[str, ...] = ()
    example: str = ""


class Column(DataItem):
    """A column of a detail; ``role`` says what it tells of one of several holders."""

    role: HolderRole | None = None


class FaceField(DataItem):
    """One item of a type: a face item, or a detail with columns and at most ``max_rows`` rows.

    Attributes:
        source: Filled in from there; a value in the licence data must then agree.
        shown: Whether it stands on the page; it is in the metadata in any case.
    """

    kind: ItemKind = ItemKind.FACE
    source: Source | None = None
    shown: bool = True
    columns: tuple[Column, ...] = ()
    max_rows: int = Field(default=100, ge=1, le=500)

    @property
    def lists_holders(self) -> bool:
        """Tell whether its rows are the holders."""
        return any(column.role is HolderRole.NAME for column in self.columns)


class Validity(BaseModel):
    """The type's validity rule; ``range`` is the words of the catalogue (证照有效期范围).

    Attributes:
        start: Whether a licence states from when it is valid; required with an end unless said otherwise.
    """

    model_config = _FROZEN
    until: ValidityKind
    start: ValidityKind | None = None
    max_years: int | None = Field(default=None, ge=1, le=100)
    range: str

    @property
    def needs_start(self) -> bool:
        """Tell whether a licence of the type must say from when it is valid."""
        if self.start is None:
            return self.until is ValidityKind.REQUIRED
        return self.start is ValidityKind.REQUIRED


class Alias(BaseModel):
    """Another code of the same type: always the pair of scheme and code."""

    model_config = _FROZEN
    scheme: str
    code: str


class Cover(BaseModel):
    """Another type whose statements a licence of this type makes too (多证合一).

    Attributes:
        type: Code of the other type.
        fields: Field of the other type → field of this one that states it.
    """

    model_config = _FROZEN
    type: str = Field(pattern=CODE)
    fields: Mapping[str, str] = {}


class LicenseType(BaseModel):
    """A licence type 证照类型 in one version.

    Attributes:
        code: See :data:`CODE`.
        provisional: The national code is inferred or not known yet; shown to the reader.
        holder_kind: ``person``, ``organisation`` or ``both``.
        holders: ``several`` when one licence may have more holders than the case has, with their shares.
        sharing: ``by-item``: to whom an item names it; ``conditional``: as a grant allows.
        template: Name of the typst file that sets it.
        division_templates: Division code (six digits) → file that sets it there.
        covers: Types whose statements it makes too.
        related_items: Codes of the items that give it.
    """

    model_config = _FROZEN
    code: str = Field(pattern=CODE)
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,15}$")
    zh: str
    en: str
    short_zh: str
    provisional: bool
    defined_by: str
    state: TypeState = TypeState.PUBLISHED
    kind: str = Field(pattern=r"^(proof|approval|appraisal|other)$")
    holder_kind: str = Field(pattern=r"^(person|organisation|both)$")
    holders: str = Field(default="one", pattern=r"^(one|several)$")
    rank: str = Field(pattern=r"^(national|province|city|county|township|other)$")
    sharing: str = Field(default="by-item", pattern=r"^(by-item|conditional)$")
    validity: Validity
    template: str = Field(pattern=_TEMPLATE)
    division_templates: Mapping[str, str] = {}
    aliases: tuple[Alias, ...] = ()
    covers: tuple[Cover, ...] = ()
    related_items: tuple[str, ...] = ()
    fields: tuple[FaceField, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.state is TypeState.PUBLISHED and not is_uscc(self.code[:18]):
            raise ValueError("published type code without a valid credit code")
        for items in (self.fields, *(field.columns for field in self.fields)):
            for names in ([item.name for item in items], [item.pinyin for item in items]):
                if len(set(names)) != len(names):
                    raise ValueError("item twice")
        if any((item.type is FieldType.CHOICE) != bool(item.values) for item in self.every_item()):
            raise ValueError("choice without values")
        if any((field.kind is ItemKind.DETAIL) != bool(field.columns) for field in self.fields):
            raise ValueError("detail without columns")
        if sum(field.lists_holders for field in self.fields) != (self.holders == "several"):
            raise ValueError("several holders need one detail that lists them")
        return self

    def field(self, name: str) -> FaceField | None:
        """Give an item by its technical name."""
        return next((field for field in self.fields if field.name == name), None)

    def every_item(self) -> Iterator[DataItem]:
        """Give every item, each followed by its columns."""
        for field in self.fields:
            yield field
            yield from field.columns

    def template_for(self, issuer_code: str) -> str:
        """Give the file that sets a licence of an issuer, by the division in the issuer's credit code.

        The county's goes before the city's, that before the province's, and that before the type's own.
        """
        division = issuer_code[2:8]
        for one in (division, f"{division[:4]}00", f"{division[:2]}0000"):
            if one in self.division_templates:
                return self.division_templates[one]
        return self.template
