# SPDX-License-Identifier: Apache-2.0
"""What an evaluation may look at: licences, prior cases, answers of departments, and what runs already.

Each fact has a digest by which a decision names it, so that a replay shows whether it met the same facts.
"""

import datetime as dt
import enum
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from licenses.faces import FaceValue
from licenses.lifecycle import Status
from licenses.rule_definition import APPLICANT
from storage.clock import rfc3339
from storage.ledger.canonical import Json, canonical


def digest_of(stated: Json) -> str:
    """Give the digest under which a decision names an input."""
    return hashlib.sha256(canonical(stated)).hexdigest()


@dataclass(frozen=True)
class LicenseFact:
    """What the library knows of one licence at the instant of the question.

    Attributes:
        id: Opaque id; being unguessable, it keeps the digest from betraying the face.
        issuer_zh: The issuer's name, shown as the source.
        status: Its effective status at that instant.
        trust: Its trust level, ``A`` to ``D``.
        stands_for: The type in whose place it states this face, when its own type covers that one.
        copied_on: Legal date on which stock was taken over from its source; ``None`` for what is issued here.
    """

    id: str
    type_code: str
    issuer_code: str
    issuer_zh: str
    status: Status
    valid_from: dt.date | None
    valid_until: dt.date | None
    face: Mapping[str, FaceValue]
    trust: str = "A"
    stands_for: str | None = None
    copied_on: dt.date | None = None

    @property
    def says(self) -> str:
        """Give the type as which it answers."""
        return self.stands_for or self.type_code

    @cached_property
    def digest(self) -> str:
        """Give the digest under which a decision names this input."""
        return digest_of(
            {
                "id": self.id,
                "type": self.type_code,
                "issuer": self.issuer_code,
                "status": str(self.status),
                "valid_from": self.valid_from.isoformat() if self.valid_from else None,
                "valid_until": self.valid_until.isoformat() if self.valid_until else None,
                "face": dict(self.face),
                # What was issued here says nothing of trust, so that older decisions keep their digests.
                **({} if self.trust == "A" else {"trust": self.trust}),
                **({} if self.stands_for is None else {"stands_for": self.stands_for}),
                **({} if self.copied_on is None else {"copied_on": self.copied_on.isoformat()}),
            }
        )


@dataclass(frozen=True)
class CaseFact:
    """A case of the subject that was closed and filed in our own archive.

    Attributes:
        id: Opaque id.
        decided_on: Legal date of its decision.
    """

    id: str
    item_code: str
    item_edition: str
    department_zh: str
    result: str
    decided_on: dt.date

    @cached_property
    def digest(self) -> str:
        """Give the digest under which a decision names this input."""
        return digest_of(
            {
                "id": self.id,
                "item": self.item_code,
                "edition": self.item_edition,
                "result": self.result,
                "decided_on": self.decided_on.isoformat(),
            }
        )


@dataclass(frozen=True)
class AssertionFact:
    """A department's signed answer to a predicate about the subject; good until a last day, inclusive.

    Attributes:
        id: Opaque id.
        predicate: Code of what was asked.
        department: Code of the department that answered.
        holds: Whether the department said yes.
    """

    id: str
    predicate: str
    department: str
    department_zh: str
    holds: bool
    answered_at: dt.datetime
    valid_until: dt.date

    @cached_property
    def digest(self) -> str:
        """Give the digest under which a decision names this input."""
        return digest_of(
            {
                "id": self.id,
                "predicate": self.predicate,
                "department": self.department,
                "holds": self.holds,
                "answered_at": rfc3339(self.answered_at),
                "valid_until": self.valid_until.isoformat(),
            }
        )


Fact = LicenseFact | CaseFact | AssertionFact


class Standing(enum.StrEnum):
    """How far a rung is that was taken for a requirement of this case.

    One that has only begun, or is spent, establishes nothing.
    """

    BEGUN = "begun"
    PROVISIONAL = "provisional"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    FALSE = "false"
    SPENT = "spent"


@dataclass(frozen=True)
class RungFact:
    """A rung of the ladder that was taken for a requirement of this case.

    Attributes:
        id: Id of the commitment, cooperation or later supply.
        kind: The rung.
        due: Until when it is to be checked, answered or supplied; ``None`` where nothing is left to do.
    """

    id: str
    kind: str
    standing: Standing
    due: dt.datetime | None

    @cached_property
    def digest(self) -> str:
        """Give the digest under which a decision names this input."""
        return digest_of(
            {
                "id": self.id,
                "kind": self.kind,
                "standing": str(self.standing),
                "due": rfc3339(self.due) if self.due else None,
            }
        )


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What is known of one subject.

    Attributes:
        licenses: Its licences of the types concerned, issued by that instant, oldest first.
        cases: Its filed cases, oldest first.
        assertions: What departments said of it, oldest first.
        unproven: Reason code why nothing of it counts: the relation is not shown, or more than one match.
        shown_by: Ids of the licences that show the relation.
        erased: Whether it was left out because its key was destroyed.
    """

    licenses: Sequence[LicenseFact] = ()
    cases: Sequence[CaseFact] = ()
    assertions: Sequence[AssertionFact] = ()
    unproven: str | None = None
    shown_by: Sequence[str] = ()
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything an evaluation may look at.

    Attributes:
        case_date: Legal date of the case's acceptance.
        library_types: Licence types that the library holds at all.
        licenses: The applicant's licences of the types concerned, issued by that instant, oldest first.
        cases: The applicant's filed cases, oldest first.
        assertions: What departments said of the applicant, oldest first.
        related: What is known of other subjects, by their relation to the applicant.
        rungs: What was taken for requirements of this case, by requirement, oldest first.
        barred: Conditions of a commitment that do not hold: ``not_high_risk``, ``credit_ok``.
        counted_as: Item code → codes of items whose cases count as cases of it.
    """

    case_date: dt.date
    library_types: Collection[str]
    licenses: Sequence[LicenseFact]
    cases: Sequence[CaseFact] = ()
    assertions: Sequence[AssertionFact] = ()
    related: Mapping[str, SubjectFacts] = field(default_factory=dict)
    rungs: Mapping[str, Sequence[RungFact]] = field(default_factory=dict)
    barred: Collection[str] = ()
    counted_as: Mapping[str, Collection[str]] = field(default_factory=dict)

    def of(self, subject: str) -> SubjectFacts:
        """Give what is known of a subject."""
        if subject == APPLICANT:
            return SubjectFacts(self.licenses, self.cases, self.assertions)
        return self.related.get(subject, SubjectFacts(unproven="R.RELATION_UNPROVEN"))

    def digests(self) -> list[str]:
        """Give the digests of all facts, sorted."""
        subjects = [self.of(APPLICANT), *self.related.values()]
        found: list[str] = []
        for one in subjects:
            found += [fact.digest for fact in one.licenses]
            found += [fact.digest for fact in one.cases]
            found += [fact.digest for fact in one.assertions]
        return sorted(found + [one.digest for taken in self.rungs.values() for one in taken])
