# SPDX-License-Identifier: Apache-2.0
"""Disputes 争议 of other offices: a verifier contests a licence that it was shown, and reads the answer.

Whoever disputes states identifier and verification code of the licence: nobody contests what they do not
hold. A dispute is an objection with somebody else behind it: the same clock, the same desk, the same
supervision. An upheld one leads to something: suspension or withdrawal in the same transaction, or a
correction, which is the next version of the licence.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from sqlalchemy import select

from cases.errors import HolderCodeError
from cases.holders import HolderService
from licenses.contesting import (
    About,
    DisputeReasonError,
    DisputeRemedyError,
    ObjectionState,
    SpokenObjection,
    Subject,
    act_of,
    objections_to,
    plain_contact,
    plain_words,
    responsible_for,
    spoken_of,
)
from licenses.copies.models import LicenseCopy
from licenses.copies.services import MADE
from licenses.errors import (
    ObjectionStandsError,
    ObjectionUnknownError,
)
from licenses.events import Grounds
from licenses.lifecycle import EventKind, Process
from licenses.looks import holds, refused
from licenses.models import License, Objection
from licenses.objections import ObjectionService
from licenses.once import digest_of, new_secret
from licenses.services import LicenseService
from licenses.usage import operator_of
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Promise
from storage.ledger.kinds import ActKind

SCOPE: Final = "dispute"
CORRECTION, SUSPEND, WITHDRAW = "correction", "suspend", "withdraw"
REMEDIES: Final = (CORRECTION, SUSPEND, WITHDRAW)
"""What an upheld dispute may lead to."""


_SHOWN: Final = 50


@cache
def dispute_reasons() -> Mapping[str, tuple[str, str]]:
    """Give the published reasons: code → Chinese and English."""
    raw = json.loads(resources.files("licenses").joinpath("data/disputes.json").read_bytes())
    return {row["code"]: (row["zh"], row["en"]) for row in raw["reasons"]}


@dataclass(frozen=True, slots=True)
class Dispute:
    """What somebody contests.

    Attributes:
        identifier: Of the licence, as its file or page states it; empty where the code alone was shown.
        code: Its verification code; without an identifier also that of a copy; empty with a holder.
        reason: A published code.
        words: What is wrong, in words.
        holder: Scheme and code of its holder, instead of a code: licences of the stock bear none. For offices
            only, and with the identifier.
    """

    identifier: str
    code: str
    reason: str
    words: str
    holder: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute as who raised it sees it.

    Attributes:
        spoken: What was said and answered.
        identifier: Of the licence.
        correction: Identifier of the version that corrects it, once there is one.
    """

    spoken: SpokenObjection
    identifier: str
    correction: str | None


