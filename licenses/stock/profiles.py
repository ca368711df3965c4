# SPDX-License-Identifier: Apache-2.0
"""How a source spells what we hold: mapping profiles, data that are checked when they are loaded.

A profile is a file in ``data/profiles`` that follows ``data/profile.schema.json``; another source is another
file, no code. Codes of types and of holders' codes are mapped as pairs of scheme and code: a bare code means
different things to different suppliers.
"""

import datetime as dt
import enum
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cases.identifiers import SCHEMES, is_uscc
from licenses.catalogue import TypeCatalogue
from licenses.errors import CatalogueError, ProfileUnknownError
from licenses.stock.dates import DateForm
from licenses.stock.folding import folded_number
from storage.adopting import Adopting, LookUp
from storage.ledger.canonical import canonical

DATA: Final = Path(__file__).parents[1] / "data" / "profiles"
SCHEMA: Final = DATA.with_name("profiles.schema.json")
VERSION: Final = "2026-11"
"""Name of the edition that comes with the product."""
_VERSION: Final = r"^[0-9]{4}-[0-9]{2}([.-][0-9A-Za-z]{1,10})?$"
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Item(enum.StrEnum):
    """What a record says, whatever its source calls it."""

    NAME = "name"
    TYPE_CODE = "type_code"
    TYPE_NAME = "type_name"
    NUMBER = "number"
    IDENTIFIER = "identifier"
    ISSUER_NAME = "issuer_name"
    ISSUER_CODE = "issuer_code"
    ISSUED_ON = "issued_on"
    HOLDER_NAME = "holder_name"
    HOLDER_CODE = "holder_code"
    HOLDER_SCHEME = "holder_scheme"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"
    VALIDITY = "validity"
    STATUS = "status"
    OPERATION = "operation"
    OPERATED_ON = "operated_on"
    ADDRESS = "address"


NEEDED = frozenset({Item.NUMBER, Item.HOLDER_NAME, Item.HOLDER_CODE, Item.ISSUER_NAME, Item.ISSUED_ON})
"""Without a column for each of these a file does not fit its profile."""


class SourceStatus(enum.StrEnum):
    """What a source's word for the status means; ``unknown`` is what no word means."""

    VALID = "valid"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Operation(enum.StrEnum):
    """What a source's word says was done with a record; it never takes the place of the status."""

    NEW = "new"
    CHANGE = "change"
    CANCEL = "cancel"


class Column(BaseModel):
    """The columns that may hold an item.

    Attributes:
        names: Spellings that are right.
        misspelt: Spellings met in the field that are wrong; recognised and reported.
    """

    model_config = _FROZEN
    names: tuple[str, ...] = Field(min_length=1)
    misspelt: tuple[str, ...] = ()


class TypeMapping(BaseModel):
    """A source's code of a type → ours."""

    model_config = _FROZEN
    scheme: str
    code: str
    type: str = Field(pattern=r"^[0-9A-Z]{21}$")


class HolderScheme(BaseModel):
    """A source's type of a holder's code → ours (GB/T 36903)."""

    model_config = _FROZEN
    scheme: str
    code: str
    means: str


class Excluded(BaseModel):
    """A record that is known to be bad: which, why, who says so, since when."""

    model_config = _FROZEN
    number: str = Field(min_length=1, max_length=80)
    reason: str = Field(min_length=1, max_length=200)
    author: str = Field(min_length=1, max_length=80)
    on: dt.date


class Extension(BaseModel):
    """Where a source puts face fields: columns with a prefix, a JSON object, or a JSON list of pairs.

    Attributes:
        key: By what a field is named there: technical name, key in embedded metadata, or Chinese name.
        aliases: Technical name → other names of the field there.
    """

    model_config = _FROZEN
    kind: Literal["prefix", "object", "list"]
    prefix: str = ""
    column: str = ""
    name: str = "name"
    value: str = "value"
    key: Literal["name", "pinyin", "zh"]
    aliases: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.prefix) != (self.kind == "prefix") or bool(self.column) == (self.kind == "prefix"):
            raise ValueError("a prefix for prefixed columns, a column for everything else")
        if _said_twice(self.aliases):
            raise ValueError("a name for two fields")
        return self

    @property
    def names(self) -> Mapping[str, str]:
        """Give the technical name for each other name."""
        return {name: field for field, names in self.aliases.items() for name in names}


