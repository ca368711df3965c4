# SPDX-License-Identifier: Apache-2.0
"""What stands on a licence's page and in its attachments; pure, so the same plan gives the same bytes."""

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import segno

from documents.typesetting import Attachment
from licenses.definition import LicenseType
from licenses.faces import Face
from licenses.metadata import Metadata, check_metadata, registered_items, to_json, to_xml
from licenses.models import License
from storage.ledger.canonical import Json

TEMPLATES = Path(str(resources.files("licenses").joinpath("templates")))


def template_names() -> frozenset[str]:
    """Give the names of the files that set licences; those that they share begin with ``_``."""
    return frozenset(file.name for file in TEMPLATES.glob("[a-z]*.typ"))


def verification_url(public_url: str, code: str) -> str:
    """Give the address that the QR code leads to."""
    return f"{public_url.rstrip('/')}/v/{code}"


def qr_svg(url: str) -> str:
    """Draw a QR code with error correction M and the quiet zone of four modules, as SVG paths."""
    out = io.BytesIO()
    segno.make_qr(url, error="m").save(out, kind="svg", border=4, xmldecl=False, omitsize=True, nl=False)
    return out.getvalue().decode()


def zh_date(day: dt.date) -> str:
    """Write a date as a sentence has it."""
    return f"{day.year}年{day.month}月{day.day}日"


def page_data(
    license_: License, kind: LicenseType, face: Face, *, public_url: str, demo: bool
) -> dict[str, Json]:
    """Give what the template sets."""
    url = verification_url(public_url, license_.code)
    return face_data(kind, face) | {
        "demo": demo,
        "sample": False,
        "identifier": license_.identifier,
        "number": license_.number,
        "issuer": license_.issuer_name,
        "issued_on": zh_date(license_.issued_on),
        "validity": validity_words(license_.issued_on, license_.valid_from, license_.valid_until),
        "url": url,
        "qr": qr_svg(url),
    }


def face_data(kind: LicenseType, face: Face) -> dict[str, Json]:
    """Give what the template sets of the face: title, items that are shown, tables of details."""
    fields: list[Json] = []
    details: list[Json] = []
    for field in kind.fields:
        value = face.get(field.name)
        if value is None or not field.shown:
            continue
        if isinstance(value, list):
            rows = [[str(row.get(column.name, "")) for column in field.columns] for row in value]
            columns = [column.zh for column in field.columns]
            details.append({"zh": field.zh, "columns": columns, "rows": rows})
        else:
            fields.append({"zh": field.zh, "value": str(value)})
    return {"title": kind.zh, "provisional": kind.provisional, "fields": fields, "details": details}


def metadata_of(
    license_: License, kind: LicenseType, holder: Mapping[str, str], item: Mapping[str, str]
) -> dict[str, str]:
    """Give the metadata items of a licence.

    Args:
        license_: The licence.
        kind: Its type.
        holder: ``name``, ``code``, ``scheme``, ``scheme_name``.
        item: ``code`` and ``name`` of the item that gave it.
    """
    items = registered_items(license_) | {
        "name": kind.zh,
        "type_name": kind.zh,
        "holder_name": holder["name"],
        "holder_code": holder["code"],
        "holder_scheme": holder["scheme"],
        "holder_scheme_name": holder["scheme_name"],
        "defined_by": kind.defined_by,
        "defined_by_code": kind.code[:18],
        "item_code": item["code"],
        "item_name": item["name"],
    }
    stated = {name: value for name, value in items.items() if value}
    check_metadata(stated)
    return stated


def attachments(items: Metadata, kind: LicenseType, face: Face) -> Sequence[Attachment]:
    """Give the two files embedded in a licence: metadata as JSON and as XML."""
    return (
        Attachment(
            "metadata.json", to_json(items, kind, face), "application/json", "data", "证照元数据 GB/T 36903"
        ),
        Attachment(
            "metadata.xml", to_xml(items, kind, face), "application/xml", "alternative", "证照元数据 XML"
        ),
    )


def validity_words(issued_on: dt.date, start: dt.date | None, until: dt.date | None) -> str:
    """Say from when until when, both days inclusive."""
    begins = zh_date(start or issued_on)
    return f"{begins} 至 {zh_date(until)}（含当日）" if until else f"{begins}起长期有效"
