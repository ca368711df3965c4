# SPDX-License-Identifier: Apache-2.0
"""Which features of browsers our style sheets, scripts and pages use, and which a given Chromium lacks.

Style sheets are parsed. Of scripts the names of interfaces and members are read, not the syntax: a name is
held to be too new when every interface that has it is. What stands inside ``@supports`` is looked at, too:
a page must not need a newer browser to look as it should.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import tinycss2
from tinycss2.ast import AtRule, Declaration, Node, QualifiedRule

_NEVER: Final = 10_000
_OTHERS: Final = ("--", "-moz-", "-ms-", "-o-", "-webkit-")
"""Custom properties are everybody's own; what bears a maker's prefix is old, or another browser's."""
_RULES_INSIDE: Final = frozenset({"media", "supports", "layer", "container", "scope", "starting-style"})
_UNITS: Final = (
    (re.compile(r"d(vw|vh|vi|vb|vmin|vmax)"), "viewport_percentage_units_dynamic"),
    (re.compile(r"[sl](vw|vh|vi|vb|vmin|vmax)"), "viewport_percentage_units_small"),
    (re.compile(r"cq(w|h|i|b|min|max)"), "container_query_length_units"),
)


@dataclass(frozen=True, slots=True, order=True)
class Used:
    """A feature that a file uses.

    Attributes:
        line: Where.
        what: What, as a person would write it.
        since: The Chromium version that has it.
    """

    line: int
    what: str
    since: int

    def __str__(self) -> str:
        since = "never" if self.since == _NEVER else str(self.since)
        return f"{self.line}: {self.what} (Chromium {since})"


