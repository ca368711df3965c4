# SPDX-License-Identifier: Apache-2.0
"""Which column of a file holds which item: found once for a head, asked for every row."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from licenses.definition import LicenseType
from licenses.stock.profiles import NEEDED, Extension, Item, Profile
from licenses.stock.records import Cells

MOST_FIELDS: Final = 200
"""Most face fields that one record may bring."""

Places = Mapping[Item, tuple[str, ...]]


class Columns:
    """Finds the columns of a profile in the heads of files.

    Args:
        profile: The source's spelling.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._misspelt = frozenset(name for column in profile.columns.values() for name in column.misspelt)
        self.places = lru_cache(maxsize=256)(self._places)

    def _places(self, head: tuple[str, ...]) -> tuple[Places, bool]:
        """Give the columns of each item, and whether one of them is misspelt."""
        present = frozenset(head)
        places = {
            item: found
            for item, column in self._profile.columns.items()
            if (found := tuple(name for name in (*column.names, *column.misspelt) if name in present))
        }
        return places, not self._misspelt.isdisjoint(present)

    def missing(self, head: tuple[str, ...]) -> frozenset[Item]:
        """Give the items that every record needs and for which a file of this head has no column."""
        places, _ = self.places(head)
        return NEEDED - set(places)


def extension_fields(extension: Extension, cells: Cells, names: Mapping[str, str]) -> dict[str, str] | None:
    """Give the face fields that a record brings, by technical name; ``None`` when they cannot be read.

    Args:
        extension: How the source spells them.
        cells: The record.
        names: See :func:`field_names`.
    """
    if extension.kind == "prefix":
        cut = len(extension.prefix)
        named = {key[cut:]: value for key, value in cells.items() if key.startswith(extension.prefix)}
    else:
        text = cells.get(extension.column)
        if text is None:
            return {}
        found = _pairs(extension, text)
        if found is None:
            return None
        named = found
    return {names[key]: value for key, value in named.items() if key in names and value}


def field_names(extension: Extension, kind: LicenseType) -> dict[str, str]:
    """Give the technical names of a type's face fields by what a source calls them."""
    return {getattr(field, extension.key): field.name for field in kind.fields} | dict(extension.names)


def _pairs(extension: Extension, text: str) -> dict[str, str] | None:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if extension.kind == "list":
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            return None
        pairs = [(one.get(extension.name), one.get(extension.value)) for one in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        return None
    if len(pairs) > MOST_FIELDS or any(isinstance(one, list | dict) for _, one in pairs):
        return None
    return {str(name): str(one) for name, one in pairs if one is not None and name is not None}
