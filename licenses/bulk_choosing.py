# SPDX-License-Identifier: Apache-2.0
"""Which licences a change of many means, and what it comes to: counted first, and read without their faces.

The database counts before anything is read. Whatever ended for good is counted there and never read; of the
others come the dates and the events on which their status depends, and a number for those that are shown.
"""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import load_only

from licenses.errors import BulkTooLargeError, LicenseStateError
from licenses.holdings import Holdings
from licenses.lifecycle import EventKind, Process, Status, advance, life_after, status_of
from licenses.models import License, LicenseEvent
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Identity, Role

MOST: Final = 20_000
"""Licences of one change; more are several changes."""
SAMPLE: Final = 20
_READ_AT_ONCE: Final = 2_000
_ENDS: Final[Mapping[EventKind, Status]] = {
    EventKind.ABANDONED: Status.ABANDONED,
    EventKind.CANCELLED: Status.CANCELLED,
    EventKind.WITHDRAWN: Status.WITHDRAWN,
    EventKind.REVOKED: Status.REVOKED,
    EventKind.LAPSED: Status.LAPSED,
}
"""Events that end a licence for good; a replacement may still come to nothing."""
_READ: Final = (
    License.id,
    License.valid_from,
    License.valid_until,
    License.origin,
    License.issued_at,
    License.seal_id,
    License.object_sha256,
)
"""All that a status depends on beside the events; a face is not loaded, and asking for one is an error."""
_ORDER: Final = (License.number, License.version, License.id)


class BulkPlaceError(InvalidInputError):
    """A change is to begin behind a licence of this type that the department does not have."""

    code = "bulk-place"
    title_zh = "起始位置不是本部门该类型的证照"
    title_en = "The department has no such licence of this type to begin behind"
    remedy_zh = "请从批量变更页面重新预览。"
    remedy_en = "Preview it again on the page of such changes."


class BulkKind(enum.StrEnum):
    """What can be done to many licences at once."""

    OPEN_CHECK = "open-check"
    CHECK = "check"
    LAPSE = "lapse"
    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"


