# SPDX-License-Identifier: Apache-2.0
"""Lint of a proposed edition of mapping profiles; pure, like :mod:`cases.lint`."""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cases.lint import MOST_FINDINGS, LintFinding, nothing_new, schema_findings, version_findings
from cases.text_places import pointer
from licenses.errors import CatalogueError
from licenses.stock.profiles import SCHEMA, Profile, read_profile

WARNINGS: Final = frozenset({"profile-trust-raised", "profile-identifiers-composed"})
"""Codes of findings that are for the two persons to weigh."""
SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "profile-twice": ("同一映射方案列出了两次", "A mapping profile is listed twice"),
    "profile-contradicts": ("映射方案自相矛盾", "The mapping profile contradicts itself"),
    "profile-altered": (
        "该方案版本已生效，不得更改；请另立新版本",
        "This version of the profile is in force and never altered: make a new version",
    ),
    "profile-backwards": (
        "版本号须排在该方案现有版本之后，否则不会生效",
        "The version must sort after those that the profile has, or it would not take effect",
    ),
    "profile-trust-raised": (
        "该来源证照的可信等级将提高",
        "Licences of this source would get a higher trust level",
    ),
    "profile-identifiers-composed": (
        "缺少证照标识的记录将由本系统编制标识",
        "Records without an identifier would get one that is composed here",
    ),
    "licence-type-unknown": ("没有这个证照类型", "There is no such licence type"),
    "department-unknown": ("没有这个部门", "There is no such department"),
}
"""Finding → sentence in Chinese and English."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ProfileGround:
    """What an edition of the mapping profiles must fit.

    Attributes:
        departments: Codes of the departments.
        types: Codes of the licence types.
        held: Versions of profiles that are in force or were: none of them may be altered.
        versions: Names of the editions that were in force.
    """

    departments: Collection[str]
    types: Collection[str]
    held: Mapping[tuple[str, str], Profile]
    versions: Collection[str] = ()


def lint_profiles(document: Any, ground: ProfileGround) -> tuple[LintFinding, ...]:  # noqa: ANN401 - any document
    """Give what speaks against a document as an edition of the mapping profiles; nothing is well."""
    found = schema_findings(document, SCHEMA)
    if found or not isinstance(document, dict):
        return found
    return tuple(itertools.islice(_findings(document, ground), MOST_FINDINGS))


def _findings(document: Mapping[str, Any], ground: ProfileGround) -> Iterator[LintFinding]:
    yield from version_findings(document["version"], ground.versions)
    seen: set[str] = set()
    new = False
    for place, entry in enumerate(document["profiles"]):
        path: Path = ("profiles", place)
        try:
            profile = read_profile(json.dumps(entry).encode(), "profile")
        except CatalogueError:
            yield _found("profile-contradicts", path)
            new = True
            continue
        if profile.id in seen:
            yield _found("profile-twice", path)
        seen.add(profile.id)
        held = ground.held.get((profile.id, profile.version))
        new = new or held is None
        if held is not None and held != profile:
            yield _found("profile-altered", path)
        yield from _about(profile, path, ground)
        if held is None:
            yield from _against_the_newest(profile, path, ground)
    if not new:
        yield nothing_new()


def _about(profile: Profile, path: Path, ground: ProfileGround) -> Iterator[LintFinding]:
    for place, mapping in enumerate(profile.types):
        if mapping.type not in ground.types:
            yield _found("licence-type-unknown", (*path, "types", place, "type"))
    if profile.default_type is not None and profile.default_type not in ground.types:
        yield _found("licence-type-unknown", (*path, "default_type"))
    for member, codes in (
        ("further_issuers", profile.further_issuers),
        ("legacy_types", profile.legacy_types),
    ):
        for code in codes:
            if code not in ground.departments:
                yield _found("department-unknown", (*path, member, code))
    for code, types in profile.legacy_types.items():
        for place, type_ in enumerate(types):
            if type_ not in ground.types:
                yield _found("licence-type-unknown", (*path, "legacy_types", code, place))


def _against_the_newest(profile: Profile, path: Path, ground: ProfileGround) -> Iterator[LintFinding]:
    before = [one for key, one in sorted(ground.held.items()) if key[0] == profile.id]
    if before and profile.version <= before[-1].version:
        yield _found("profile-backwards", (*path, "version"))
    if before and profile.trust < before[-1].trust:
        yield _found("profile-trust-raised", (*path, "trust"))
    if profile.identifiers == "compose" and not (before and before[-1].identifiers == "compose"):
        yield _found("profile-identifiers-composed", (*path, "identifiers"))


def _found(code: str, path: Sequence[str | int]) -> LintFinding:
    zh, en = SENTENCES[code]
    return LintFinding(code, pointer(path), zh, en, code not in WARNINGS)
