# SPDX-License-Identifier: Apache-2.0
"""The step ``license.issue``: from a reserved licence to a sealed file in the object store.

``plan`` fixes everything that stands on the page and records the intended use of a seal; ``perform`` sets
the page, seals it and stores it; ``record`` writes the outcome of the sealing, the event *issued* and the
act with the file's digest in one transaction, and with them the end of the licence that this one replaces.
A licence that is issued already is left alone; one that no enabled seal covers waits; one whose predecessor
was ended meanwhile is given up.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from cases.holders import HolderService
from cases.identifiers import SCHEMES
from cases.items import Item, ItemCatalogue
from cases.models import Case, Holder, HolderKind
from documents.ports import Typesets
from documents.xmp import with_properties
from indexer.document import IndexDocument
from licenses.events import INDEX_STEP, Grounds, new_event, state_of
from licenses.faces import Face, shown_text
from licenses.holdings import Holdings
from licenses.layout import TEMPLATES, attachments, metadata_of, page_data
from licenses.lifecycle import EventKind, State, state_after
from licenses.metadata import to_xmp, xmp_schema
from licenses.models import License, LicenseEvent
from licenses.services import ISSUE_STEP
from licenses.sharing.feed import record_change
from licenses.status_list import status_list_url
from licenses.succession import give_up, may_be_issued, succeed
from licenses.validity import last_valid
from seals.orders import Placement, SealFacts, SealOrder, SealRequest
from seals.sealing import SealingService
from storage.clock import parse_rfc3339, rfc3339
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.identity import Identity, system_identity
from storage.ledger.acts import Act
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.objects.ports import ObjectStore
from storage.steps import Job, Later, Staging, mapping_of

MEDIA_TYPE = "application/pdf"
STAMP = Placement(page=1, x_mm=142.0, y_mm=232.0, size_mm=40.0)
"""Over the issuer's name in the footer of the first page."""

FILE = "licence.pdf"


class IssueStep:
    """Makes, seals and stores the file of a reserved licence.

    Args:
        holdings: What the library holds.
        items: Items, for the metadata.
        holders: Reveals the holder for the page.
        typesetter: Sets the page.
        sealing: Seals it.
        objects: Where the file goes.
        public_url: Base of the QR link.
        demo: Whether the page must say 演示.
    """

    def __init__(
        self,
        holdings: Holdings,
        items: ItemCatalogue,
        holders: HolderService,
        typesetter: Typesets,
        sealing: SealingService,
        objects: ObjectStore,
        *,
        public_url: str,
        demo: bool,
    ) -> None:
        self._holdings = holdings
        self._items = items
        self._holders = holders
        self._typesetter = typesetter
        self._sealing = sealing
        self._objects = objects
        self._public_url = public_url
        self._demo = demo

    @property
    def kind(self) -> str:
        """Name in the table of steps."""
        return ISSUE_STEP

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Fix the page and record the intended use of a seal; ``None`` when the licence is issued.

        When no enabled seal covers the licence, the refusal is recorded and the step waits.
        """
        license_ = uow.session.get_one(License, job.subject)
        if license_.issued_at is not None or state_of(uow, license_.id) is not State.RESERVED:
            return None
        if not may_be_issued(uow, license_):
            give_up(uow, _worker(license_), license_)
            return None
        request = SealRequest(
            department=license_.organisation,
            item=license_.item_code or "",
            document_type="licence",
            case=license_.case_id,
            object_id=license_.id,
            subject=license_.holder_id,
            stamp=STAMP,
        )
        orders = self._sealing.plan_all(uow, _worker(license_), [request])
        if isinstance(orders, Later):
            return orders
        return self._page(uow, license_) | {
            "license": license_.id,
            "type": license_.type_code,
            "version": license_.type_version,
            "at": rfc3339(uow.clock.now()),
            "order": orders[0].as_json(),
        }

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Set, seal, store; no transaction is open."""
        plan = mapping_of(plan)
        kind = self._holdings.types.as_issued(str(plan["type"]), str(plan.get("version")))
        face = cast(Face, plan["face"])
        metadata = cast(Mapping[str, str], plan["metadata"])
        page = self._typesetter.typeset(
            TEMPLATES / kind.template_for(metadata["issuer_code"]),
            mapping_of(plan["page"]),
            attachments(metadata, kind, face),
            parse_rfc3339(str(plan["at"])),
        )
        page = with_properties(page, xmp_schema(), to_xmp(metadata))
        sealed = self._sealing.perform(SealOrder.from_json(plan["order"]), page)
        staging.write(FILE, sealed.data)
        failpoint("license.issue.after-seal")
        stored = self._objects.put(staging.path(FILE), MEDIA_TYPE)
        failpoint("license.issue.after-put")
        return {"sha256": stored.sha256, "size": stored.size, "facts": sealed.facts.as_json()}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Write down the use of the seal and that the licence is issued."""
        plan, result = mapping_of(plan), mapping_of(result)
        license_ = uow.session.get_one(License, job.subject)
        worker, order = _worker(license_), SealOrder.from_json(plan["order"])
        promise = self._sealing.record(uow, worker, order, SealFacts.from_json(result["facts"]))
        license_.object_sha256 = str(result["sha256"])
        license_.object_size = cast(int, result["size"])
        license_.seal_id, license_.sealing_act = order.seal, promise.core_sha256
        license_.issued_at = uow.clock.now()
        event = new_event(uow, worker, license_, (), EventKind.ISSUED, self._grounds(license_))
        uow.session.add(event)
        record_change(
            uow,
            Act(
                kind=ActKind.LICENSE_ISSUED,
                actor=worker,
                object_type="licence",
                object_id=license_.id,
                case=license_.case_id,
                object_sha256=license_.object_sha256,
                subject=license_.holder_id,
                rows=[license_, event],
            ),
        )
        succeed(uow, worker, license_)
        uow.add_step(INDEX_STEP, f"licence:{license_.id}")
        failpoint("license.issue.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Close the intended use of the seal; the licence stays reserved and is planned anew."""
        plan = mapping_of(plan)
        license_ = uow.session.get_one(License, job.subject)
        self._sealing.abandon(uow, _worker(license_), SealOrder.from_json(plan["order"]))

    def _grounds(self, license_: License) -> Grounds:
        item = self._item(license_)
        return Grounds("依申请签发", item.zh[:200]) if item else Grounds("依职权签发", "依职权签发")

    def _item(self, license_: License) -> Item | None:
        if license_.item_code is None or license_.item_edition is None:
            return None
        return self._items.get(license_.item_code, license_.item_edition)

    def _page(self, uow: UnitOfWork, license_: License) -> dict[str, Json]:
        kind = self._holdings.types.as_issued(license_.type_code, license_.type_version)
        face = self._holdings.face(uow, license_)
        holder = self._holders.reveal(uow, uow.session.get_one(Holder, license_.holder_id))
        item = self._item(license_)
        metadata = metadata_of(
            license_,
            kind,
            {
                "name": holder.name,
                "code": holder.code,
                "scheme": holder.scheme,
                "scheme_name": SCHEMES[holder.scheme][0],
            },
            {"code": item.code, "name": item.zh} if item else {"code": "", "name": ""},
        )
        if license_.status_index is not None:
            metadata["status_list"] = status_list_url(self._public_url)
            metadata["status_index"] = str(license_.status_index)
        page = page_data(license_, kind, face, public_url=self._public_url, demo=self._demo)
        return {"face": face, "metadata": metadata, "page": page}


