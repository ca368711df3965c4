# SPDX-License-Identifier: Apache-2.0
"""What states a no-proof rule: requirements ANDed, alternatives ORed, evidence in an alternative ANDed.

The format is published as ``data/rule.schema.json``. Alternatives stand in the order of least disclosure.
What this release cannot evaluate is no part of the format: a rule that names it is refused, never skipped.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cases.identifiers import is_uscc
from licenses.predicates import Predicate

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_CODE = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
APPLICANT: Final = "applicant"

Period = Annotated[str, StringConstraints(pattern=r"^P([1-9][0-9]{0,2}Y|[1-9][0-9]{0,3}D)$")]
"""Years or days."""
Hours = Annotated[str, StringConstraints(pattern=r"^PT[1-9][0-9]{0,3}H$")]
"""Working hours."""


class Freshness(BaseModel):
    """How fresh the library's knowledge must be: of its own licences always, of a copy by its age.

    Attributes:
        source: ``live`` takes only what was issued here, ``copy`` takes stock as well.
        max_age: How old stock may be since it was taken over, on the day of the question; any age without.
    """

    model_config = _FROZEN
    source: Literal["live", "copy"] = "copy"
    max_age: Period | None = None


class LicenseCondition(BaseModel):
    """Which licences count: types, accepted issuers (all when absent), and that they are valid.

    Attributes:
        trust: The lowest trust level that counts; what the issuer has not confirmed does not by itself.
    """

    model_config = _FROZEN
    type: tuple[str, ...] = Field(min_length=1)
    issuer_in: tuple[str, ...] | None = None
    status: Literal["valid"] = "valid"
    trust: Literal["A", "B", "C", "D"] = "B"
    freshness: Freshness = Freshness()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not all(len(code) == 21 and is_uscc(code[:18]) and code[18:].isdigit() for code in self.type):
            raise ValueError("type code")
        return self


class HolderCondition(BaseModel):
    """Whose licence it must be: the subject's own, found by exact code."""

    model_config = _FROZEN
    match: Literal["code"] = "code"
    relation: Literal["self"] = "self"


class LicenseEvidence(BaseModel):
    """A licence of the subject, with predicates on its face."""

    model_config = _FROZEN
    licence: LicenseCondition
    holder: HolderCondition = HolderCondition()
    predicates: tuple[Predicate, ...] = ()


class PriorCase(BaseModel):
    """A case of the subject that was closed and filed in our own archive.

    Attributes:
        item: Code of its item; an item that was replaced by, split into or merged into this one counts as it.
        result: How it must have ended.
        within: How long ago it may have been decided, counted back from the case's acceptance.
    """

    model_config = _FROZEN
    item: str = Field(min_length=1, max_length=40)
    result: Literal["approved"] = "approved"
    within: Period


class CaseEvidence(BaseModel):
    """A prior case of the subject."""

    model_config = _FROZEN
    archive_case: PriorCase


Evidence = LicenseEvidence | CaseEvidence


class Alternative(BaseModel):
    """One way to meet a requirement; all of its evidence is needed."""

    model_config = _FROZEN
    all_of: tuple[Evidence, ...] = Field(min_length=1)


class Commitment(BaseModel):
    """The rung 告知承诺: the holder states it in writing, and the office checks it afterwards.

    Attributes:
        allowed_if: Conditions beside those that the law always sets: ``not_high_risk`` for the item,
            ``credit_ok`` for the holder.
        verify_within: Until when the check is due after it was accepted.
        check: How it is checked.
    """

    model_config = _FROZEN
    kind: Literal["commitment"]
    allowed_if: tuple[Literal["not_high_risk", "credit_ok"], ...] = ("not_high_risk", "credit_ok")
    verify_within: Period = "P30D"
    check: Literal["written", "online", "on_site", "public_notice"] = "written"


class AskedPredicate(BaseModel):
    """What another department is asked, as a sentence that is answered by yes or no."""

    model_config = _FROZEN
    code: str = Field(pattern=_CODE, max_length=60)
    zh: str = Field(min_length=1, max_length=120)
    en: str = Field(min_length=1, max_length=120)


