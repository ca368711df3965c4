# SPDX-License-Identifier: Apache-2.0
"""The published catalogue of licence types: what other systems read of it, as canonical JSON.

Of a type that is not published nobody outside is told. The same catalogue gives the same bytes, so that a
digest of them tells whether anything changed, and a signature over them holds.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from licenses.definition import LicenseType, TypeState
from storage.ledger.canonical import Json

SIGNATURE_TYPE: Final = "cunzheng-licence-types+json"
"""``typ`` of the signature over what is published."""
_CODES: Final = Path(__file__).parent / "data" / "type_codes.json"
_OF_TYPE: Final = ("state", "kind", "holder_kind", "sharing")
_SUMMARY: Final = frozenset(
    {
        "code",
        "version",
        "zh",
        "en",
        "short_zh",
        "provisional",
        "state",
        "defined_by",
        "kind",
        "holder_kind",
        "holders",
        "rank",
        "sharing",
        "validity",
        "aliases",
        "related_items",
    }
)


@cache
def _codes() -> Mapping[str, Mapping[str, int]]:
    read: Mapping[str, Mapping[str, int]] = json.loads(_CODES.read_bytes())
    return read


def is_public(kind: LicenseType) -> bool:
    """Tell whether strangers may know of a type: it is or was published."""
    return kind.state is not TypeState.UNPUBLISHED


def listed(types: Iterable[LicenseType]) -> dict[str, Json]:
    """Give the list of the types that strangers may know, without their items."""
    return {"types": [_stated(kind, _SUMMARY) for kind in types if is_public(kind)]}


def described(kind: LicenseType, versions: Iterable[LicenseType]) -> dict[str, Json]:
    """Give one version of a type with all that it states.

    Args:
        kind: The version.
        versions: Every version of the type, the oldest first; those that were not published are left out.
    """
    stated = _stated(kind, frozenset(LicenseType.model_fields))
    return stated | {"versions": [one.version for one in versions if is_public(one)]}


def _stated(kind: LicenseType, members: frozenset[str]) -> dict[str, Json]:
    stated: dict[str, Json] = kind.model_dump(mode="json", include=set(members))
    codes: dict[str, Json] = {name: _codes()[name][str(getattr(kind, name))] for name in _OF_TYPE}
    return stated | {"codes": codes}
