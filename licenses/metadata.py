# SPDX-License-Identifier: Apache-2.0
"""Licence metadata (GB/T 36903): one canonical model, its spellings are data (``data/metadata.json``).

The embedded XML uses the pinyin keys and the elements ``CustomDatas/CustomData``; files that are
imported may carry the misspelling ``CuslomDatas``. The embedded JSON uses the names of the national
interface. XMP has the items with a pinyin key, too, for readers that open no attachments. Dates are
``YYYY-MM-DD``.
"""

import datetime as dt
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from documents.xmp import XmpSchema
from licenses.definition import FaceField, ItemKind, LicenseType
from licenses.errors import LicenseDataError
from licenses.faces import Face
from licenses.models import License

MAX_XML = 256 * 1024
XMP_NAMESPACE = "urn:cunzheng:xmp:licence:1#"
Metadata = Mapping[str, str]
"""Canonical items by name, as ``data/metadata.json`` lists them; absent means not stated."""


class MetadataItem(BaseModel):
    """One item with its spellings."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    item: str
    zh: str
    pinyin: str | None
    api: str | None
    required: bool


class MetadataTable(BaseModel):
    """The table of items, and the names of the embedded XML's elements."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str
    basis: str
    root: str
    element: str
    accepted_roots: tuple[str, ...]
    accepted_elements: tuple[str, ...]
    extension_prefix: str
    items: tuple[MetadataItem, ...]


@cache
def metadata_table() -> MetadataTable:
    """Read the table that comes with the product."""
    data = resources.files("licenses").joinpath("data/metadata.json").read_bytes()
    return MetadataTable.model_validate_json(data)


@cache
def xmp_schema() -> XmpSchema:
    """Give the XMP schema of the items that have a pinyin key, which are its property names."""
    table = metadata_table()
    properties = {row.pinyin: row.zh for row in table.items if row.pinyin}
    return XmpSchema(f"证照元数据 {table.basis}", XMP_NAMESPACE, "zzysj", properties)


def to_xmp(items: Metadata) -> dict[str, str]:
    """Give the values of :func:`xmp_schema`."""
    return {row.pinyin: items[row.item] for row in metadata_table().items if row.pinyin and row.item in items}


class RegisterItems(Protocol):
    """What the register itself states of a licence."""

    @property
    def type_code(self) -> str:
        """Code of its type."""
        ...

    @property
    def number(self) -> str:
        """Its number."""
        ...

    @property
    def identifier(self) -> str:
        """Its identifier."""
        ...

    @property
    def issuer_name(self) -> str:
        """Name of who issued it."""
        ...

    @property
    def issuer_code(self) -> str:
        """Credit code of who issued it."""
        ...

    @property
    def issued_on(self) -> dt.date:
        """Its date."""
        ...

    @property
    def valid_from(self) -> dt.date | None:
        """First day."""
        ...

    @property
    def valid_until(self) -> dt.date | None:
        """Last day, inclusive."""
        ...


def registered_items(license_: RegisterItems) -> dict[str, str]:
    """Give the items that the register itself states of a licence; what it does not state is empty."""
    return {
        "type_code": license_.type_code,
        "number": license_.number,
        "identifier": license_.identifier,
        "issuer_name": license_.issuer_name,
        "issuer_code": license_.issuer_code,
        "issued_on": license_.issued_on.isoformat(),
        "valid_from": license_.valid_from.isoformat() if license_.valid_from else "",
        "valid_until": license_.valid_until.isoformat() if license_.valid_until else "",
    }


def agrees(stated: Metadata, license_: License) -> bool:
    """Tell whether what a file states is what the register states; a difference means one was changed."""
    return all(stated.get(item, "") == value for item, value in registered_items(license_).items())


def check_metadata(items: Metadata) -> None:
    """Refuse metadata that lack a required item.

    Raises:
        LicenseDataError: ``facts`` name the item.
    """
    for row in metadata_table().items:
        if row.required and not items.get(row.item):
            raise LicenseDataError(field=row.item, rule="metadata-required")


def to_api(items: Metadata, kind: LicenseType, face: Face) -> dict[str, object]:
    """Spell metadata and face as the national interface does."""
    answer: dict[str, object] = {
        row.api: items[row.item] for row in metadata_table().items if row.api and row.item in items
    }
    answer["surface"] = [
        {
            "name": field.zh,
            "value": str(face[field.name]),
            "valueType": field.type,
            "columnName": field.pinyin,
        }
        for field in kind.fields
        if field.name in face and field.kind is ItemKind.FACE
    ]
    details = [_detail(field, face) for field in kind.fields if isinstance(face.get(field.name), list)]
    if details:
        answer["detail"] = details
    return answer


def _detail(field: FaceField, face: Face) -> dict[str, object]:
    rows = face[field.name]
    return {
        "name": field.zh,
        "columnName": field.pinyin,
        "rows": [
            {column.pinyin: str(row[column.name]) for column in field.columns if column.name in row}
            for row in (rows if isinstance(rows, list) else ())
        ],
    }


def to_json(items: Metadata, kind: LicenseType, face: Face) -> bytes:
    """Give the JSON that is embedded in the licence file."""
    text = json.dumps(to_api(items, kind, face), ensure_ascii=False, sort_keys=True, indent=1)
    return text.encode() + b"\n"


def to_xml(items: Metadata, kind: LicenseType, face: Face) -> bytes:
    """Give the XML that is embedded in the licence file; the same input gives the same bytes."""
    table = metadata_table()
    root = ET.Element(table.root)
    pairs = [(row.pinyin, items[row.item]) for row in table.items if row.pinyin and row.item in items]
    pairs += [
        (table.extension_prefix + field.pinyin, _xml_value(field, face))
        for field in kind.fields
        if field.name in face
    ]
    for name, value in pairs:
        ET.SubElement(root, table.element, Name=name).text = value
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _xml_value(field: FaceField, face: Face) -> str:
    """Give a value as text; the rows of a detail are JSON, for the element has no children."""
    if field.kind is ItemKind.DETAIL:
        return json.dumps(_detail(field, face)["rows"], ensure_ascii=False, sort_keys=True)
    return str(face[field.name])


def from_xml(data: bytes) -> dict[str, str]:
    """Read embedded XML, misspelt element names included, into canonical items; extensions keep their key.

    Raises:
        LicenseDataError: Too large, declares entities, or is no metadata.
    """
    table = metadata_table()
    # A document type is never needed here and is how entity bombs come in.
    if len(data) > MAX_XML or b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\x00" in data:
        raise LicenseDataError(field="metadata", rule="xml-refused")
    try:
        root = ET.fromstring(data)  # noqa: S314 - size is bounded and declarations are refused above
    except ET.ParseError:
        raise LicenseDataError(field="metadata", rule="xml-malformed") from None
    if root.tag not in table.accepted_roots:
        raise LicenseDataError(field="metadata", rule="xml-root")
    names = {row.pinyin: row.item for row in table.items if row.pinyin}
    found: dict[str, str] = {}
    for element in root:
        name = element.get("Name", "")
        if element.tag in table.accepted_elements and (
            name in names or name.startswith(table.extension_prefix)
        ):
            found[names.get(name, name)] = element.text or ""
    return found
