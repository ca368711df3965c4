# SPDX-License-Identifier: Apache-2.0
"""The step ``license.copy``: from an ordered copy to a sealed file in the object store.

``plan`` asks for the licence's status, fixes the words and records two intents: of the copy and of the use of
a seal. ``perform`` reads the original's bytes, marks them, seals and stores the result. ``record`` asks for
the status again: a licence that was revoked meanwhile leaves a refused copy whose file nobody is given. So no
copy exists without its record, and every intent has its outcome.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final, cast

from sqlalchemy import select

from cases.organisations import organisations
from documents.copying import mark_copy, pages_of
from documents.ports import Typesets
from licenses.copies.layout import STAMP, STRIP_MM, copy_attachments, facts_of, marks_data
from licenses.copies.models import LicenseCopy
from licenses.copies.services import COPY_STEP, MADE, ORDERED, REFUSED, ended, refusal_of
from licenses.copies.terms import copy_terms
from licenses.holdings import Holdings
from licenses.lifecycle import Standing, status_titles
from licenses.models import License, LicenseUsage
from seals.orders import SealFacts, SealOrder, SealRequest
from seals.sealing import SealingService
from storage.base import Base
from storage.clock import parse_rfc3339, rfc3339
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.identity import AccessBasis, Basis, Identity, system_identity
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.ports import ObjectStore
from storage.steps import Job, Later, Staging, mapping_of

MEDIA_TYPE: Final = "application/pdf"
FILE: Final = "copy.pdf"
TEMPLATE: Final = Path(str(resources.files("licenses.copies").joinpath("templates/copy.typ")))
HOLDER_ZH: Final = "持证主体本人"


class CopyStep:
    """Makes, seals and stores an annotated copy.

    Args:
        holdings: Status of licences, and their types.
        typesetter: Sets the marks.
        sealing: Seals the copy with a seal of the department that issued the licence.
        objects: Where the original lies and the copy goes.
        public_url: Base of the QR link.
    """

    def __init__(
        self,
        holdings: Holdings,
        typesetter: Typesets,
        sealing: SealingService,
        objects: ObjectStore,
        public_url: str,
    ) -> None:
        self._holdings = holdings
        self._typesetter = typesetter
        self._sealing = sealing
        self._objects = objects
        self._public_url = public_url

    @property
    def kind(self) -> str:
        """Name in the table of steps."""
        return COPY_STEP

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Fix the words and record the intents; ``None`` when nothing is to be made.

        When no enabled seal covers the copy, the refusal is recorded and the step waits.
        """
        copy = uow.session.get_one(LicenseCopy, job.subject)
        if copy.state != ORDERED:
            return None
        license_ = uow.session.get_one(License, copy.license_id)
        worker = _worker(copy, license_)
        if (reason := self._refusal(uow, copy, license_)) is not None:
            _end(uow, worker, copy, REFUSED, reason)
            return None
        request = SealRequest(
            department=license_.organisation,
            item=license_.item_code or "",
            document_type="copy",
            case=copy.case_id,
            object_id=copy.id,
            subject=copy.holder_id,
            stamp=STAMP,
        )
        orders = self._sealing.plan_all(uow, worker, [request])
        if isinstance(orders, Later):
            return orders
        intent = uow.record(_act(ActKind.COPY_INTENDED, worker, copy, Outcome.INTENDED))
        now = uow.clock.now()
        status = self._holdings.status(uow, license_, now)
        title = status_titles()[status]
        purpose = copy_terms().purpose(Basis(copy.basis), copy.purpose)
        names = {
            "type": self._holdings.types.as_issued(license_.type_code, license_.type_version).zh,
            "identifier": license_.identifier,
            "purpose": purpose.zh if purpose else copy.purpose,
            "maker": _maker(copy),
        }
        if title.standing is not Standing.GOOD:
            names["status"] = title.zh
        return facts_of(copy, names, self._public_url, now) | {
            "copy": copy.id,
            "at": rfc3339(now),
            "licence_status": str(status),
            "intent": intent.core_sha256,
            "order": orders[0].as_json(),
        }

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Mark the original's bytes, seal, store; no transaction is open."""
        plan = mapping_of(plan)
        at, sha256 = parse_rfc3339(str(plan["at"])), str(plan["original"])
        original = self._objects.read(sha256)
        marks = self._typesetter.typeset(TEMPLATE, marks_data(plan, pages_of(original)), (), at)
        files = copy_attachments(
            original, str(plan["identifier"]), sha256, cast(Mapping[str, str], plan["metadata"])
        )
        marked = mark_copy(original, marks, STRIP_MM, files, str(plan["title"]), at)
        sealed = self._sealing.perform(SealOrder.from_json(plan["order"]), marked)
        staging.write(FILE, sealed.data)
        failpoint("license.copy.after-seal")
        stored = self._objects.put(staging.path(FILE), MEDIA_TYPE)
        failpoint("license.copy.after-put")
        return {"sha256": stored.sha256, "size": stored.size, "facts": sealed.facts.as_json()}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Write down the use of the seal and that the copy is made; or that it came too late."""
        plan, result = mapping_of(plan), mapping_of(result)
        copy = uow.session.get_one(LicenseCopy, job.subject)
        license_ = uow.session.get_one(License, copy.license_id)
        worker, order = _worker(copy, license_), SealOrder.from_json(plan["order"])
        promise = self._sealing.record(uow, worker, order, SealFacts.from_json(result["facts"]))
        intent = str(plan["intent"])
        changed = str(self._holdings.status(uow, license_, uow.clock.now())) != plan["licence_status"]
        reason = self._refusal(uow, copy, license_) or ("status-changed" if changed else None)
        if reason is not None:
            _end(uow, worker, copy, REFUSED, reason, intent)
            failpoint("license.copy.before-record")
            return
        copy.object_sha256 = str(result["sha256"])
        copy.object_size = cast(int, result["size"])
        copy.seal_id, copy.sealing_act = order.seal, promise.core_sha256
        copy.made_at, copy.status = uow.clock.now(), str(plan["licence_status"])
        _end(uow, worker, copy, MADE, None, intent)
        failpoint("license.copy.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Close both intents; the copy stays ordered and is planned anew."""
        plan = mapping_of(plan)
        copy = uow.session.get_one(LicenseCopy, job.subject)
        worker = _worker(copy, uow.session.get_one(License, copy.license_id))
        self._sealing.abandon(uow, worker, SealOrder.from_json(plan["order"]))
        uow.record(_act(ActKind.COPY_ABANDONED, worker, copy, Outcome.ABANDONED, intent=str(plan["intent"])))

    def _refusal(self, uow: UnitOfWork, copy: LicenseCopy, license_: License) -> str | None:
        """Say why the copy must not be made now: licence, term or case ended."""
        return refusal_of(uow, self._holdings, license_, Basis(copy.basis)) or ended(uow, copy)


