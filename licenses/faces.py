# SPDX-License-Identifier: Apache-2.0
"""Licence data of a closed case → a complete face (照面), checked against the type's definition.

Nothing is repaired silently: a value that breaks its field's rule is refused, naming field and rule.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from cases.identifiers import ORGANISATION_SCHEMES, is_resident_id, mask_code, mask_person
from licenses.definition import Column, FaceField, HolderRole, ItemKind, LicenseType, Source, ValidityKind
from licenses.errors import LicenseDataError
from licenses.stock.folding import folded_number
from licenses.values import Plain, broken_rule, share

Row = dict[str, Plain]
FaceValue = Plain | list[Row]
"""One value, or the rows of a detail."""
Face = Mapping[str, FaceValue]
_LATER = frozenset({"replaces", "change", "share", "co_holders"})
_SHARE = r"^([0-9]{1,4}/[0-9]{1,4}|[0-9]{1,3}(\.[0-9]{1,4})?%)$"


class CoHolder(BaseModel):
    """One of several holders 共有人, with the share that the licence states."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    scheme: str = Field(pattern=r"^[0-9]{3}$")
    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    share: str | None = Field(default=None, pattern=_SHARE)


class LicenseData(BaseModel):
    """The result's licence data as a closed case carries them (证照数据).

    Attributes:
        type: Code of the licence type.
        number: The licence's number as printed.
        serial: Serial of the identifier (digits and capitals) where the number does not fit it.
        face: Face fields by technical name; those filled from elsewhere may be left out. A detail is a list
            of rows, each with its cells by technical name.
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
    face: dict[str, Plain | Annotated[list[Row], Field(min_length=1, max_length=500)]] = Field(
        default_factory=dict, max_length=60
    )
    replaces: str | None = Field(default=None, min_length=1, max_length=128)
    change: Literal["renewal", "change", "reissue", "correction"] | None = None
    share: str | None = Field(default=None, pattern=_SHARE)
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
    _check_numbers(data)
    _check_holder_kind(kind, holder)
    _check_shares(kind, data)
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
        if field.kind is ItemKind.DETAIL:
            listed = _listed(field, data, holder) if field.lists_holders else None
            if rows := _rows(field, value or listed, listed):
                face[field.name] = rows
            continue
        if field.source is not None:
            filled = given[field.source]
            if value is not None and value != filled:
                raise LicenseDataError(field=field.name, rule="contradicts-source")
            value = filled
        if value is None or value == "":
            if field.required:
                raise LicenseDataError(field=field.name, rule="required")
            continue
        _check_value(field, value, field.name)
        face[field.name] = value
    return face


def _check_numbers(data: LicenseData) -> None:
    """Refuse a resident number as number or serial: both stand in clear, in identifiers and addresses."""
    for field, text in (("number", data.number), ("serial", data.serial or "")):
        if is_resident_id(folded_number(text)):
            raise LicenseDataError(field=field, rule="resident-number")


def hidden_fields(kind: LicenseType, *, person: bool) -> frozenset[str]:
    """Give the fields that are masked: sensitive ones, and what names the holder when it is a person."""
    naming = (Source.HOLDER_NAME, Source.HOLDER_CODE) if person else ()
    return frozenset(field.name for field in kind.fields if field.sensitive or field.source in naming)


def masked_face(kind: LicenseType, face: Face, *, person: bool) -> dict[str, FaceValue]:
    """Give the face with its hidden fields and columns masked."""
    hidden = hidden_fields(kind, person=person)
    masked: dict[str, FaceValue] = {}
    for name, value in face.items():
        field = kind.field(name)
        if isinstance(value, list):
            columns = () if field is None else hidden_columns(field, person=person)
            masked[name] = [_masked_row(row, columns, every=name in hidden) for row in value]
        else:
            masked[name] = mask(str(value)) if name in hidden else value
    return masked


def hidden_columns(field: FaceField, *, person: bool) -> frozenset[str]:
    """Give the columns of a detail that are masked, by the rule of :func:`hidden_fields`."""
    naming = (HolderRole.NAME, HolderRole.CODE) if person else ()
    return frozenset(one.name for one in field.columns if one.sensitive or one.role in naming)


def shown_text(kind: LicenseType, face: Face, *, person: bool) -> list[str]:
    """Give what the face says in words, without what would be masked: for search."""
    hidden = hidden_fields(kind, person=person)
    words: list[str] = []
    for field in kind.fields:
        value = face.get(field.name)
        if value is None or field.name in hidden:
            continue
        if isinstance(value, list):
            columns = hidden_columns(field, person=person)
            words += [" ".join(str(row[name]) for name in row if name not in columns) for row in value]
        else:
            words.append(str(value))
    return [one for one in words if one]


def _masked_row(row: Row, columns: Sequence[str] | frozenset[str], *, every: bool) -> Row:
    return {name: mask(str(cell)) if every or name in columns else cell for name, cell in row.items()}


def mask(text: str) -> str:
    """Mask a sensitive value: long codes keep both ends, anything else its first character."""
    return mask_code(text) if text.isascii() else mask_person(text)


def _check_holder_kind(kind: LicenseType, holder: Party) -> None:
    actual = "organisation" if holder.scheme in ORGANISATION_SCHEMES else "person"
    if kind.holder_kind not in (actual, "both"):
        raise LicenseDataError(field="holder", rule="holder-kind")


def _check_validity(kind: LicenseType, data: LicenseData) -> None:
    rule, until = kind.validity, data.valid_until
    if rule.until is ValidityKind.REQUIRED and until is None:
        raise LicenseDataError(field="valid_until", rule="required")
    if rule.needs_start and data.valid_from is None:
        raise LicenseDataError(field="valid_from", rule="required")
    if rule.start is ValidityKind.OPEN and data.valid_from is not None:
        raise LicenseDataError(field="valid_from", rule="open-ended-type")
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


def _check_value(field: FaceField | Column, value: FaceValue, name: str) -> None:
    rule = broken_rule(field, value)
    if rule is not None:
        raise LicenseDataError(field=name, rule=rule)


def _rows(field: FaceField, value: FaceValue | None, listed: Sequence[Row] | None) -> list[Row]:
    """Check the rows of a detail; empty cells are left out.

    Args:
        field: The detail.
        value: Its rows.
        listed: What rows that list the holders must say.
    """
    if value is None or value == []:
        if field.required:
            raise LicenseDataError(field=field.name, rule="required")
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise LicenseDataError(field=field.name, rule="rows")
    if len(value) > field.max_rows:
        raise LicenseDataError(field=field.name, rule="too-many-rows")
    rows = [_row(field, row) for row in value]
    if listed is not None:
        names = {column.name for column in field.columns if column.role is not None}
        if [{name: cell for name, cell in row.items() if name in names} for row in rows] != listed:
            raise LicenseDataError(field=field.name, rule="contradicts-source")
    return rows


def _row(field: FaceField, row: Row) -> Row:
    if set(row) - {column.name for column in field.columns}:
        raise LicenseDataError(field=field.name, rule="field-unknown")
    cells: Row = {}
    for column in field.columns:
        cell = cast(Any, row.get(column.name))
        name = f"{field.name}.{column.name}"
        if cell is None or cell == "":
            if column.required:
                raise LicenseDataError(field=name, rule="required")
            continue
        _check_value(column, cell, name)
        cells[column.name] = cell
    return cells


def _listed(field: FaceField, data: LicenseData, holder: Party) -> list[Row]:
    """Give the rows that list the holders, in the order of the licence."""
    holders = [(holder.name, holder.code, data.share)]
    holders += [(one.name, one.code, one.share) for one in data.co_holders]
    rows: list[Row] = []
    for name, code, part in holders:
        says = {HolderRole.NAME: name, HolderRole.CODE: code, HolderRole.SHARE: part}
        cells = {column.name: says[column.role] for column in field.columns if column.role is not None}
        rows.append({key: cell for key, cell in cells.items() if cell is not None})
    return rows


def _check_shares(kind: LicenseType, data: LicenseData) -> None:
    """Refuse several holders where the type has one, and shares that do not make the whole."""
    if kind.holders != "several":
        if data.co_holders or data.share is not None:
            raise LicenseDataError(field="co_holders", rule="one-holder")
        return
    stated = [data.share, *(one.share for one in data.co_holders)]
    shares = [share(text) for text in stated if text is not None]
    if shares and (len(shares) != len(stated) or sum(one or Fraction(0) for one in shares) != 1):
        raise LicenseDataError(field="share", rule="shares-not-whole")
