# SPDX-License-Identifier: Apache-2.0
"""How answers stand in the interface description: an example each, and the schema that follows from it."""

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

Described: TypeAlias = dict[str, str | dict[str, dict[str, Any]]]


def by_status(described: Mapping[int, Described]) -> dict[int | str, Described]:
    """Give answers by status, in the shape that the library takes."""
    return dict(described.items())


def schema_of(example: object, nullable: Collection[str] = (), free: Collection[str] = ()) -> dict[str, Any]:
    """Give the JSON schema of an example: the same members, the same types; ``None`` may be anything.

    Args:
        example: The example.
        nullable: Names of members, at any depth, that may be ``null`` although the example has a value.
        free: Names of members, at any depth, whose own members are others in each answer.
    """
    if isinstance(example, dict):
        members: dict[str, dict[str, Any]] = {
            name: {"type": "object"} if name in free else schema_of(value, nullable, free)
            for name, value in example.items()
        }
        for name in members.keys() & set(nullable):
            members[name]["type"] = [members[name]["type"], "null"]
        return {"type": "object", "required": sorted(example), "properties": members}
    if isinstance(example, list):
        return {"type": "array", "items": schema_of(example[0], nullable, free) if example else {}}
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": names[type(example)]} if type(example) in names else {}


def answers(
    description: str,
    example: dict[str, Any],
    nullable: Collection[str] = (),
    free: Collection[str] = (),
) -> Described:
    """Describe an answer in JSON by its example.

    Args:
        description: What the answer is.
        example: One that could have been given.
        nullable: See :func:`schema_of`.
        free: See :func:`schema_of`.
    """
    content = {"application/json": {"schema": schema_of(example, nullable, free), "example": example}}
    return {"description": description, "content": content}


def text(description: str, media_type: str, example: str) -> Described:
    """Describe an answer that is a text of its own format."""
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {"description": description, "content": content}


def binary(description: str, media_type: str) -> Described:
    """Describe an answer that is bytes."""
    content = {media_type: {"schema": {"type": "string", "contentMediaType": media_type}}}
    return {"description": description, "content": content}
