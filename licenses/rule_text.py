# SPDX-License-Identifier: Apache-2.0
"""How the text of a rule is read: YAML without anything that two readers could read in two ways.

Plain mappings, lists, texts, whole numbers, ``true``, ``false`` and ``null``; every JSON document of these is
one as well. A key twice, an anchor, a tag or a fraction is refused; a bare word that YAML 1.1 would take for
a truth value or a date stays the text that it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

import yaml
from yaml.events import AliasEvent, NodeEvent
from yaml.nodes import MappingNode, Node, SequenceNode

from cases.text_places import Place, pointer
from storage.ledger.canonical import Json, canonical

MOST_BYTES: Final = 256 * 1024


class _Reader(yaml.SafeLoader):
    """Reads the plain part of YAML."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        found = super().construct_mapping(node, deep=deep)
        if len(found) != len(node.value) or not all(isinstance(key, str) for key in found):
            raise ValueError("a key twice, or one that is no text")
        return found

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - as the library has it
        event = self.peek_event()  # type: ignore[no-untyped-call] # the library states no types here
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise ValueError("an anchor")
        return super().compose_node(parent, index)


def _refuse(_reader: object, _node: object) -> NoReturn:
    raise ValueError("neither text nor whole number")


_Reader.yaml_implicit_resolvers = {}
# What no resolver knows stays text: dates, versions, yes and no.
for _tag, _form, _first in (
    ("null", r"^(null|~|)$", ["n", "~", ""]),
    ("bool", r"^(true|false)$", ["t", "f"]),
    ("int", r"^(0|-?[1-9][0-9]{0,14})$", list("-0123456789")),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Reader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_form), _first)
_Reader.add_constructor("tag:yaml.org,2002:float", _refuse)


def read_text(data: bytes) -> Json:
    """Read a document.

    Raises:
        ValueError: It is none, or too large, too deep or not plain.
    """
    if not 1 <= len(data) <= MOST_BYTES:
        raise ValueError("size")
    try:
        read: Json = yaml.load(data.decode(), _Reader)  # noqa: S506 - a safe loader, narrowed further
        canonical(read)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise ValueError("no plain YAML") from error
    return read


def places_in_yaml(data: bytes) -> Mapping[str, Place]:
    """Give where each value of a document begins that :func:`read_text` read, by its JSON pointer."""
    node = yaml.compose(data.decode(), _Reader)
    return {} if node is None else dict(_places(node, ""))


def _places(node: Node, path: str) -> Iterator[tuple[str, Place]]:
    yield path, Place(node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, MappingNode):
        for name, value in node.value:
            yield from _places(value, path + pointer([name.value]))
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield from _places(value, f"{path}/{number}")