def index_document(uow: UnitOfWork, holdings: Holdings, license_id: str) -> IndexDocument | None:
    """Give what the index holds of a licence; ``None`` while it is not issued.

    The text is the face without what would be masked.
    """
    license_ = uow.session.get(License, license_id)
    if license_ is None or license_.issued_at is None or state_of(uow, license_id) is State.RESERVED:
        return None
    holder = uow.session.get_one(Holder, license_.holder_id)
    case = uow.session.get(Case, license_.case_id) if license_.case_id else None
    events = holdings.events(uow, [license_id])[license_id]
    return document_of_license(uow, holdings, license_, events, holder.kind, case)


def document_of_license(
    uow: UnitOfWork,
    holdings: Holdings,
    license_: License,
    events: Sequence[LicenseEvent],
    holder_kind: str,
    case: Case | None = None,
) -> IndexDocument:
    """Give what the index holds of an issued licence from what was read already.

    An event may lie ahead: the state is that of now, and the version rises again when the event takes effect,
    so that the next comparison of index and records puts the licence anew. Whether the licence is valid waits
    for none of that: it is judged when somebody searches.
    """
    now = uow.clock.now()
    span = last_valid(license_, events)
    kind = holdings.types.as_issued(license_.type_code, license_.type_version)
    shown = shown_text(kind, holdings.face(uow, license_), person=holder_kind == HolderKind.PERSON)
    return IndexDocument(
        id=license_.id,
        kind="licence",
        title=kind.zh,
        text="\n".join([*shown, case.number] if case else shown),
        organisation=license_.organisation,
        number=license_.identifier,
        at=license_.issued_at or license_.reserved_at,
        version=len(events) + sum(event.at <= now for event in events),
        item=license_.item_code or "",
        type=license_.type_code,
        state=str(state_after(events, now)),
        trust=license_.trust,
        since=span.since if span else None,
        until=span.until if span else None,
        seal=license_.seal_id or "",
    )


def _worker(license_: License) -> Identity:
    return system_identity("worker", license_.organisation)
