# SPDX-License-Identifier: Apache-2.0
"""What a licence manager types to have a licence issued, read into licence data.

The fields of the form follow the type's definition: ``face.NAME`` for an item, ``rows.NAME.N.COLUMN`` for the
cells of a detail, ``co.N.PART`` for further holders. Rows without any value are left out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from cases.errors import HolderCodeError
from cases.identifiers import check_holder_code, is_plain
from licenses.definition import Column, LicenseType
from licenses.errors import LicenseDataError
from licenses.events import Grounds
from licenses.faces import LicenseData, Party
from licenses.values import from_text

ROWS: Final = 3
"""Rows that are offered of a detail, and of further holders, before more are asked for."""
MOST_ROWS: Final = 60
_LONGEST: Final = 2000
_DAYS: Final = ("issued_on", "valid_from", "valid_until")
_CO: Final = ("scheme", "code", "name", "share")
_FIELD: Final = re.compile(r"[^a-z0-9_.]")


def party_of(sent: Mapping[str, str]) -> Party:
    """Read the holder.

    Raises:
        LicenseDataError: Code or name are missing or wrong.
    """
    try:
        found = check_holder_code(_said(sent, "holder_scheme"), _said(sent, "holder_code").upper())
    except HolderCodeError as error:
        raise LicenseDataError(field="holder_code", rule=str(error.facts.get("rule", "holder"))) from None
    name = _said(sent, "holder_name")
    if not name or len(name) > 200 or not is_plain(name):
        raise LicenseDataError(field="holder_name", rule="required")
    return Party(found.scheme, found.code, name)


def grounds_of(sent: Mapping[str, str]) -> Grounds:
    """Read reason and legal basis."""
    return Grounds(_said(sent, "reason"), _said(sent, "legal_basis"))


def data_of(kind: LicenseType, sent: Mapping[str, str]) -> LicenseData:
    """Read the licence data of a type.

    Raises:
        LicenseDataError: What was typed has no such form; ``facts`` name the first field.
    """
    stated: dict[str, Any] = {"type": kind.code, "number": _said(sent, "number"), "face": _face(kind, sent)}
    for name in (*_DAYS, "serial", "replaces", "change", "share"):
        if value := _said(sent, name):
            stated[name] = value
    if co_holders := _co_holders(sent):
        stated["co_holders"] = co_holders
    try:
        return LicenseData.model_validate_json(json.dumps(stated))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = _FIELD.sub("", ".".join(str(part) for part in first["loc"][:2]))
        raise LicenseDataError(field=place or "data", rule=first["type"]) from None


def _face(kind: LicenseType, sent: Mapping[str, str]) -> dict[str, Any]:
    face: dict[str, Any] = {}
    for field in kind.fields:
        if field.source is not None or field.lists_holders:
            continue
        if field.columns:
            if rows := _rows(field.columns, f"rows.{field.name}", sent):
                face[field.name] = rows
        elif value := _said(sent, f"face.{field.name}"):
            face[field.name] = from_text(field, value)
    return face


def _rows(columns: Sequence[Column], prefix: str, sent: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for number in range(MOST_ROWS):
        cells = {one.name: _said(sent, f"{prefix}.{number}.{one.name}") for one in columns}
        if any(cells.values()):
            found.append({one.name: from_text(one, cells[one.name]) for one in columns if cells[one.name]})
    return found


def _co_holders(sent: Mapping[str, str]) -> list[dict[str, str]]:
    found = []
    for number in range(MOST_ROWS):
        parts = {part: _said(sent, f"co.{number}.{part}") for part in _CO}
        if parts["code"] or parts["name"]:
            found.append({part: value for part, value in parts.items() if value})
    return found


def _said(sent: Mapping[str, str], name: str) -> str:
    return sent.get(name, "").strip()[:_LONGEST]
