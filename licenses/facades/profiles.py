# SPDX-License-Identifier: Apache-2.0
"""How a sharing interface spells calls and answers: façade profiles 接口方言, data checked when loaded.

A profile is a file in ``data/facades`` that follows ``data/facade.schema.json``; another dialect is another
file, no code. It says how things are called, never who may: what a service demands is fixed here, so no
profile can leave it out.
"""

import enum
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cases.identifiers import SCHEMES
from licenses.errors import CatalogueError
from licenses.metadata import metadata_table
from licenses.purposes import purposes

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_OURS: Final = ("/api/", "/.well-known/")
_MEMBER = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"


class Service(enum.StrEnum):
    """What a façade can offer."""

    TYPES = "types"
    DATA_BY_HOLDER = "data-by-holder"
    DATA_BY_IDENTIFIER = "data-by-identifier"
    FILE_BY_HOLDER = "file-by-holder"
    FILE_BY_IDENTIFIER = "file-by-identifier"
    VERIFY_INFORMATION = "verify-information"
    VERIFY_FILE = "verify-file"


class Element(enum.StrEnum):
    """What a call says, whatever a dialect calls it; the first five are the five elements 五要素."""

    ORGANISATION_NAME = "organisation_name"
    OPERATOR = "operator"
    ITEM_NAME = "item_name"
    ITEM_CODE = "item_code"
    CASE = "case"
    PURPOSE = "purpose"
    HOLDER_SCHEME = "holder_scheme"
    HOLDER_CODE = "holder_code"
    TYPE_CODE = "type_code"
    NUMBER = "number"
    IDENTIFIER = "identifier"
    STATED = "stated"
    FILE = "file"


FIVE: Final = (
    Element.ORGANISATION_NAME,
    Element.OPERATOR,
    Element.ITEM_NAME,
    Element.ITEM_CODE,
    Element.CASE,
)
_ON_CASE: Final = (*FIVE, Element.PURPOSE)
_OF_HOLDER: Final = (*_ON_CASE, Element.HOLDER_SCHEME, Element.HOLDER_CODE, Element.TYPE_CODE)
DEMANDED: Final[Mapping[Service, tuple[Element, ...]]] = {
    Service.TYPES: (),
    Service.DATA_BY_HOLDER: _OF_HOLDER,
    Service.DATA_BY_IDENTIFIER: (*_ON_CASE, Element.IDENTIFIER),
    Service.FILE_BY_HOLDER: _OF_HOLDER,
    Service.FILE_BY_IDENTIFIER: (*_ON_CASE, Element.IDENTIFIER),
    Service.VERIFY_INFORMATION: (Element.PURPOSE, Element.IDENTIFIER),
    Service.VERIFY_FILE: (Element.PURPOSE, Element.FILE),
}
"""What a call of each service must say."""
TAKEN: Final[Mapping[Service, tuple[Element, ...]]] = {
    Service.TYPES: (Element.TYPE_CODE,),
    Service.DATA_BY_HOLDER: (Element.NUMBER,),
    Service.DATA_BY_IDENTIFIER: (),
    Service.FILE_BY_HOLDER: (Element.NUMBER,),
    Service.FILE_BY_IDENTIFIER: (),
    Service.VERIFY_INFORMATION: (
        Element.HOLDER_SCHEME,
        Element.HOLDER_CODE,
        Element.TYPE_CODE,
        Element.NUMBER,
        Element.STATED,
    ),
    Service.VERIFY_FILE: (),
}
"""What it may say besides."""
ON_CASE: Final = frozenset(one for one, demanded in DEMANDED.items() if Element.CASE in demanded)
"""Services that give something of a holder: on an open case only."""


class Result(enum.StrEnum):
    """How a call ended; a dialect has its own code and words for each."""

    OK = "ok"
    BEING_MADE = "being-made"
    NOT_OFFERED = "not-offered"
    NO_MATCH = "no-match"
    NOT_AUTHENTICATED = "not-authenticated"
    EMPTY = "empty"
    TYPE_MISSING = "type-missing"
    HOLDER_SCHEME_WRONG = "holder-scheme-wrong"
    ENDED = "ended"
    EXPIRED = "expired"
    RESTRICTED = "restricted"
    NOT_PERMITTED = "not-permitted"
    TYPE_NOT_PERMITTED = "type-not-permitted"
    VALUE_WRONG = "value-wrong"
    SCHEME_NOT_ALLOWED = "scheme-not-allowed"
    OTHER = "other"


class Place(enum.StrEnum):
    """In which part of a call something stands."""

    HEAD = "head"
    DATA = "data"


class RequestField(BaseModel):
    """Where a call says an element, and under which name."""

    model_config = _FROZEN
    element: Element
    place: Place
    name: str = Field(pattern=_MEMBER)


class ServicePath(BaseModel):
    """The address of a service."""

    model_config = _FROZEN
    service: Service
    path: str = Field(pattern=r"^/[A-Za-z][A-Za-z0-9/._-]{1,99}$")
    zh: str
    en: str


class ReturnCode(BaseModel):
    """A dialect's code for a result, and its words."""

    model_config = _FROZEN
    code: int | str
    zh: str = Field(min_length=1, max_length=80)
    en: str = Field(min_length=1, max_length=80)