def abandon_intent(uow: UnitOfWork, copy: LicenseCopy) -> None:
    """Close the open intent of a copy whose outcome a restore has lost, if there is one."""
    of_copy = (LedgerAct.object_type == "copy", LedgerAct.object_id == copy.id)
    closed = select(LedgerAct.intent).where(*of_copy, LedgerAct.intent.is_not(None))
    intents = select(LedgerAct.act_id).where(*of_copy, LedgerAct.kind == str(ActKind.COPY_INTENDED))
    for intent in uow.session.scalars(intents.where(LedgerAct.act_id.not_in(closed))):
        license_ = uow.session.get_one(License, copy.license_id)
        identity = system_identity("restore", license_.organisation)
        uow.record(_act(ActKind.COPY_ABANDONED, identity, copy, Outcome.ABANDONED, intent=intent))


def _end(
    uow: UnitOfWork,
    worker: Identity,
    copy: LicenseCopy,
    state: str,
    reason: str | None,
    intent: str | None = None,
) -> Promise:
    """Say how the making ended, in the copy and in the record that its holder sees."""
    copy.state, copy.reason = state, reason
    use = uow.session.get_one(LicenseUsage, copy.usage_id)
    use.result, use.reason = ("COPIED" if state == MADE else "REFUSED"), reason
    kind = ActKind.COPY_MADE if state == MADE else ActKind.COPY_REFUSED
    outcome = Outcome.DONE if state == MADE else Outcome.REFUSED
    return uow.record(_act(kind, worker, copy, outcome, rows=[copy, use], intent=intent))


def _act(
    kind: ActKind,
    worker: Identity,
    copy: LicenseCopy,
    outcome: Outcome,
    *,
    rows: Sequence[Base] = (),
    intent: str | None = None,
) -> Act:
    return Act(
        kind=kind,
        actor=worker,
        object_type="copy",
        object_id=copy.id,
        outcome=outcome,
        case=copy.case_id,
        object_sha256=copy.object_sha256,
        subject=copy.holder_id,
        rows=rows or (copy,),
        reasons=(copy.reason,) if copy.reason else (),
        intent=intent,
    )


def _maker(copy: LicenseCopy) -> str:
    found = organisations().get(copy.organisation)
    return found.zh if found is not None else HOLDER_ZH


def _worker(copy: LicenseCopy, license_: License) -> Identity:
    basis = AccessBasis(Basis(copy.basis), copy.case_id, copy.item_code, copy.purpose)
    return system_identity("worker", license_.organisation).on(basis)