class Several(BaseModel):
    """How several holders stand in one field."""

    model_config = _FROZEN
    separators: tuple[str, ...] = Field(min_length=1)


class Plausible(BaseModel):
    """By what names of authorities and addresses are told apart."""

    model_config = _FROZEN
    agency_endings: tuple[str, ...] = Field(min_length=1)
    address_signs: tuple[str, ...] = Field(min_length=1)


class Profile(BaseModel):
    """A source's spelling.

    Attributes:
        id: What commands and pages call it.
        trust: Level that its licences get; ``A`` is kept for what is issued here under a seal.
        columns: Item → columns.
        type_scheme: Scheme of the codes in the column of types.
        default_type: Our type, for a source that has one type and no column for it.
        types: Further codes of types; our own codes and their aliases are always known.
        holder_scheme: Scheme of the codes in the column of types of holders' codes.
        default_holder_scheme: The scheme of ours for a source without that column.
        status: Meaning → words for it; compared without outer blanks.
        assumed_status: Meaning for a source that has no column of the status; otherwise left out.
        operations: Meaning → words for what was done with a record, for a source that has a column of it.
        dates: Forms in which this source writes dates.
        open_ended: Words for a licence without a last day.
        identifiers: Whether a missing identifier is composed or the record quarantined.
        issuers: Credit code of an authority → its names, for a source without codes.
        further_issuers: Organisation → credit codes of authorities besides itself in whose name its records
            may be: those whose tasks it took over.
        legacy_types: Organisation → types that none of its items gives any more and of which it holds
            records.
    """

    model_config = _FROZEN
    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    version: str = Field(pattern=_VERSION)
    zh: str
    en: str
    trust: Literal["B", "C", "D"]
    columns: Mapping[Item, Column]
    type_scheme: str
    default_type: str | None = None
    types: tuple[TypeMapping, ...] = ()
    holder_scheme: str
    default_holder_scheme: str | None = None
    holder_schemes: tuple[HolderScheme, ...]
    status: Mapping[SourceStatus, tuple[str, ...]]
    assumed_status: SourceStatus | None = None
    operations: Mapping[Operation, tuple[str, ...]] = Field(default_factory=dict)
    dates: tuple[DateForm, ...]
    open_ended: tuple[str, ...] = ()
    identifiers: Literal["compose", "required"] = "required"
    issuers: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    further_issuers: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    legacy_types: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    extension: Extension | None = None
    several: Several
    plausible: Plausible
    excluded: tuple[Excluded, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if missing := NEEDED - set(self.columns):
            raise ValueError(f"no column for {min(missing)}")
        if any(one.means not in SCHEMES for one in self.holder_schemes):
            raise ValueError("a holder's scheme that we do not have")
        if self.default_holder_scheme is not None and self.default_holder_scheme not in SCHEMES:
            raise ValueError("a holder's scheme that we do not have")
        if not all(is_uscc(code) for codes in self.further_issuers.values() for code in codes):
            raise ValueError("a further issuer without a valid credit code")
        for rows in (self.types, self.holder_schemes):
            pairs = [(one.scheme, one.code) for one in rows]
            if len(set(pairs)) != len(pairs):
                raise ValueError("a pair of scheme and code twice")
        names = [name for column in self.columns.values() for name in (*column.names, *column.misspelt)]
        if len(set(names)) != len(names):
            raise ValueError("a column for two items")
        if _said_twice(self.status) or _said_twice(self.issuers) or _said_twice(self.operations):
            raise ValueError("a word that means two things")
        return self

    @property
    def label(self) -> str:
        """Name and version, as runs keep them."""
        return f"{self.id}/{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says, by which a run knows it again."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()

    @property
    def status_words(self) -> Mapping[str, SourceStatus]:
        """Give the meaning of each word for the status."""
        return {word: meaning for meaning, words in self.status.items() for word in words}

    @property
    def operation_words(self) -> Mapping[str, Operation]:
        """Give the meaning of each word for what was done with a record."""
        return {word: meaning for meaning, words in self.operations.items() for word in words}

    @property
    def issuer_names(self) -> Mapping[str, str]:
        """Give the credit code for each name of an authority."""
        return {name: code for code, names in self.issuers.items() for name in names}

    def excluded_numbers(self) -> Mapping[str, Excluded]:
        """Give the exclusions by folded number."""
        return {folded_number(one.number): one for one in self.excluded}

    def our_types(self, catalogue: TypeCatalogue) -> Mapping[tuple[str, str], str]:
        """Give our type for each pair of scheme and code that is known.

        Raises:
            CatalogueError: The profile maps to a type that the catalogue does not hold.
        """
        aliases = [(alias, kind.code) for kind in catalogue.all() for alias in kind.aliases]
        known = {(alias.scheme, alias.code): code for alias, code in aliases}
        known |= {(self.type_scheme, kind.code): kind.code for kind in catalogue.all()}
        known |= {(one.scheme, one.code): one.type for one in self.types}
        legacy = (code for codes in self.legacy_types.values() for code in codes)
        wanted = {*known.values(), *legacy, *filter(None, [self.default_type])}
        if any(code not in catalogue for code in wanted):
            raise CatalogueError(file=f"{self.id}.json", place="types", rule="type-unknown")
        return known


def _said_twice(words: Mapping[Any, Sequence[str]]) -> bool:
    every = [word for some in words.values() for word in some]
    return len(set(every)) != len(every)


class ProfilesDocument(BaseModel):
    """An edition of mapping profiles: those that are new or have a new version."""

    model_config = _FROZEN
    version: str = Field(pattern=_VERSION)
    profiles: tuple[Profile, ...] = Field(min_length=1, max_length=100)


class ProfileBook(Adopting[Profile]):
    """The profiles that there are: what came with the product, and what two persons agreed on since.

    Safe between threads. A version that is held stays as it is; the newest one of each reads new files.

    Args:
        profiles: What it begins with.
        look_up: Asks for approved editions, every few seconds at most.
    """

    parts: ClassVar[str] = "mapping profiles"

    def __init__(self, profiles: Iterable[Profile], look_up: LookUp[Profile] | None = None) -> None:
        super().__init__(look_up)
        self._held: Mapping[tuple[str, str], Profile] = {}
        self._newest: Mapping[str, Profile] = {}
        self.adopt(profiles)

    def get(self, profile_id: str) -> Profile:
        """Give a profile in its newest version; newer ones are asked for each time.

        Raises:
            ProfileUnknownError: There is none with this id.
        """
        self.refresh()
        try:
            return self._newest[profile_id]
        except KeyError:
            raise ProfileUnknownError from None

    def all(self) -> tuple[Profile, ...]:
        """Give the newest version of every profile, by id."""
        self.freshen()
        newest = self._newest
        return tuple(newest[key] for key in sorted(newest))

    @property
    def held(self) -> Mapping[tuple[str, str], Profile]:
        """Every version of every profile that is held now, by id and version."""
        return self._held

    @staticmethod
    def load(look_up: LookUp[Profile] | None = None) -> "ProfileBook":
        """Begin with the profiles that come with the product.

        Raises:
            CatalogueError: A file breaks the rules; ``facts`` name it.
        """
        return ProfileBook(_shipped(), look_up)

    def _hold(self, parts: Iterable[Profile]) -> tuple[Profile, ...]:
        held = dict(self._held)
        refused = [one for one in parts if held.setdefault((one.id, one.version), one) != one]
        self._held, self._newest = held, {held[key].id: held[key] for key in sorted(held)}
        return tuple(refused)


def _files() -> Sequence[Path]:
    return sorted(DATA.glob("*.json"))


@cache
def _shipped() -> tuple[Profile, ...]:
    return tuple(read_profile(file.read_bytes(), file.name) for file in _files())


def shipped_profiles() -> dict[str, Any]:
    """Give what is shipped as one document: what somebody who proposes an edition begins with."""
    return {"version": VERSION, "profiles": [json.loads(file.read_bytes()) for file in _files()]}


def read_profiles(document: Mapping[str, Any]) -> tuple[Profile, ...]:
    """Read the profiles of a document that follows ``profiles.schema.json`` and passed the lint."""
    return tuple(read_profile(json.dumps(entry).encode(), "profile") for entry in document["profiles"])


def read_profile(data: bytes, name: str) -> Profile:
    """Read one profile.

    Raises:
        CatalogueError: It breaks a rule; ``facts`` name the file and the first place.
    """
    try:
        return Profile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "profile"
        raise CatalogueError(file=name, place=place, rule=first["type"]) from None