class AnswerHead(BaseModel):
    """Names in the head of an answer; ``request`` carries the number under which the call is found again."""

    model_config = _FROZEN
    code: str = Field(pattern=_MEMBER)
    message: str = Field(pattern=_MEMBER)
    request: str = Field(pattern=_MEMBER)


class AnswerData(BaseModel):
    """How a licence is spelled in an answer.

    Attributes:
        spelling: ``api``: items are called as ``data/metadata.json`` says unless ``names`` says otherwise;
            ``own``: items that ``names`` does not have are left out.
        names: Canonical item → name.
        face: Name of the face.
        face_form: A ``list`` of name, value, type and column, or an ``object`` by column.
        result: Name of a verification's result.
        words: Name of its words.
        file: Name of a file's bytes, in base64.
    """

    model_config = _FROZEN
    spelling: Literal["api", "own"]
    names: Mapping[str, str] = Field(default_factory=dict)
    face: str = Field(pattern=_MEMBER)
    face_form: Literal["list", "object"]
    result: str = Field(pattern=_MEMBER)
    words: str = Field(pattern=_MEMBER)
    file: str = Field(pattern=_MEMBER)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if unknown := set(self.names) - ANSWERED:
            raise ValueError(f"no item {min(unknown)}")
        values = list(self.spelled().values())
        if len(set(values)) != len(values):
            raise ValueError("a name for two items")
        return self

    def spelled(self) -> Mapping[str, str]:
        """Give the name of every item that is told."""
        own = self.spelling == "own"
        table = {} if own else {row.item: row.api for row in metadata_table().items if row.api}
        return table | dict(self.names)


_BESIDES: Final = frozenset({"status", "ministry_status", "pending", "trust", "version"})
ANSWERED: Final = frozenset(row.item for row in metadata_table().items) | _BESIDES
"""Canonical items that an answer may tell."""


class Facade(BaseModel):
    """A dialect.

    Attributes:
        id: What documents and operation ids call it.
        basis: Where its spelling comes from, and how sure that is.
        ignored: Members of the head that callers send and nobody needs.
        secrets: Members that would carry a key: a call that has one is refused, unread.
        purposes: What its callers write → code of a published purpose; our codes and titles always hold.
        holder_schemes: What its callers write → scheme of ours; our schemes always hold.
        codes: Code and words for every result.
    """

    model_config = _FROZEN
    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    version: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}$")
    zh: str
    en: str
    basis: str
    services: tuple[ServicePath, ...] = Field(min_length=1)
    fields: tuple[RequestField, ...]
    ignored: tuple[str, ...] = ()
    secrets: tuple[str, ...] = Field(min_length=1)
    purposes: Mapping[str, str] = Field(default_factory=dict)
    holder_schemes: Mapping[str, str] = Field(default_factory=dict)
    codes: Mapping[Result, ReturnCode]
    head: AnswerHead
    data: AnswerData

    @model_validator(mode="after")
    def _check(self) -> Self:
        if missing := set(Result) - set(self.codes):
            raise ValueError(f"no code for {min(missing)}")
        said = {field.element for field in self.fields}
        needed = {element for one in self.services for element in DEMANDED[one.service]}
        if missing_elements := needed - said:
            raise ValueError(f"no field for {min(missing_elements)}")
        if len(said) != len(self.fields):
            raise ValueError("an element twice")
        names = [field.name for field in self.fields] + [*self.ignored, *self.secrets]
        if len({name.lower() for name in names}) != len(names):
            raise ValueError("a name twice")
        if any(scheme not in SCHEMES for scheme in self.holder_schemes.values()):
            raise ValueError("a holder's scheme that we do not have")
        if not set(self.purposes.values()) <= set(purposes()):
            raise ValueError("a purpose that is not published")
        if any(one.path.startswith(_OURS) for one in self.services):
            raise ValueError("an address of ours")
        return self

    def field(self, element: Element) -> RequestField | None:
        """Give where a call says an element."""
        return next((field for field in self.fields if field.element is element), None)

    def fields_of(self, service: Service) -> tuple[RequestField, ...]:
        """Give the fields that a call of a service may have."""
        known = {*DEMANDED[service], *TAKEN[service]}
        return tuple(one for one in self.fields if one.element in known or one.element in _ON_CASE)


def check_paths(facades: Iterable[Facade]) -> None:
    """Refuse profiles that claim the same address.

    Raises:
        CatalogueError: Two do.
    """
    paths = [one.path for facade in facades for one in facade.services]
    if len(set(paths)) != len(paths):
        raise CatalogueError(place="services", rule="path-twice")


@cache
def facades() -> tuple[Facade, ...]:
    """Read the profiles that come with the product, by id.

    Raises:
        CatalogueError: A file breaks the rules; ``facts`` name it.
    """
    folder = resources.files("licenses").joinpath("data/facades")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    read = tuple(read_facade(file.read_bytes(), file.name) for file in files)
    check_paths(read)
    return read


def read_facade(data: bytes, name: str) -> Facade:
    """Read one profile.

    Raises:
        CatalogueError: It breaks a rule; ``facts`` name the file and the first place.
    """
    try:
        return Facade.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "facade"
        raise CatalogueError(file=name, place=place, rule=first["type"]) from None
