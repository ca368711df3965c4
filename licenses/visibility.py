# SPDX-License-Identifier: Apache-2.0
"""What of a use its holder sees, and from when on: delay 延后 and mask 隐去, by law and as data.

Everything that shows holders uses of what is held of them asks here, so page, interface and export agree.
A delay ends by itself, after a year at the latest; a mask never hides that there was a use, nor when. Neither
concerns supervision, which sees every use at once and whole.
"""

import datetime as dt
import enum
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import ColumnElement, and_, func, not_, true

from licenses.errors import CatalogueError
from licenses.models import LicenseUsage
from storage.clock import legal_date, start_of_day

LONGEST_DELAY: Final = 365
"""Days after which every use is shown, whatever a rule says."""
_DAY: Final = dt.timedelta(days=1)


class Part(enum.StrEnum):
    """What of a use may be withheld."""

    ORGANISATION = "organisation"
    ITEM = "item"
    PURPOSE = "purpose"


class VisibilityRule(BaseModel):
    """A rule of law on what holders see of uses.

    Attributes:
        item: Codes of the items that it concerns; all when empty.
        purpose: Codes of the purposes; all when empty.
        organisation: Codes of the organisations that used the data; all when empty.
        relative: Whether it concerns only uses of a licence of whoever looks for somebody else's case.
        delay_days: Days until the use appears; none when it appears at once.
        mask: What of it is withheld, then and afterwards.
        legal_basis: The provision that demands it.
        effective: First and last legal date of uses that it concerns, both inclusive.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    code: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    zh: str = Field(min_length=1, max_length=120)
    en: str = Field(min_length=1, max_length=120)
    item: tuple[str, ...] = ()
    purpose: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    relative: bool = False
    delay_days: int | None = Field(default=None, ge=1, le=LONGEST_DELAY)
    mask: tuple[Part, ...] = ()
    legal_basis: str = Field(pattern=r"\S", min_length=4, max_length=200)
    effective: tuple[dt.date, dt.date | None]

    @model_validator(mode="after")
    def _check(self) -> Self:
        start, end = self.effective
        if end is not None and end < start:
            raise ValueError("ends before it begins")
        if self.delay_days is None and not self.mask:
            raise ValueError("neither delays nor masks anything")
        if not (self.item or self.purpose or self.organisation or self.relative):
            raise ValueError("a rule about everything is none of lawful secrecy")
        if len(set(self.mask)) != len(self.mask):
            raise ValueError("masks something twice")
        return self

    def concerns(self, use: LicenseUsage, *, relative: bool) -> bool:
        """Tell whether the rule concerns a use."""
        start, end = self.effective
        day = legal_date(use.at)
        return (
            (not self.item or use.item_code in self.item)
            and (not self.purpose or use.purpose in self.purpose)
            and (not self.organisation or use.organisation in self.organisation)
            and (relative or not self.relative)
            and start <= day
            and (end is None or day <= end)
        )

    def appears(self, at: dt.datetime) -> dt.datetime:
        """Give the instant from which on a use that it concerns is shown."""
        return at + _DAY * (self.delay_days or 0)

    def hides(self, relative: ColumnElement[bool], now: dt.datetime) -> ColumnElement[bool]:
        """Give the condition that it still hides a use; the same as :meth:`concerns` and :meth:`appears`."""
        start, end = self.effective
        conditions = [
            LicenseUsage.at > now - _DAY * (self.delay_days or 0),
            LicenseUsage.at >= start_of_day(start),
        ]
        if end is not None:
            conditions.append(LicenseUsage.at < start_of_day(end + _DAY))
        # An empty column is no code of a list: comparing it must not come out as unknown.
        if self.item:
            conditions.append(func.coalesce(LicenseUsage.item_code, "").in_(self.item))
        if self.purpose:
            conditions.append(func.coalesce(LicenseUsage.purpose, "").in_(self.purpose))
        if self.organisation:
            conditions.append(LicenseUsage.organisation.in_(self.organisation))
        if self.relative:
            conditions.append(relative)
        return and_(*conditions)


class _Stated(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]*$")
    rules: tuple[VisibilityRule, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        codes = [rule.code for rule in self.rules]
        if len(set(codes)) != len(codes):
            raise ValueError("a code stands twice")
        return self


@dataclass(frozen=True, slots=True)
class Visibility:
    """The rules.

    Attributes:
        version: Name of the data.
        rules: All of them; of several that concern a use the longest delay counts and every mask.
    """

    version: str
    rules: tuple[VisibilityRule, ...]

    @classmethod
    def read(cls, data: bytes, name: str = "visibility.json") -> Self:
        """Read the rules of a file.

        Raises:
            CatalogueError: It breaks a rule of the format; ``facts`` name the first place.
        """
        try:
            stated = _Stated.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "rules"
            raise CatalogueError(file=name, place=place, rule=first["type"]) from None
        return cls(stated.version, stated.rules)

    def lint(
        self, items: Collection[str], purposes: Collection[str], is_organisation: Callable[[str], bool]
    ) -> Iterable[str]:
        """Give the codes that rules name and nobody knows: such a rule concerns nothing."""
        for rule in self.rules:
            yield from (code for code in rule.item if code not in items)
            yield from (code for code in rule.purpose if code not in purposes)
            yield from (code for code in rule.organisation if not is_organisation(code))

    def shown(self, relative: ColumnElement[bool], now: dt.datetime) -> ColumnElement[bool]:
        """Give the condition that a use is shown to its holder by now.

        Args:
            relative: The condition that it was for somebody else's case.
            now: The present.
        """
        delaying = [rule.hides(relative, now) for rule in self.rules if rule.delay_days is not None]
        return and_(*(not_(one) for one in delaying)) if delaying else true()

    def appears(self, use: LicenseUsage, *, relative: bool) -> dt.datetime:
        """Give the instant from which on its holder sees a use."""
        ends = [rule.appears(use.at) for rule in self.rules if rule.concerns(use, relative=relative)]
        return max(ends, default=use.at)

    def masked(self, use: LicenseUsage, *, relative: bool) -> frozenset[Part]:
        """Give what of a use is withheld from its holder."""
        concerned = (rule for rule in self.rules if rule.concerns(use, relative=relative))
        return frozenset(part for rule in concerned for part in rule.mask)


def without(use: LicenseUsage, masked: Collection[Part]) -> LicenseUsage:
    """Give a use without what is withheld: a copy that no session knows."""
    if not masked:
        return use
    values = {column.key: getattr(use, column.key) for column in LicenseUsage.__table__.columns}
    if Part.ORGANISATION in masked:
        values |= {"organisation": "", "actor_id": "", "operator": None}
    if Part.ITEM in masked:
        values |= {"item_code": None, "case_id": None, "decision_id": None, "asked": "", "reason": None}
    if Part.PURPOSE in masked:
        values |= {"purpose": None}
    return LicenseUsage(**values)


@cache
def visibility() -> Visibility:
    """Give the shipped rules."""
    return Visibility.read(resources.files("licenses").joinpath("data/visibility.json").read_bytes())
