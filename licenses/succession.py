# SPDX-License-Identifier: Apache-2.0
"""Versions of a licence: what renewal 延续, change 变更, reissue 换发 and correction 更正 have in common.

A successor is reserved while its predecessor goes on being valid, with the process pending. When the
successor is issued, whatever came before it is superseded in the same transaction, as of the day on which the
successor comes into force: there is never a gap and never a day with two valid versions. A successor of
what was ended meanwhile is not issued; one of what is suspended is issued suspended.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import select

from licenses import identifiers
from licenses.errors import LicenseDataError
from licenses.events import Grounds, history_of, new_event, record_event
from licenses.faces import LicenseData
from licenses.lifecycle import TERMINAL, EventKind, Life, Process, State, life_after
from licenses.models import License
from storage.clock import start_of_day
from storage.database import UnitOfWork
from storage.identity import Identity

_WORDS: Final = {
    Process.RENEWAL: "依申请办理延续",
    Process.CHANGE: "依申请办理变更",
    Process.REISSUE: "依申请办理换发",
    Process.CORRECTION: "更正登载内容",
}
_ENDED: Final = "前一版本已终止效力"
_SUSPENDED: Final = "前一版本处于暂停状态"
_TAKEN: Final = "由新版本替代"
_RETAINED: Final = "新版本生效前已终止，原版继续有效"


def predecessor_of(
    uow: UnitOfWork, data: LicenseData, type_code: str, issuer_code: str, holder_id: str
) -> License | None:
    """Give the licence that new licence data replace; ``None`` when they state none.

    Raises:
        LicenseDataError: Only one of the two fields is stated; or no live licence of this type, issuer and
            holder has the identifier; or something is pending on it.
    """
    if (data.replaces is None) != (data.change is None):
        raise LicenseDataError(field="change", rule="replaces-and-change-together")
    if data.replaces is None or data.change is None:
        return None
    found = uow.session.scalar(select(License).where(License.identifier == data.replaces))
    if found is None or (found.type_code, found.issuer_code) != (type_code, issuer_code):
        raise LicenseDataError(field="replaces", rule="no-such-predecessor")
    if found.holder_id != holder_id and Process(data.change) is not Process.CHANGE:
        raise LicenseDataError(field="replaces", rule="no-such-predecessor")
    life = life_after(history_of(uow, found.id))
    if life.state is State.RESERVED or life.state in TERMINAL:
        raise LicenseDataError(field="replaces", rule="predecessor-ended")
    if life.pending is not None:
        raise LicenseDataError(field="replaces", rule="process-pending")
    return found


def next_version(uow: UnitOfWork, previous: License | None, serial: str) -> int:
    """Give the version of a new licence: one more than what it replaces while the serial stays the same."""
    if previous is None or identifiers.classify(previous.identifier) is not identifiers.Shape.CONFORMING:
        return identifiers.FIRST_VERSION
    before = identifiers.parse(previous.identifier)
    if before.serial != serial:
        return identifiers.FIRST_VERSION
    same = select(License.version).where(License.previous_id == previous.id)
    versions: list[int] = [before.version, *uow.session.scalars(same)]
    return max(versions) + 1


def open_succession(uow: UnitOfWork, identity: Identity, previous: License, license_: License) -> None:
    """Note on the predecessor that its replacement is under way; it stays as valid as it is."""
    process = Process(str(license_.change))
    _add(uow, identity, previous, EventKind.PROCESS_OPENED, _grounds(process), license_, process=process)


def may_be_issued(uow: UnitOfWork, license_: License) -> bool:
    """Tell whether what a licence replaces has not been ended meanwhile; true when it replaces nothing."""
    return license_.previous_id is None or _life(uow, license_.previous_id).state not in TERMINAL


def give_up(uow: UnitOfWork, identity: Identity, license_: License) -> None:
    """End a reserved licence whose predecessor was ended before it could be issued."""
    grounds = Grounds(_ENDED, _ENDED)
    record_event(
        uow, identity, license_, new_event(uow, identity, license_, (), EventKind.ABANDONED, grounds)
    )


def succeed(uow: UnitOfWork, identity: Identity, license_: License) -> None:
    """Put a licence that has just been issued into its predecessor's place.

    Args:
        uow: The unit of work in which the licence's own event was added and recorded.
        identity: Whose step it is.
        license_: The new version.
    """
    if license_.previous_id is None:
        return
    previous = uow.session.get_one(License, license_.previous_id)
    life = _life(uow, previous.id)
    if life.state in TERMINAL:
        _add(uow, identity, license_, EventKind.CANCELLED, Grounds(_ENDED, _ENDED), license_)
        return
    if life.state is State.SUSPENDED:
        _add(uow, identity, license_, EventKind.SUSPENDED, Grounds(_SUSPENDED, _SUSPENDED), license_)
    grounds = Grounds(_TAKEN, _grounds(Process(str(license_.change))).reason)
    starts = _in_force(uow, license_)
    for earlier in _earlier(uow, license_):
        if life_after(history_of(uow, earlier.id), starts).state not in TERMINAL:
            _add(uow, identity, earlier, EventKind.SUPERSEDED, grounds, license_, at=starts)


def waiting_successors(uow: UnitOfWork, license_: License) -> Sequence[License]:
    """Give the issued versions behind a licence that are not in force yet, the nearest first.

    What happens to the licence happens to them, too.
    """
    now, found = uow.clock.now(), [license_]
    for one in found:
        query = select(License).where(License.previous_id == one.id, License.issued_at.is_not(None))
        found += [next_ for next_ in uow.session.scalars(query) if _in_force(uow, next_) > now]
    return found[1:]


def retain_earlier(uow: UnitOfWork, identity: Identity, license_: License) -> None:
    """Let the versions before one that was ended before it came into force keep their place."""
    now = uow.clock.now()
    for earlier in _earlier(uow, license_):
        history = history_of(uow, earlier.id)
        due = any(
            one.kind == EventKind.SUPERSEDED and one.successor_id == license_.id and one.at > now
            for one in history
        )
        if due and life_after(history, now).state not in TERMINAL:
            grounds = Grounds(_RETAINED, _RETAINED)
            event = new_event(
                uow, identity, earlier, history, EventKind.RETAINED, grounds, successor_id=license_.id
            )
            record_event(uow, identity, earlier, event, case_id=license_.case_id)


def _earlier(uow: UnitOfWork, license_: License) -> Iterator[License]:
    """Give every version before a licence, the nearest first."""
    while license_.previous_id is not None:
        license_ = uow.session.get_one(License, license_.previous_id)
        yield license_


def _life(uow: UnitOfWork, license_id: str) -> Life:
    return life_after(history_of(uow, license_id), uow.clock.now())


def _in_force(uow: UnitOfWork, license_: License) -> dt.datetime:
    """Give when a licence comes into force, at the earliest when it was issued."""
    issued = license_.issued_at or uow.clock.now()
    return max(issued, start_of_day(license_.valid_from)) if license_.valid_from else issued


def _grounds(process: Process) -> Grounds:
    return Grounds(_WORDS[process], _WORDS[process])


def _add(
    uow: UnitOfWork,
    identity: Identity,
    license_: License,
    kind: EventKind,
    grounds: Grounds,
    cause: License,
    *,
    process: Process | None = None,
    at: dt.datetime | None = None,
) -> None:
    history = history_of(uow, license_.id)
    successor = cause.id if kind is EventKind.SUPERSEDED else None
    event = new_event(
        uow, identity, license_, history, kind, grounds, process=process, at=at, successor_id=successor
    )
    record_event(uow, identity, license_, event, case_id=cause.case_id)
