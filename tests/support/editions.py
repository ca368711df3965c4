# SPDX-License-Identifier: Apache-2.0
"""Editions of data to propose, made of what is shipped."""

import copy
import json
from typing import Any

import archive.numbering
import cases.items


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


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
