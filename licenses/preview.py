# SPDX-License-Identifier: Apache-2.0
"""Pages that are no licence: the sample 样例 of a type, and the preview 预览 of one about to be issued.

Every page bears a band and a tiled mark that say so; there is no identifier, no QR code, no seal and no
embedded metadata, so nobody can take one for a licence. The same values give the same bytes on every machine
and day.
"""

import datetime as dt
from typing import Final

from cases.items import Department
from documents.ports import Typesets
from licenses.definition import DataItem, FaceField, ItemKind, LicenseType, Source
from licenses.faces import Face, FaceValue, LicenseData
from licenses.layout import TEMPLATES, face_data, validity_words, zh_date
from licenses.values import FieldType, from_text, is_date
from storage.ledger.canonical import Json

_AT: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""The instant that every sample states: whose bytes shall not depend on the day."""
_DAY: Final = dt.date(2000, 1, 1)
_MISSING: Final = "样例"


def preview(kind: LicenseType, typesetter: Typesets, division: str = "") -> bytes:
    """Set a sample of a type as PDF/A.

    Args:
        kind: The type.
        typesetter: Sets it.
        division: Division code whose template is wanted; the type's own template when empty.

    Raises:
        GlyphMissingError: An example has a character that no font has.
    """
    template = kind.template_for(f"00{division}") if division else kind.template
    return typesetter.typeset(TEMPLATES / template, sample_data(kind), (), _AT)


def draft_preview(
    kind: LicenseType, data: LicenseData, face: Face, issuer: Department, typesetter: Typesets
) -> bytes:
    """Set what a licence would state as PDF/A, before there is one.

    Args:
        kind: Its type.
        data: The licence data.
        face: The complete face (``complete_face``).
        issuer: The department that would issue it.
        typesetter: Sets it.

    Raises:
        GlyphMissingError: A value has a character that no font has.
    """
    stated = face_data(kind, face) | {
        "demo": False,
        "sample": True,
        "draft": True,
        "type_code": kind.code,
        "type_version": kind.version,
        "number": data.number,
        "issuer": issuer.zh,
        "issued_on": zh_date(data.issued_on),
        "validity": validity_words(data.issued_on, data.valid_from, data.valid_until),
    }
    return typesetter.typeset(TEMPLATES / kind.template_for(issuer.uscc), stated, (), _AT)


def sample_data(kind: LicenseType) -> dict[str, Json]:
    """Give what the template sets of a sample."""
    face = sample_face(kind)
    sources = {field.source: face.get(field.name) for field in kind.fields if field.source is not None}
    dates = {
        source: dt.date.fromisoformat(str(value)) for source, value in sources.items() if is_date(str(value))
    }
    issued = dates.get(Source.ISSUED_ON, _DAY)
    start, until = dates.get(Source.VALID_FROM), dates.get(Source.VALID_UNTIL)
    return face_data(kind, face) | {
        "demo": False,
        "sample": True,
        "type_code": kind.code,
        "type_version": kind.version,
        "number": str(sources.get(Source.NUMBER, _MISSING)),
        "issuer": str(sources.get(Source.ISSUER_NAME, _MISSING)),
        "issued_on": zh_date(issued),
        "validity": validity_words(issued, start, until),
    }


def sample_face(kind: LicenseType) -> dict[str, FaceValue]:
    """Give the face of a sample: the examples, and 样例 where a required item has none."""
    face: dict[str, FaceValue] = {}
    for field in kind.fields:
        if field.kind is ItemKind.DETAIL:
            face[field.name] = [{column.name: _example(column) for column in field.columns}]
        elif field.example or field.required:
            face[field.name] = _example(field)
    return face


def _example(item: DataItem | FaceField) -> str | int:
    if item.example:
        return from_text(item, item.example)
    return item.values[0] if item.type is FieldType.CHOICE else _MISSING if item.required else ""
