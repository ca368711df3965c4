# SPDX-License-Identifier: Apache-2.0
"""Editions of data to propose, made of what is shipped."""

import copy
import json
from typing import Any

import archive.numbering
import cases.items
from licenses.catalogue import shipped_document

NEW_TYPE = "11339999DEM0010178009"
"""Code of a licence type that no release knows."""


def new_edition(
    *, edition: str = "2027-01", version: str = "2027-01", code: str = "", **changes: Any
) -> bytes:
    """Give an edition of the catalogue that brings one item in a new edition, changed.

    Args:
        edition: The item's edition.
        version: The catalogue's.
        code: Code of the item; the food business licence when missing.
        changes: Fields of the item that differ from what is shipped.
    """
    shipped = json.loads((cases.items.DATA / "items.json").read_bytes())["items"]
    (item,) = (one for one in shipped if one["code"] == (code or "339999010002"))
    made = copy.deepcopy(item) | {"edition": edition} | changes
    return _written({"version": version, "items": [made]})


def new_numbering(template: str, *, fonds: str = "Z901", version: str = "2027-01") -> bytes:
    """Give an edition of the number templates that changes the one of a fonds."""
    shipped = json.loads(archive.numbering.DATA.read_bytes())["templates"]
    templates = [one | {"template": template} if one["fonds"] == fonds else one for one in shipped]
    return _written({"version": version, "templates": templates})


def new_types(
    *, code: str = NEW_TYPE, kind_version: str = "2027-01", version: str = "2027-01", **changes: Any
) -> bytes:
    """Give an edition of the licence types that brings one type, made of the shipped one for pesticides.

    Args:
        code: Code of the type; with that of a shipped type it is a new version of that one.
        kind_version: The type's version.
        version: The catalogue's.
        changes: Members of the type that differ.
    """
    return _written({"version": version, "types": [type_entry(code, kind_version) | changes]})


def type_entry(code: str = NEW_TYPE, version: str = "2027-01") -> dict[str, Any]:
    """Give a type as a document has it: the shipped one with this code, else one of a new name."""
    shipped = {one["code"]: one for one in shipped_document()["types"]}
    if code in shipped:
        return copy.deepcopy(shipped[code]) | {"version": version}
    (made,) = (copy.deepcopy(one) for one in shipped.values() if one["zh"] == "农药经营许可证")
    names = {"zh": "演示新设经营许可证", "en": "Newly made licence", "short_zh": "新设经营"}
    return made | {"code": code, "version": version, "related_items": []} | names


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
