# SPDX-License-Identifier: Apache-2.0
"""The facets of a search as a page shows them: titles instead of codes, what is chosen, how many hits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cases.organisations import organisations
from indexer.document import FACETS
from indexer.query import Count, Page
from licenses.lifecycle import Status, status_titles
from portal.i18n import choose, gettext, named
from portal.i18n import mark as _
from portal.web import context

_TITLES: Final[Mapping[str, str]] = {
    "kind": _("Kind"),
    "organisation": _("Department"),
    "item": _("Item"),
    "year": _("Year"),
    "state": _("State in the register"),
    "type": _("Licence type"),
}
_KINDS: Final[Mapping[str, str]] = {"dossier": _("Dossier"), "licence": _("Licence")}
_STATES: Final[Mapping[str, str]] = {
    "filed": _("Filed"),
    "original-only": _("Original only"),
    "issued": _("Issued"),
}
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet: code, title, hits with it, whether it is chosen."""

    code: str
    title: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet with the values that are shown at once and the others."""

    name: str
    title: str
    first: Sequence[Value]
    others: Sequence[Value]
    chosen: bool


def facets_of(page: Page, chosen: Mapping[str, str]) -> list[Facet]:
    """Give the facets of a page of hits, without those that tell nothing apart."""
    every = [_facet(name, page.facets.get(name, ()), chosen.get(name)) for name in FACETS]
    return [facet for facet in every if facet.chosen or len(facet.first) > 1]


def _facet(name: str, counts: Sequence[Count], chosen: str | None) -> Facet:
    values = [Value(one.value, title_of(name, one.value), one.hits, one.value == chosen) for one in counts]
    if name == "year":
        values.sort(key=lambda one: one.code, reverse=True)
    if chosen is not None and not any(one.chosen for one in values):
        values.insert(0, Value(chosen, title_of(name, chosen), 0, chosen=True))
    values.sort(key=lambda one: not one.chosen)
    return Facet(name, gettext(_TITLES[name]), values[:_SHOWN], values[_SHOWN:], chosen is not None)


def title_of(name: str, code: str) -> str:
    """Give the title of a value in the language of the page; the code where the data do not know it."""
    if name == "organisation":
        found = organisations().get(code)
        return choose(found.zh, found.en) if found else code
    if name == "item":
        editions = [one for one in context.rooms().items.current() if one.code == code]
        return named(max(editions, key=lambda one: one.edition)) if editions else code
    if name == "type":
        types = context.rooms().license_types
        return named(types.get(code)) if code in types else code
    if name == "state" and code in set(Status):
        title = status_titles()[Status(code)]
        return choose(title.zh, title.en)
    words = {"kind": _KINDS, "state": _STATES}.get(name, {})
    return gettext(words[code]) if code in words else code