class Features:
    """The compatibility data of MDN.

    Args:
        path: The file ``data.json`` of ``@mdn/browser-compat-data``.
    """

    def __init__(self, path: Path) -> None:
        self._data: Mapping[str, Any] = json.loads(path.read_bytes())
        self._css: Mapping[str, Any] = self._data["css"]
        self._types = dict(_by_name(self._css["types"]))
        self._aliases = dict(_aliases(self._css["properties"]))
        self._names = _names_of_scripts(self._data)

    # -- style sheets --------------------------------------------------------------------------------

    def of_style(self, text: str) -> Iterator[Used]:
        """Give what a style sheet uses."""
        yield from self._rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))

    def _rules(self, nodes: Sequence[Node], inside: str = "") -> Iterator[Used]:
        for node in nodes:
            if isinstance(node, QualifiedRule):
                if inside == "rule":
                    yield self._css_feature(node, "nested rule", "selectors", "nesting")
                if inside != "keyframes":
                    yield from self._selectors(node.prelude)
                yield from self._rules(_block(node.content), "rule")
            elif isinstance(node, AtRule):
                yield from self._at_rule(node)
            elif isinstance(node, Declaration):
                yield from self._declaration(node, inside)

    def _at_rule(self, node: AtRule) -> Iterator[Used]:
        name = node.lower_at_keyword
        if name.startswith(_OTHERS):
            return
        yield self._css_feature(node, f"@{name}", "at-rules", name)
        if name == "media":
            yield from self._media(node.prelude)
        if node.content is None:
            return
        if name in _RULES_INSIDE:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            yield from self._rules(inner)
        elif name == "keyframes":
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            yield from self._rules(inner, "keyframes")
        else:
            yield from self._rules(_block(node.content), name)

    def _media(self, prelude: Iterable[Node]) -> Iterator[Used]:
        for token in prelude:
            if token.type == "ident" and token.lower_value == "or":
                yield self._css_feature(token, "“or” in @media", "at-rules", "media", "or_syntax")
            if token.type != "() block":
                continue
            for part in token.content:
                if part.type == "literal" and part.value in {"<", ">", "<=", ">=", "="}:
                    yield self._css_feature(part, "a range in @media", "at-rules", "media", "range_syntax")
            first = next((part for part in token.content if part.type == "ident"), None)
            if first is not None:
                name = re.sub(r"^(min|max)-", "", first.lower_value)
                yield self._css_feature(first, f"@media ({name})", "at-rules", "media", name)
            yield from self._media(token.content)

    def _selectors(self, prelude: Sequence[Node]) -> Iterator[Used]:
        for before, token in zip([None, *prelude], prelude, strict=False):
            if token.type == "literal" and token.value == "&":
                yield self._css_feature(token, "&", "selectors", "nesting")
            if before is not None and before.type == "literal" and before.value == ":":
                name = token.lower_name if token.type == "function" else getattr(token, "lower_value", "")
                if name and not name.startswith(_OTHERS):
                    yield self._css_feature(token, f":{name}", "selectors", name)
            if token.type == "function":
                yield from self._selectors(token.arguments)

    def _declaration(self, node: Declaration, inside: str) -> Iterator[Used]:
        name = node.lower_name
        if not name.startswith(_OTHERS):
            place = ("at-rules", inside) if name in self._at_rules(inside) else ("properties",)
            yield self._css_feature(node, name, *place, name)
        yield from self._values(node.value, name)

    def _at_rules(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._css["at-rules"].get(name, {})
        return found

    def _values(self, tokens: Iterable[Node], name: str) -> Iterator[Used]:
        known: Mapping[str, Any] = self._css["properties"].get(name, {})
        for token in tokens:
            if token.type == "ident" and token.lower_value in known:
                yield self._used(token, f"{name}: {token.lower_value}", known[token.lower_value])
            elif token.type == "dimension":
                unit = self._unit(token.lower_unit)
                if unit is not None:
                    yield self._used(token, f"the unit {token.lower_unit}", unit)
            elif token.type == "function":
                function = known.get(token.lower_name) or self._types.get(token.lower_name)
                if function is not None:
                    yield self._used(token, f"{token.lower_name}()", function)
                yield from self._values(token.arguments, name)
            elif token.type == "() block":
                yield from self._values(token.content, name)

    def _unit(self, unit: str) -> Mapping[str, Any] | None:
        lengths = self._css["types"]["length"]
        for shape, group in _UNITS:
            if shape.fullmatch(unit):
                unit = group
        found: Mapping[str, Any] | None = lengths.get(unit)
        return found

    def _css_feature(self, node: Node, what: str, *place: str) -> Used:
        found: Any = self._css
        for step in place:
            found = found.get(step, {})
        if "__compat" not in found:
            return Used(node.source_line, what, self._aliases.get(place[-1], _NEVER))
        return self._used(node, what, found)

    @staticmethod
    def _used(node: Node, what: str, found: Mapping[str, Any]) -> Used:
        return Used(node.source_line, what, _since(found))

    # -- pages ---------------------------------------------------------------------------------------

    def of_page(self, text: str) -> Iterator[Used]:
        """Give what a page's elements and attributes use; what a template fills in is left out."""
        # The level of a heading may be computed.
        text = re.sub(r"(</?h)\{\{.*?\}\}", r"\g<1>2", text)
        plain = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", re.sub(r"\{\{.*?\}\}", "x", text), flags=re.S)
        reader = _Elements()
        reader.feed(plain)
        html = self._data["html"]
        for line, tag, names in reader.found:
            element = html["elements"].get(tag)
            if element is None:
                if tag not in self._data["svg"]["elements"]:
                    yield Used(line, f"<{tag}>", _NEVER)
                continue
            yield Used(line, f"<{tag}>", _since(element))
            for name, value in names:
                known = html["global_attributes"].get(name) or element.get(name)
                kind = element.get(f"{name}_{value}")
                if known is not None and "__compat" in known:
                    yield Used(line, f"<{tag} {name}>", _since(known))
                if kind is not None and "__compat" in kind:
                    yield Used(line, f"<{tag} {name}={value}>", _since(kind))

    # -- scripts -------------------------------------------------------------------------------------

    def of_script(self, text: str) -> Iterator[Used]:
        """Give the names of interfaces and members that a script mentions."""
        plain = re.sub(
            r"/\*.*?\*/|(?<!:)//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", _blank, text, flags=re.S
        )
        for found in re.finditer(r"\.\s*([A-Za-z_]\w*)|\b([A-Z]\w+)\b", plain):
            name = found[1] or found[2]
            if name in self._names:
                yield Used(plain.count("\n", 0, found.start()) + 1, name, self._names[name])


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((self.getpos()[0], tag, attrs))


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _block(content: Sequence[Node]) -> Sequence[Node]:
    nodes: Sequence[Node] = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return nodes


def _since(found: Mapping[str, Any]) -> int:
    """Give the version from which Chromium has a feature by itself, without a flag and until today."""
    versions = [_version(one) for one in _stated(found) if "alternative_name" not in one]
    return min(versions, default=_NEVER)


def _stated(found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    stated = found.get("__compat", {}).get("support", {}).get("chrome", [])
    return stated if isinstance(stated, list) else [stated]


def _version(stated: Mapping[str, Any]) -> int:
    added = stated.get("version_added")
    if not isinstance(added, str) or added == "preview":
        return _NEVER
    if {"flags", "prefix", "version_removed"} & stated.keys():
        return _NEVER
    return int(added.removeprefix("≤").split(".")[0])


def _aliases(properties: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Give the other names of properties, and since when Chromium knows them."""
    for _, found in _by_name(properties):
        for stated in _stated(found):
            if "alternative_name" in stated:
                yield stated["alternative_name"], _version(stated)


def _by_name(tree: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, found in tree.items():
        if name != "__compat" and isinstance(found, Mapping):
            if "__compat" in found:
                yield name.lower(), found
            yield from _by_name(found)


def _names_of_scripts(data: Mapping[str, Any]) -> Mapping[str, int]:
    """Give the oldest version in which any interface of that name, or any member of that name, is there."""
    names: dict[str, int] = defaultdict(lambda: _NEVER)
    for tree in (data["api"], data["javascript"]["builtins"]):
        for interface, members in tree.items():
            names[interface] = min(names[interface], _since(members))
            for name, member in members.items():
                if name != "__compat":
                    short = name.removesuffix("_static")
                    names[short] = min(names[short], _since(member))
    return dict(names)
