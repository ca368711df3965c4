# SPDX-License-Identifier: Apache-2.0
"""How answers stand in the interface description: an example each, and the schema that follows from it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Described: TypeAlias = dict[str, str | dict[str, dict[str, Any]]]


def by_status(described: Mapping[int, Described]) -> dict[int | str, Described]:
    """Give answers by status, in the shape that the library takes."""
    return dict(described.items())


def schema_of(example: object) -> dict[str, Any]:
    """Give the JSON schema of an example: the same members, the same types; ``None`` may be anything."""
    if isinstance(example, dict):
        return {
            "type": "object",
            "required": sorted(example),
            "properties": {name: schema_of(value) for name, value in example.items()},
        }
    if isinstance(example, list):
        return {"type": "array", "items": schema_of(example[0]) if example else {}}
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": names[type(example)]} if type(example) in names else {}


def answers(description: str, example: dict[str, Any]) -> Described:
    """Describe an answer in JSON by its example.

    Args:
        description: What the answer is.
        example: One that could have been given.
    """
    content = {"application/json": {"schema": schema_of(example), "example": example}}
    return {"description": description, "content": content}


def text(description: str, media_type: str, example: str) -> Described:
    """Describe an answer that is a text of its own format."""
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {"description": description, "content": content}


def binary(description: str, media_type: str) -> Described:
    """Describe an answer that is bytes."""
    content = {media_type: {"schema": {"type": "string", "contentMediaType": media_type}}}
    return {"description": description, "content": content}
