# SPDX-License-Identifier: Apache-2.0
"""A licence's status in the codes of the ministry that defines its type (``data/status_maps.json``).

Another ministry is another map in that file, no code. A map belongs to every type whose code begins with the
ministry's unified social credit code (GB/T 36904: the first 18 characters of a type code are those of the
authority that defines the type).
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from licenses.lifecycle import Status

_FROZEN: Final = ConfigDict(frozen=True, extra="forbid")
_AUTHORITY: Final = 18
"""Characters of a unified social credit code."""


class MinistryCode(BaseModel):
    """What a ministry calls a status."""

    model_config = _FROZEN
    code: str = Field(min_length=1, max_length=10)
    zh: str = Field(min_length=1, max_length=20)
    en: str = Field(min_length=1, max_length=40)


class StatusMap(BaseModel):
    """The codes of one ministry; a status that it does not have has none."""

    model_config = _FROZEN
    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    zh: str
    en: str
    defined_by_code: str = Field(min_length=_AUTHORITY, max_length=_AUTHORITY)
    codes: Mapping[Status, MinistryCode]


class _File(BaseModel):
    model_config = _FROZEN
    version: str
    basis: str
    maps: tuple[StatusMap, ...]


@cache
def status_maps() -> Mapping[str, StatusMap]:
    """Read the maps that come with the product, by the credit code of the ministry.

    Raises:
        ValueError: Two maps for one ministry, or the file breaks another rule.
    """
    data = resources.files("licenses").joinpath("data/status_maps.json").read_bytes()
    maps = _File.model_validate_json(data).maps
    found = {one.defined_by_code: one for one in maps}
    if len(found) != len(maps) or len({one.id for one in maps}) != len(maps):
        raise ValueError("two status maps for one ministry")
    return found


def status_map_of(type_code: str) -> StatusMap | None:
    """Give the map of the ministry that defines a type, if it has one."""
    return status_maps().get(type_code[:_AUTHORITY])


def ministry_code(type_code: str, status: Status) -> MinistryCode | None:
    """Give a status as the ministry that defines the type calls it; ``None`` where it has no such code."""
    found = status_map_of(type_code)
    return found.codes.get(status) if found is not None else None
