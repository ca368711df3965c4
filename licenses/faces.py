# SPDX-License-Identifier: Apache-2.0
"""Licence data of a closed case → a complete face (照面), checked against the type's definition.

Nothing is repaired silently: a value that breaks its field's rule is refused, naming field and rule.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from cases.identifiers import ORGANISATION_SCHEMES, mask_code, mask_person
from licenses.catalogue import FaceField, FieldType, LicenseType, Source, ValidityKind
from licenses.errors import LicenseDataError

FaceValue = str | int
_LATER = frozenset({"replaces", "change", "share", "co_holders"})
Face = Mapping[str, FaceValue]


class CoHolder(BaseModel):
    """One of several holders 共有人, with the share that the licence states."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    scheme: str = Field(pattern=r"^[0-9]{3}$")
    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    share: str | None = Field(default=None, pattern=r"^([0-9]{1,4}/[0-9]{1,4}|[0-9]{1,3}(\.[0-9]{1,4})?%)$")


class LicenseData(BaseModel):
    """The result's licence data as a closed case carries them (证照数据).

    Attributes:
        type: Code of the licence type.
        number: The licence's number as printed.
        serial: Serial of the identifier (digits and capitals) where the number does not fit it.
        face: Face fields by technical name; those filled from elsewhere may be left out.
        replaces: Identifier of the licence that this one replaces, which keeps its holder and its issuer.
        change: Why it replaces that one; both are stated or neither.
        share: The applicant's own share, where there are further holders.
        co_holders: The further holders, in the order of the licence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    type: str = Field(pattern=r"^[0-9A-Z]{21}$")
    number: str = Field(min_length=1, max_length=80)
    serial: str | None = Field(default=None, pattern=r"^[0-9A-Z]{1,40}$")
    issued_on: dt.date
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    face: dict[str, FaceValue] = Field(default_factory=dict, max_length=60)
    replaces: str | None = Field(default=None, min_length=1, max_length=128)
    change: Literal["renewal", "change", "reissue", "correction"] | None = None
    share: str | None = Field(default=None, pattern=r"^([0-9]{1,4}/[0-9]{1,4}|[0-9]{1,3}(\.[0-9]{1,4})?%)$")
    co_holders: tuple[CoHolder, ...] = Field(default=(), max_length=50, strict=False)

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What is not stated is left out: data filed before these could be stated keep their digests.
        plain: dict[str, Any] = handler(self)
        return {name: value for name, value in plain.items() if value or name not in _LATER}


@dataclass(frozen=True, slots=True)
class Party:
    """A holder in clear, for the time of one call: scheme, code, name."""

    scheme: str
    code: str
    name: str


def complete_face(
    kind: LicenseType, data: LicenseData, holder: Party, issuer_name: str
) -> dict[str, FaceValue]:
    """Check licence data against their type and give every face field that has a value.

    Raises:
        LicenseDataError: The first rule that is broken.
    """
    _check_holder_kind(kind, holder)
    _check_validity(kind, data)
    unknown = set(data.face) - {field.name for field in kind.fields}
    if unknown:
        raise LicenseDataError(field="face", rule="field-unknown")
    given: dict[Source, FaceValue | None] = {
        Source.HOLDER_NAME: holder.name,
        Source.HOLDER_CODE: holder.code,
        Source.ISSUER_NAME: issuer_name,
        Source.NUMBER: data.number,
        Source.ISSUED_ON: data.issued_on.isoformat(),
        Source.VALID_FROM: data.valid_from.isoformat() if data.valid_from else None,
        Source.VALID_UNTIL: data.valid_until.isoformat() if data.valid_until else None,
    }
    face: dict[str, FaceValue] = {}
    for field in kind.fields:
        value = data.face.get(field.name)
        if field.source is not None:
            filled = given[field.source]
            if value is not None and value != filled:
                raise LicenseDataError(field=field.name, rule="contradicts-source")
            value = filled
        if value is None or value == "":
            if field.required:
                raise LicenseDataError(field=field.name, rule="required")
            continue
        _check_value(field, value)
        face[field.name] = value
    return face


def hidden_fields(kind: LicenseType, *, person: bool) -> frozenset[str]:
    """Give the fields that are masked: sensitive ones, and what names the holder when it is a person."""
    naming = (Source.HOLDER_NAME, Source.HOLDER_CODE) if person else ()
    return frozenset(field.name for field in kind.fields if field.sensitive or field.source in naming)


def masked_face(kind: LicenseType, face: Face, *, person: bool) -> dict[str, FaceValue]:
    """Give the face with its hidden fields masked."""
    hidden = hidden_fields(kind, person=person)
    return {name: mask(str(value)) if name in hidden else value for name, value in face.items()}


def mask(text: str) -> str:
    """Mask a sensitive value: long codes keep both ends, anything else its first character."""
    return mask_code(text) if text.isascii() else mask_person(text)


def _check_holder_kind(kind: LicenseType, holder: Party) -> None:
    actual = "organisation" if holder.scheme in ORGANISATION_SCHEMES else "person"
    if kind.holder_kind not in (actual, "both"):
        raise LicenseDataError(field="holder", rule="holder-kind")


def _check_validity(kind: LicenseType, data: LicenseData) -> None:
    rule, until = kind.validity, data.valid_until
    if rule.until is ValidityKind.REQUIRED and (until is None or data.valid_from is None):
        raise LicenseDataError(field="valid_until", rule="required")
    if rule.until is ValidityKind.OPEN and until is not None:
        raise LicenseDataError(field="valid_until", rule="open-ended-type")
    start = data.valid_from or data.issued_on
    if until is None:
        return
    if until < start:
        raise LicenseDataError(field="valid_until", rule="before-start")
    if rule.max_years is not None and until > _years_later(start, rule.max_years):
        raise LicenseDataError(field="valid_until", rule="longer-than-type-allows")


def _years_later(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)


def _check_value(field: FaceField, value: FaceValue) -> None:
    if field.type is FieldType.INTEGER:
        if not isinstance(value, int) or not 0 <= value < 10**field.max_length:
            raise LicenseDataError(field=field.name, rule="integer")
        return
    if not isinstance(value, str):
        raise LicenseDataError(field=field.name, rule="text")
    if len(value) > field.max_length or any(ord(c) < 0x20 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise LicenseDataError(field=field.name, rule="length-or-control-character")
    if field.type is FieldType.CHOICE and value not in field.values:
        raise LicenseDataError(field=field.name, rule="choice")
    if field.type is FieldType.DATE and not _is_date(value):
        raise LicenseDataError(field=field.name, rule="date")


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
