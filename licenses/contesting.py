# SPDX-License-Identifier: Apache-2.0
"""What objections of holders and disputes of other offices share: states, what is said, who must answer."""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from cases.identifiers import is_plain
from cases.models import Case
from cases.organisations import organisations
from licenses.errors import ObjectionSubjectError, ObjectionWordsError
from licenses.models import License, LicenseUsage, Objection
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Identity
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

LONGEST: Final = 500
LONGEST_CONTACT: Final = 100
"""Characters of what is said or answered."""


class DisputeReasonError(InvalidInputError):
    """The reason of a dispute is none of the published codes."""

    code = "dispute-reason"
    title_zh = "争议理由代码不在目录中"
    title_en = "The reason is not a published code"
    remedy_zh = "请使用公布的争议理由代码。"
    remedy_en = "Use a published code of a reason."


class DisputeRemedyError(InvalidInputError):
    """An upheld dispute leads to nothing: neither correction nor suspension nor withdrawal."""

    code = "dispute-remedy"
    title_zh = "争议成立时须选定处理方式及法律依据"
    title_en = "An upheld dispute needs its remedy and the legal basis"
    remedy_zh = "请选择更正、暂停或撤销；暂停、撤销须填写法律依据。"
    remedy_en = "Choose correction, suspension or withdrawal; the latter two need the legal basis."


class DisputeContactError(InvalidInputError):
    """A stranger who disputes does not say how they are reached, or says too much."""

    code = "dispute-contact"
    title_zh = "请填写联系方式"
    title_en = "Say how you are reached"
    remedy_zh = "请填写电话或电子邮箱，不超过100个字。"
    remedy_en = "Give a telephone number or an address of e-mail, at most 100 characters."


class About(enum.StrEnum):
    """What an objection may be about; ``dispute`` is a licence that another office contests."""

    USE = "use"
    LICENCE = "licence"
    DISPUTE = "dispute"


class ObjectionState(enum.StrEnum):
    """How far an objection is; ``overdue`` is ``open`` past its last day and never stored."""

    OPEN = "open"
    OVERDUE = "overdue"
    UPHELD = "upheld"
    DECLINED = "declined"


class Listing(enum.StrEnum):
    """Which objections a list shows."""

    OPEN = "open"
    OVERDUE = "overdue"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """An objection as a list shows it.

    Attributes:
        row: Its row; what was said stays encrypted.
        state: How far it is today.
        late: Whether it was answered after its last day, or waits past it.
    """

    row: Objection
    state: ObjectionState
    late: bool


@dataclass(frozen=True, slots=True)
class SpokenObjection:
    """An objection with what the holder says and, once answered, what the department says.

    Attributes:
        contact: How a stranger is reached who disputes; for who answers alone.
    """

    view: ObjectionView
    words: str
    answer: str | None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class ReadObjection:
    """What an official sees who opens an objection.

    Attributes:
        spoken: The objection with its words.
        use: The use it is about, if it is about one.
        license: The licence it is about, or that was used.
        case: The case of the use or of the licence.
        may_answer: Whether this official may answer it now.
    """

    spoken: SpokenObjection
    use: LicenseUsage | None
    license: License | None
    case: Case | None
    may_answer: bool


@dataclass(frozen=True, slots=True)
class ObjectionPage:
    """One page of a list, and how many each list has.

    Attributes:
        next_cursor: Where the next page begins; ``None`` on the last one.
    """

    rows: Sequence[ObjectionView]
    counts: Mapping[Listing, int]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an objection is about, as the library holds it."""

    use: LicenseUsage | None
    license: License | None
    case: Case | None


def standing(row: Objection, today: dt.date) -> ObjectionState:
    """Give how far an objection is on a legal date; the last day is inclusive."""
    if row.state == ObjectionState.OPEN and today > row.due_on:
        return ObjectionState.OVERDUE
    return ObjectionState(row.state)


def view_of(row: Objection, today: dt.date) -> ObjectionView:
    """Give an objection as a list shows it."""
    ended = legal_date(row.answered_at) if row.answered_at is not None else today
    return ObjectionView(row, standing(row, today), ended > row.due_on)


def spoken_of(uow: UnitOfWork, row: Objection) -> SpokenObjection:
    """Give an objection with its words; the caller has permitted it."""
    words = uow.secrets.decrypt(row.words_cipher).decode()
    answer = uow.secrets.decrypt(row.answer_cipher).decode() if row.answer_cipher is not None else None
    return SpokenObjection(view_of(row, legal_date(uow.clock.now())), words, answer)


def subject_of(uow: UnitOfWork, about: About, object_id: str) -> Subject:
    """Give what something is about; its parts are empty where there is nothing."""
    use, license_id = None, None
    if about is not About.USE:
        license_id = object_id
    elif (use := uow.session.get(LicenseUsage, object_id)) is not None:
        license_id = use.license_id
    license_ = uow.session.get(License, license_id) if license_id is not None else None
    # A refused use may name a case that there is not.
    case_id = use.case_id if use is not None else license_.case_id if license_ is not None else None
    case = uow.session.get(Case, case_id) if case_id is not None else None
    return Subject(use, license_, case)


def objections_to(uow: UnitOfWork, about: About, object_id: str) -> Sequence[Objection]:
    """Give every objection to the same thing."""
    query = select(Objection).where(Objection.about == about, Objection.object_id == object_id)
    return uow.session.scalars(query).all()


def responsible_for(subject: Subject) -> str:
    """Give who must answer: who used the data; else who handles the case; else who issued the licence."""
    tree = organisations()
    named = (subject.use, subject.case, subject.license)
    codes = [one.organisation for one in named if one is not None]
    known = next((code for code in codes if tree.get(code) is not None), None)
    if known is None:
        raise ObjectionSubjectError
    above = tree.departments_of(known) - {known}
    return next(iter(above), known)


def made_by(identity: Identity, use: LicenseUsage | None) -> bool:
    """Tell whether somebody made a use, or was its operator."""
    return use is not None and identity.id in {use.actor_id, use.operator}


def plain_words(words: str) -> str:
    """Give what is said, on one line.

    Raises:
        ObjectionWordsError: Nothing is said, or too much.
    """
    # A browser sends the lines that somebody typed; the sentence is what counts.
    text = " ".join(words.split())
    if not 1 <= len(text) <= LONGEST or not is_plain(text):
        raise ObjectionWordsError
    return text


def plain_contact(contact: str) -> str:
    """Give how a stranger is reached, on one line.

    Raises:
        DisputeContactError: Nothing is said, or too much.
    """
    text = " ".join(contact.split())
    if not 1 <= len(text) <= LONGEST_CONTACT or not is_plain(text):
        raise DisputeContactError
    return text


def act_of(
    kind: ActKind,
    identity: Identity,
    row: Objection,
    rows: Sequence[Objection] = (),
    reasons: Sequence[str] = (),
) -> Act:
    """Make an act about an objection; its words stand in the encrypted detail only."""
    return Act(
        kind=kind,
        actor=identity,
        object_type="objection",
        object_id=row.id,
        case=row.case_id,
        subject=row.holder_id,
        rows=rows,
        reasons=reasons,
    )