EVENTS: Final[Mapping[BulkKind, tuple[EventKind, Process | None]]] = {
    BulkKind.OPEN_CHECK: (EventKind.PROCESS_OPENED, Process.ANNUAL_CHECK),
    BulkKind.CHECK: (EventKind.CHECKED, None),
    BulkKind.LAPSE: (EventKind.LAPSED, None),
    BulkKind.SUSPEND: (EventKind.SUSPENDED, None),
    BulkKind.RESUME: (EventKind.RESUMED, None),
    BulkKind.CANCEL: (EventKind.CANCELLED, None),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which licences of the manager's department are meant, and what happens to them.

    Attributes:
        type_code: Their type.
        kind: What happens.
        status: Only those that stand so today; all that allow it when ``None``.
        until_before: Only those whose last day is before this one.
        first: Where more fit than one change may have: the first of them by number, instead of none.
        after: Id of the licence behind which they begin: where a change before this one ended.
    """

    type_code: str
    kind: BulkKind
    status: Status | None = None
    until_before: dt.date | None = None
    first: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a selection comes to.

    Attributes:
        ids: Licences that allow it, in the order of their numbers.
        sample: The first of them: number and status.
        left: Licences of the type that fit and do not allow it, by status.
        rest: How many fit behind these that were not looked at.
        last: Id of the last one that was looked at, where there is a rest: the next change begins behind it.
    """

    ids: Sequence[str]
    sample: Sequence[tuple[str, Status]]
    left: Mapping[Status, int]
    rest: int = 0
    last: str | None = None


def preview(uow: UnitOfWork, holdings: Holdings, identity: Identity, chosen: Selection) -> Preview:
    """Tell what a selection comes to now.

    Raises:
        NotPermittedError: No licence manager.
        BulkTooLargeError: More licences fit than one change may have, and the first of them are not asked
            for; none was read.
        BulkPlaceError: There is no licence of the department behind which they could begin.
    """
    identity.demand(Role.LICENSE_MANAGER)
    now = uow.clock.now()
    fitting, ended = _fitting(identity, chosen), _ended(now)
    if chosen.after is not None:
        fitting.append(_behind(uow, identity, chosen))
    counted = select(func.count()).select_from(License).where(*fitting, *_standing(chosen, now), ~ended)
    fit = uow.session.scalar(counted) or 0
    if fit > MOST and not chosen.first:
        raise BulkTooLargeError(most=MOST)
    left = _left(uow, fitting, chosen, now)
    ids: list[str] = []
    sample: list[tuple[str, Status]] = []
    query = select(License).where(*fitting, *_standing(chosen, now), ~ended)
    query = query.order_by(*_ORDER).limit(MOST)
    found = uow.session.scalars(query.options(load_only(*_READ, raiseload=True))).all()
    for start in range(0, len(found), _READ_AT_ONCE):
        for one, status, allowed in _judged(uow, holdings, chosen, found[start : start + _READ_AT_ONCE]):
            if not allowed:
                left[status] += 1
                continue
            ids.append(one)
            if len(sample) < SAMPLE:
                sample.append((one, status))
    rest = fit - len(found)
    return Preview(ids, _numbered(uow, sample), left, rest, found[-1].id if rest > 0 else None)


def _judged(
    uow: UnitOfWork, holdings: Holdings, chosen: Selection, part: Sequence[License]
) -> list[tuple[str, Status, bool]]:
    """Give those that stand as chosen: id, status, and whether it allows the change."""
    now, (kind, process) = uow.clock.now(), EVENTS[chosen.kind]
    events = holdings.events(uow, [one.id for one in part])
    judged = []
    for one in part:
        life = life_after(events.get(one.id, ()), now)
        status = status_of(one, life.state, now, holdings.seal_state(uow, one, now))
        if chosen.status is not None and status is not chosen.status:
            continue
        try:
            advance(life, kind, process)
        except LicenseStateError:
            judged.append((one.id, status, False))
        else:
            judged.append((one.id, status, True))
    return judged


def _fitting(identity: Identity, chosen: Selection) -> list[ColumnElement[bool]]:
    """Choose the licences that are meant, whatever their status."""
    found = [License.organisation == identity.organisation, License.type_code == chosen.type_code]
    if chosen.until_before is not None:
        found.append(License.valid_until < chosen.until_before)
    return found


def _behind(uow: UnitOfWork, identity: Identity, chosen: Selection) -> ColumnElement[bool]:
    """Choose what stands behind a licence in the order of numbers."""
    query = select(*_ORDER).where(
        License.id == chosen.after,
        License.organisation == identity.organisation,
        License.type_code == chosen.type_code,
    )
    place = uow.session.execute(query).first()
    if place is None:
        raise BulkPlaceError
    return tuple_(*_ORDER) > tuple_(*(literal(value) for value in place))


def _standing(chosen: Selection, now: dt.datetime) -> list[ColumnElement[bool]]:
    """Choose those that can have the chosen status, as far as the database can tell."""
    today = legal_date(now)
    match chosen.status:
        case Status.EXPIRED:
            return [License.valid_until < today]
        case Status.SUSPENDED:
            suspended = LicenseEvent.kind == str(EventKind.SUSPENDED)
            return [exists().where(LicenseEvent.license_id == License.id, suspended)]
        case Status.VALID:
            return [or_(License.valid_until.is_(None), License.valid_until >= today)]
    return []


def _ended(now: dt.datetime) -> ColumnElement[bool]:
    kinds = [str(kind) for kind in _ENDS]
    return exists().where(
        LicenseEvent.license_id == License.id, LicenseEvent.kind.in_(kinds), LicenseEvent.at <= now
    )


def _left(
    uow: UnitOfWork, fitting: Sequence[ColumnElement[bool]], chosen: Selection, now: dt.datetime
) -> Counter[Status]:
    """Count what ended for good, by status."""
    kinds = [str(kind) for kind, status in _ENDS.items() if chosen.status in {None, status}]
    counted = (
        select(LicenseEvent.kind, func.count())
        .join(License, License.id == LicenseEvent.license_id)
        .where(*fitting, LicenseEvent.kind.in_(kinds), LicenseEvent.at <= now)
        .group_by(LicenseEvent.kind)
    )
    return Counter({_ENDS[EventKind(kind)]: count for kind, count in uow.session.execute(counted)})


def _numbered(uow: UnitOfWork, sample: Sequence[tuple[str, Status]]) -> list[tuple[str, Status]]:
    """Give the numbers of those that are shown."""
    query = select(License.id, License.number).where(License.id.in_([one for one, _ in sample]))
    numbers = {row.id: row.number for row in uow.session.execute(query)}
    return [(numbers[one], status) for one, status in sample]
