# SPDX-License-Identifier: Apache-2.0
"""What a licence states in the place of one of another type (多证合一), in the fields of that type.

A type says so of itself (``covers``); a licence does as its type did when it was issued.
"""

from collections.abc import Collection, Iterable

from licenses.definition import Cover, LicenseType
from licenses.faces import Face, FaceValue


def covering(types: Iterable[LicenseType], wanted: Collection[str]) -> frozenset[str]:
    """Give the codes of the types that cover one of those wanted."""
    return frozenset(kind.code for kind in types if any(cover.type in wanted for cover in kind.covers))


def face_as(kind: LicenseType, cover: Cover, other: LicenseType, face: Face) -> dict[str, FaceValue]:
    """Give what a licence states of a type that it covers, under the names of that type's fields.

    Args:
        kind: The licence's own type.
        cover: What it says of the other type.
        other: The other type; its fields that are filled from holder, issuer, number or dates are those of
            the licence itself, without being named.
        face: The licence's face.
    """
    own = {field.source: field.name for field in kind.fields if field.source is not None}
    names = {field.name: own[field.source] for field in other.fields if field.source in own}
    names |= dict(cover.fields)
    return {theirs: face[ours] for theirs, ours in names.items() if ours in face}