class DisputeService:
    """Takes disputes, shows them to who raised them, and takes their answers.

    Args:
        objections: Knows the clock, the desk and who answers.
        licenses: Suspends and withdraws.
        holders: Finds holders by code.
    """

    def __init__(
        self, objections: ObjectionService, licenses: LicenseService, holders: HolderService
    ) -> None:
        self._holders = holders
        self._objections = objections
        self._licenses = licenses

    def open(self, uow: UnitOfWork, identity: Identity, dispute: Dispute) -> tuple[Objection, Promise]:
        """Take a dispute of a calling system or an inspector.

        Raises:
            LicenseHiddenError: No licence with this identifier and code, or no right; the caller records it.
            DisputeReasonError: The reason is not published.
            ObjectionWordsError: Nothing is said, or too much.
            ObjectionStandsError: One of the same office waits for its answer.
        """
        return self._taken(uow, identity, dispute, identity.id, allowed=_may_dispute(identity))

    def open_as_stranger(
        self, uow: UnitOfWork, identity: Identity, dispute: Dispute, contact: str
    ) -> tuple[Objection, Promise, str]:
        """Take a dispute of somebody without account.

        Args:
            uow: A writing unit of work.
            identity: A stranger.
            dispute: What is contested.
            contact: How the stranger is reached; only who answers reads it.

        Returns:
            The row, the promise, and the key by which the answer is read: handed out once, kept as a digest.

        Raises:
            DisputeContactError: Nothing is said of how to reach them, or too much.
            ObjectionStandsError: A dispute of a stranger about this licence waits for its answer.
            Others: As :meth:`open`.
        """
        text, (key, digest) = plain_contact(contact), new_secret()
        allowed = identity.kind == "public" and dispute.holder is None
        row, promise = self._taken(uow, identity, dispute, digest.hex(), text, allowed=allowed)
        return row, promise, key

    def _taken(
        self,
        uow: UnitOfWork,
        identity: Identity,
        dispute: Dispute,
        raised_by: str,
        contact: str | None = None,
        *,
        allowed: bool,
    ) -> tuple[Objection, Promise]:
        if dispute.reason not in dispute_reasons():
            raise DisputeReasonError
        words = plain_words(dispute.words)
        who = identity.on(AccessBasis(Basis.PUBLIC_CHECK))
        license_ = self._held_by(uow, dispute) if dispute.holder is not None else _contested(uow, dispute)
        if license_ is None or not allowed:
            raise refused(uow, who, None, "dispute-not-shown")
        others = objections_to(uow, About.DISPUTE, license_.id)
        # Strangers cannot be told apart: of all of them one dispute waits at a time.
        waiting = (one for one in others if one.state == ObjectionState.OPEN)
        if any(one.raised_by == raised_by or (contact and one.contact_cipher) for one in waiting):
            raise ObjectionStandsError
        now, row_id = uow.clock.now(), uow.ids.new_id()
        row = Objection(
            id=row_id,
            holder_id=license_.holder_id,
            about=str(About.DISPUTE),
            object_id=license_.id,
            position=1 + len(others),
            # The issuer answers for what it issued, whoever handled the case.
            organisation=responsible_for(Subject(use=None, license=license_, case=None)),
            case_id=license_.case_id,
            words_cipher=uow.secrets.encrypt(license_.holder_id, words.encode()),
            opened_at=now,
            due_on=self._objections.due_on(now),
            state=str(ObjectionState.OPEN),
            raised_by=raised_by,
            reason=dispute.reason,
            contact_cipher=None if contact is None else uow.secrets.encrypt(row_id, contact.encode()),
        )
        uow.session.add(row)
        uow.session.flush()
        reasons = ["about-dispute", f"dispute-{dispute.reason}"]
        return row, uow.record(act_of(ActKind.OBJECTION_OPENED, who, row, rows=[row], reasons=reasons))

    def _held_by(self, uow: UnitOfWork, dispute: Dispute) -> License | None:
        """Find the licence with an identifier, if the stated one holds it."""
        issued = select(License).where(License.issued_at.is_not(None))
        found = uow.session.scalar(issued.where(License.identifier == dispute.identifier))
        try:
            holder = self._holders.find(uow, *dispute.holder) if dispute.holder is not None else None
        except HolderCodeError:
            return None
        return found if found is not None and holder is not None and holds(uow, holder.id, found) else None

    def own(self, uow: UnitOfWork, identity: Identity, dispute_id: str) -> DisputeView:
        """Give a dispute to who raised it.

        Raises:
            ObjectionUnknownError: Unknown, or not this identity's; they look the same.
        """
        row = uow.session.get(Objection, dispute_id)
        if row is None or row.about != About.DISPUTE or row.raised_by != identity.id:
            raise ObjectionUnknownError
        return _view(uow, row)

    def raised(self, uow: UnitOfWork, identity: Identity) -> Sequence[DisputeView]:
        """Give what this identity disputed, the newest first."""
        own = (Objection.about == str(About.DISPUTE), Objection.raised_by == identity.id)
        newest = select(Objection).where(*own).order_by(Objection.opened_at.desc(), Objection.id.desc())
        return [_view(uow, row) for row in uow.session.scalars(newest.limit(_SHOWN))]

    def of_stranger(self, uow: UnitOfWork, dispute_id: str, key: str) -> DisputeView:
        """Give a dispute to who holds its key.

        Raises:
            ObjectionUnknownError: Unknown, or another key; they look the same.
        """
        row = uow.session.get(Objection, dispute_id)
        if row is None or row.contact_cipher is None:
            raise ObjectionUnknownError
        if not hmac.compare_digest(str(row.raised_by), digest_of(key).hex()):
            raise ObjectionUnknownError
        return _view(uow, row)

    def answer(
        self,
        uow: UnitOfWork,
        identity: Identity,
        dispute_id: str,
        words: str,
        remedy: str | None,
        legal_basis: str = "",
    ) -> Promise:
        """Answer a dispute: declined without a remedy, upheld with one, which is carried out here.

        Raises:
            ObjectionUnknownError, ObjectionAnsweredError, ObjectionOwnUseError, ObjectionWordsError: As
                :meth:`ObjectionService.answer`.
            DisputeRemedyError: There is no such remedy.
            NotPermittedError, LicenseStateError, ReasonRequiredError: As the change of the licence.
        """
        row = uow.session.get(Objection, dispute_id)
        if row is None or row.about != About.DISPUTE:
            raise ObjectionUnknownError
        if remedy is not None and remedy not in REMEDIES:
            raise DisputeRemedyError
        row.remedy = remedy
        # Who may answer is asked before anything happens to the licence.
        promise = self._objections.answer(uow, identity, dispute_id, words, upheld=remedy is not None)
        if remedy in {SUSPEND, WITHDRAW}:
            license_ = uow.session.get_one(License, row.object_id)
            grounds = Grounds(f"争议成立 {row.id}", legal_basis)
            kind = EventKind.SUSPENDED if remedy == SUSPEND else EventKind.WITHDRAWN
            self._licenses.change(uow, identity, license_.identifier, kind, grounds)
        return promise


def correction_of(uow: UnitOfWork, row: Objection) -> str | None:
    """Give the identifier of the version that corrects a disputed licence; none while there is none."""
    if row.remedy != CORRECTION or row.answered_at is None:
        return None
    return uow.session.scalar(
        select(License.identifier).where(
            License.previous_id == row.object_id,
            License.change == str(Process.CORRECTION),
            License.reserved_at >= row.answered_at,
        )
    )


def _view(uow: UnitOfWork, row: Objection) -> DisputeView:
    license_ = uow.session.get_one(License, row.object_id)
    return DisputeView(spoken_of(uow, row), license_.identifier, correction_of(uow, row))


def _contested(uow: UnitOfWork, dispute: Dispute) -> License | None:
    """Find the licence that is contested: by identifier and code, or by a code alone, be it of a copy."""
    issued = select(License).where(License.issued_at.is_not(None))
    if dispute.identifier:
        found = uow.session.scalar(issued.where(License.identifier == dispute.identifier))
        shown = found is not None and hmac.compare_digest(found.code.encode(), dispute.code.encode())
        return found if shown else None
    found = uow.session.scalar(issued.where(License.code == dispute.code))
    if found is not None:
        return found
    copied = select(LicenseCopy.license_id).where(LicenseCopy.code == dispute.code, LicenseCopy.state == MADE)
    return uow.session.scalar(issued.where(License.id.in_(copied)))


def _may_dispute(identity: Identity) -> bool:
    if operator_of(identity) is None:
        return False
    if identity.has(Role.CLIENT):
        return SCOPE in identity.scopes
    return identity.has(Role.INSPECTOR)