class Cooperation(BaseModel):
    """The rung 部门协查: a department answers a predicate, not a file.

    Attributes:
        to: Code of the department that is asked.
        predicate: What it is asked.
        deadline: Working hours until its answer is due.
        valid_for: How long its answer serves every other department.
        on_timeout: What happens when it is late.
    """

    model_config = _FROZEN
    kind: Literal["cooperation"]
    to: str = Field(min_length=1, max_length=40)
    predicate: AskedPredicate
    deadline: Hours = "PT8H"
    valid_for: Period = "P30D"
    on_timeout: Literal["escalate", "accept_and_check"] = "escalate"


class SupplyLater(BaseModel):
    """The rung 容缺后补: the case goes on, and the material is brought within a term.

    Attributes:
        deadline: Days after it was admitted.
    """

    model_config = _FROZEN
    kind: Literal["supply_later"]
    deadline: Period = "P5D"


class CitizenUpload(BaseModel):
    """The last rung: the citizen brings it, which counts as a failure."""

    model_config = _FROZEN
    kind: Literal["citizen_upload"]


Rung = Annotated[Commitment | Cooperation | SupplyLater | CitizenUpload, Field(discriminator="kind")]


class Disclosure(BaseModel):
    """What a proof takes at most: yes or no, fields of the face, or an annotated copy.

    Rules that inherit keep it. How much a system is shown the ceiling of its grant limits, not this.
    """

    model_config = _FROZEN
    ask: Literal["predicate", "fields", "document"]


class Requirement(BaseModel):
    """One proof that the citizen would otherwise bring.

    Attributes:
        material: Its code in the item.
        subject: ``applicant``, or the relation in which the subject stands to the applicant.
        cancelled: Ground on which the proof is asked of nobody any more (直接取消); it has then no other way.
    """

    model_config = _FROZEN
    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,9}$")
    zh: str = Field(min_length=1, max_length=120)
    en: str = Field(min_length=1, max_length=120)
    material: str
    subject: str = Field(default=APPLICANT, pattern=_CODE, max_length=40)
    decision: Disclosure
    alternatives: tuple[Alternative, ...] = ()
    fallback: tuple[Rung, ...] = ()
    cancelled: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _check(self) -> Self:
        kinds = [rung.kind for rung in self.fallback]
        if self.cancelled is not None:
            if self.alternatives or kinds:
                raise ValueError("a cancelled proof has no alternative and no rung")
        elif not kinds or kinds != sorted(kinds, key=LADDER.index) or len(set(kinds)) != len(kinds):
            raise ValueError("rungs in the order of the ladder, each once")
        return self

    def evidence(self) -> Iterator[Evidence]:
        """Give every piece of evidence of every alternative."""
        for alternative in self.alternatives:
            yield from alternative.all_of

    def rung(self, kind: str) -> Commitment | Cooperation | SupplyLater | CitizenUpload | None:
        """Give the rung of a kind, if there is one."""
        return next((one for one in self.fallback if one.kind == kind), None)


LADDER: Final = ("commitment", "cooperation", "supply_later", "citizen_upload")
"""Kinds of rungs, cheapest for the citizen first."""


class ItemEdition(BaseModel):
    """The item and edition a rule belongs to, and what became of that edition, as far as it is known."""

    model_config = _FROZEN
    code: str
    edition: str
    replaced_by: str | None = None
    split_into: tuple[str, ...] = ()
    merged_from: tuple[str, ...] = ()


class RuleBody(BaseModel):
    """A rule as its file states it.

    Attributes:
        inherits: Id of the rule of a higher level that this one tightens; it may only narrow sources.
        effective: First and last day on which it is in force, both inclusive.
        approved_by: A note of the issuing authority, two different texts such as posts or file numbers:
            nothing ties them to accounts, and they are not published. Who proposed and who approved the
            edition stands in the acts ``edition.proposed`` and ``edition.approved``, by the opaque ids of
            the two accounts.
    """

    model_config = _FROZEN
    rule_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    version: int = Field(ge=1)
    item: ItemEdition
    inherits: str | None = None
    effective: tuple[dt.date, dt.date | None]
    legal_basis: tuple[str, ...] = Field(min_length=1)
    approved_by: tuple[str, str]
    requirements: tuple[Requirement, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        start, end = self.effective
        ids = [requirement.id for requirement in self.requirements]
        if (end is not None and end < start) or len(set(ids)) != len(ids):
            raise ValueError("interval or requirement ids")
        if self.approved_by[0] == self.approved_by[1]:
            raise ValueError("a rule is approved by two different people")
        return self
