# SPDX-License-Identifier: Apache-2.0
"""Reads a call in a dialect into canonical elements, strictly: what no profile names is refused.

A key in a call is refused unread, whatever it is called: keys travel in the ``Authorization`` header only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cases.errors import HolderCodeError
from cases.identifiers import ORGANISATION_SCHEMES, SCHEMES, is_plain
from licenses.catalogue import TypeCatalogue
from licenses.definition import LicenseType, TypeState
from licenses.errors import UnknownTypeError
from licenses.facades.errors import FacadeCallError
from licenses.facades.profiles import DEMANDED, Element, Facade, Place, RequestField, Result, Service
from licenses.purposes import purposes
from licenses.relations import exact_code

LONGEST: Final = 200
"""Characters of an element; a purpose may be so long, too."""
_KEYLIKE: Final = ("token", "secret", "passw", "digest", "appkey", "app_key", "signature")
_MOST_STATED: Final = 40


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was meant.

    Attributes:
        said: What it says, by element; the holder's scheme and the purpose are ours already.
        stated: What it states of a licence, by canonical item.
        file: The file that it sends, in base64.
        kind: The licence type that it names.
    """

    said: Mapping[Element, str]
    stated: Mapping[str, str]
    file: str = ""
    kind: LicenseType | None = None


def read_call(facade: Facade, service: Service, body: object, types: TypeCatalogue) -> Call:
    """Read the body of a call.

    Raises:
        FacadeCallError: Something is missing, unknown or wrong.
    """
    if not isinstance(body, dict) or not set(body) <= set(Place):
        raise FacadeCallError(Result.VALUE_WRONG)
    parts = {place: body.get(place, {}) for place in Place}
    if not all(isinstance(part, dict) for part in parts.values()):
        raise FacadeCallError(Result.VALUE_WRONG)
    _refuse_keys(facade, [name for part in parts.values() for name in part])
    fields = facade.fields_of(service)
    _refuse_unknown(facade, fields, parts)
    raw = {field.element: parts[field.place][field.name] for field in fields if _has(parts, field)}
    for element in DEMANDED[service]:
        if element not in raw:
            raise FacadeCallError(Result.EMPTY, _name(facade, element))
    file = raw.pop(Element.FILE, "")
    stated = raw.pop(Element.STATED, {})
    if not isinstance(file, str):
        raise FacadeCallError(Result.VALUE_WRONG, _name(facade, Element.FILE))
    said = {element: _text(facade, element, value) for element, value in raw.items()}
    said = _meant(facade, said)
    return Call(said, _stated(facade, stated) | _flat(said), file, _kind(facade, said, service, types))


def _has(parts: Mapping[Place, Mapping[str, Any]], field: RequestField) -> bool:
    return parts[field.place].get(field.name) not in (None, "")


def _name(facade: Facade, element: Element) -> str:
    field = facade.field(element)
    return field.name if field is not None else ""


def _refuse_keys(facade: Facade, names: Iterable[str]) -> None:
    secrets = {name.lower() for name in facade.secrets}
    for name in names:
        low = name.lower()
        if low in secrets or any(part in low for part in _KEYLIKE):
            raise FacadeCallError(Result.NOT_AUTHENTICATED, "Authorization")


def _refuse_unknown(
    facade: Facade, fields: Iterable[RequestField], parts: Mapping[Place, Mapping[str, Any]]
) -> None:
    known = {(field.place, field.name) for field in fields}
    for place, part in parts.items():
        if any((place, name) not in known and name not in facade.ignored for name in part):
            raise FacadeCallError(Result.VALUE_WRONG)


def _text(facade: Facade, element: Element, value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST or not is_plain(value):
        raise FacadeCallError(Result.VALUE_WRONG, _name(facade, element))
    return value


def _meant(facade: Facade, said: dict[Element, str]) -> dict[Element, str]:
    """Put our scheme and our purpose in the place of the dialect's words."""
    made = dict(said)
    if Element.PURPOSE in said:
        made[Element.PURPOSE] = _purpose(facade, said[Element.PURPOSE])
    if Element.HOLDER_SCHEME in said:
        scheme = facade.holder_schemes.get(said[Element.HOLDER_SCHEME], said[Element.HOLDER_SCHEME])
        if scheme not in SCHEMES:
            raise FacadeCallError(Result.HOLDER_SCHEME_WRONG, _name(facade, Element.HOLDER_SCHEME))
        made[Element.HOLDER_SCHEME] = scheme
        if Element.HOLDER_CODE in said:
            where = _name(facade, Element.HOLDER_CODE)
            try:
                normal = exact_code(scheme, said[Element.HOLDER_CODE])
            except HolderCodeError:
                raise FacadeCallError(Result.VALUE_WRONG, where) from None
            made[Element.HOLDER_SCHEME], made[Element.HOLDER_CODE] = normal.scheme, normal.code
    return made


def _purpose(facade: Facade, words: str) -> str:
    """Give the published purpose that somebody's words name, alone or before a colon.

    What stands after the colon is for the caller's own papers and is not kept.
    """
    known = {code: code for code in purposes()} | {one.zh: code for code, one in purposes().items()}
    known |= dict(facade.purposes)
    named = words.replace(":", "：").partition("：")[0].strip()
    if known.get(named) not in purposes():
        raise FacadeCallError(Result.VALUE_WRONG, _name(facade, Element.PURPOSE))
    return known[named]


def _kind(
    facade: Facade, said: Mapping[Element, str], service: Service, types: TypeCatalogue
) -> LicenseType | None:
    """Give the type that is named; the catalogue is public, so a wrong one is said to be wrong."""
    if Element.TYPE_CODE not in said or service is Service.VERIFY_INFORMATION:
        return None
    name = _name(facade, Element.TYPE_CODE)
    try:
        kind = types.get(said[Element.TYPE_CODE])
    except UnknownTypeError:
        raise FacadeCallError(Result.TYPE_MISSING, name) from None
    if kind.state is TypeState.UNPUBLISHED:
        raise FacadeCallError(Result.TYPE_MISSING, name)
    scheme = said.get(Element.HOLDER_SCHEME)
    if scheme is not None and scheme in ORGANISATION_SCHEMES and kind.holder_kind == "person":
        raise FacadeCallError(Result.SCHEME_NOT_ALLOWED, _name(facade, Element.HOLDER_SCHEME))
    return kind


def _stated(facade: Facade, stated: object) -> dict[str, str]:
    """Give canonical items of the object with which a caller states a licence."""
    items = {name: item for item, name in facade.data.spelled().items()}
    if not isinstance(stated, dict) or len(stated) > _MOST_STATED or not set(stated) <= set(items):
        raise FacadeCallError(Result.VALUE_WRONG, _name(facade, Element.STATED))
    for value in stated.values():
        _text(facade, Element.STATED, value)
    return {items[name]: value for name, value in stated.items()}


def _flat(said: Mapping[Element, str]) -> dict[str, str]:
    """Give what is stated of a licence outside that object."""
    named = (
        Element.IDENTIFIER,
        Element.HOLDER_SCHEME,
        Element.HOLDER_CODE,
        Element.TYPE_CODE,
        Element.NUMBER,
    )
    return {str(element): said[element] for element in named if element in said}
