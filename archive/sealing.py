# SPDX-License-Identifier: Apache-2.0
"""Step ``archive.seal``: the renditions we made and the catalogue get the department's seal.

Intents are recorded for every file before the first is sealed, outcomes for every file afterwards. The
catalogue is set when the sealed renditions' digests are known, so it names every file as it is filed. What
came sealed or as PDF/A is never sealed by us: its bytes are somebody else's.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from archive.catalogue import SEAL, CatalogueFacts, catalogue_data, member_data, typeset
from archive.filings import FilingFile, load, move, parts_of, text_of
from archive.members import Slot, read_stored, stored_json
from archive.models import Dossier, DossierMember, FilingState, Role
from archive.rendering import PDF
from cases.items import ItemCatalogue
from documents.formats import identify
from documents.ports import Typesets
from documents.sandbox import Sandbox
from seals.orders import DocumentType, Placement, SealedDocument, SealFacts, SealOrder, SealRequest
from seals.sealing import SealingService
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.ledger.canonical import Json
from storage.objects.ports import ObjectStore
from storage.steps import Job, Later, Staging

CATALOGUE_NAME = "catalogue.pdf"


class SealStep:
    """Seals the documents of an assembled dossier.

    Args:
        objects: Where files lie and sealed files go.
        items: Items and departments, for the catalogue.
        typesetter: Sets the catalogue.
        sealing: Uses the department's seal.
        sandbox: Where the catalogue's pages are counted.
    """

    kind = "archive.seal"

    def __init__(
        self,
        objects: ObjectStore,
        items: ItemCatalogue,
        typesetter: Typesets,
        sealing: SealingService,
        sandbox: Sandbox,
    ) -> None:
        self._objects = objects
        self._items = items
        self._typesetter = typesetter
        self._sealing = sealing
        self._sandbox = sandbox

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Record the intents; when one is refused, that is recorded and the step waits."""
        file = load(uow, job.subject)
        if FilingState(file.filing.state) is not FilingState.ASSEMBLED:
            return None
        dossier = dossier_of(uow, file)
        members = members_of(uow, dossier.id)
        made = [member for member in members if member.role == Role.RENDITION]
        requests = [_request(file, "rendition", member.id) for member in made]
        requests.append(_request(file, "catalogue", dossier.id, SEAL))
        orders = self._sealing.plan_all(uow, file.actor, requests)
        if isinstance(orders, Later):
            return orders
        facts = CatalogueFacts(
            dossier,
            file.case,
            self._items.get(dossier.item_code, dossier.item_edition),
            self._items.department(dossier.organisation),
        )
        alone = {material.id: material.reason for material in file.materials}
        return {
            "renditions": [
                {"member": member.id, "sha256": member.sha256, "order": order.as_json()}
                for member, order in zip(made, orders, strict=False)
            ],
            "catalogue": orders[-1].as_json(),
            "data": catalogue_data(facts),
            "members": [
                member_data(
                    member, alone.get(member.material_id or "") if member.role == Role.ORIGINAL else None
                )
                for member in members
            ],
        }

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Seal the renditions, set the catalogue with their digests, seal it; store all."""
        sealed: dict[str, Json] = {}
        for entry in parts_of(plan, "renditions"):
            pdf = self._objects.read(text_of(entry, "sha256"))
            document = self._sealing.perform(SealOrder.from_json(entry["order"]), pdf)
            sealed[text_of(entry, "member")] = self._store(document)
        lines = [_final_line(line, sealed) for line in parts_of(plan, "members")]
        head = member_of(plan, "data")
        pdf = typeset(self._typesetter, {**head, "members": lines})
        document = self._sealing.perform(SealOrder.from_json(member_of(plan, "catalogue")), pdf)
        staging.write(CATALOGUE_NAME, document.data)
        pages = identify(staging.path(CATALOGUE_NAME), self._sandbox).pages
        return {"renditions": sealed, "catalogue": self._store(document), "pages": pages}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Record the outcomes and give members and catalogue their final digests."""
        file = load(uow, job.subject)
        dossier = dossier_of(uow, file)
        sealed = member_of(result, "renditions")
        materials = {material.id: material for material in file.materials}
        for entry in parts_of(plan, "renditions"):
            outcome = member_of(sealed, text_of(entry, "member"))
            member = uow.session.get_one(DossierMember, text_of(entry, "member"))
            member.sealing_act = self._record(uow, file, entry["order"], outcome)
            stored = read_stored(outcome["stored"])
            member.sha256, member.sm3, member.size = stored.sha256, stored.sm3, stored.size
            material = materials[member.material_id or ""]
            material.sealed_sha256, material.sealed_sm3 = stored.sha256, stored.sm3
            material.sealed_size, material.sealing_act = stored.size, member.sealing_act
        outcome = member_of(result, "catalogue")
        slot = Slot(
            Role.CATALOGUE,
            "catalogue",
            "案卷目录",
            CATALOGUE_NAME,
            read_stored(outcome["stored"]),
            pages=_count(result, "pages"),
            level="3b",
            sealing_act=self._record(uow, file, member_of(plan, "catalogue"), outcome),
        )
        uow.session.add(slot.member(uow, dossier, 1))
        dossier.catalogue_sha256 = slot.stored.sha256
        move(uow, file.filing, FilingState.SEALED)
        uow.add_step("archive.manifest", file.filing.id)
        failpoint("archive.seal.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Close every intent of the plan as abandoned."""
        file = load(uow, job.subject)
        orders = [entry["order"] for entry in parts_of(plan, "renditions")]
        for order in [*orders, member_of(plan, "catalogue")]:
            self._sealing.abandon(uow, file.actor, SealOrder.from_json(order))

    def _store(self, document: SealedDocument) -> dict[str, Json]:
        stored = self._objects.put(document.data, PDF)
        return {"facts": document.facts.as_json(), "stored": stored_json(stored)}

    def _record(self, uow: UnitOfWork, file: FilingFile, order: Json, outcome: Mapping[str, Json]) -> str:
        facts = SealFacts.from_json(outcome["facts"])
        return self._sealing.record(uow, file.actor, SealOrder.from_json(order), facts).core_sha256


def dossier_of(uow: UnitOfWork, file: FilingFile) -> Dossier:
    """Give the dossier of a filing that has one."""
    return uow.session.scalars(select(Dossier).where(Dossier.filing_id == file.filing.id)).one()


def filed_of(uow: UnitOfWork, case_id: str) -> Sequence[Dossier]:
    """Give the filed dossier of a case and its supplements, by number."""
    query = select(Dossier).where(Dossier.case_id == case_id, Dossier.filed_at.is_not(None))
    return sorted(uow.session.scalars(query), key=lambda one: one.supplement or 0)


def members_of(uow: UnitOfWork, dossier_id: str) -> Sequence[DossierMember]:
    """Give the members of a dossier in order."""
    return uow.session.scalars(
        select(DossierMember).where(DossierMember.dossier_id == dossier_id).order_by(DossierMember.position)
    ).all()


def member_of(value: Json, name: str) -> Mapping[str, Json]:
    """Give a member of a plan or result that is an object."""
    member = value[name] if isinstance(value, Mapping) else None
    if not isinstance(member, Mapping):
        raise LookupError(name)  # noqa: TRY004 - a plan of ours that lacks a member, not a caller's type
    return member


def _request(
    file: FilingFile, document_type: DocumentType, object_id: str, stamp: Placement | None = None
) -> SealRequest:
    return SealRequest(
        department=file.case.organisation,
        item=file.case.item_code,
        document_type=document_type,
        case=file.case.id,
        object_id=object_id,
        subject=file.case.holder_id,
        stamp=stamp,
    )


def _final_line(line: dict[str, Json], sealed: Mapping[str, Json]) -> dict[str, Json]:
    if text_of(line, "id") not in sealed:
        return line
    stored = read_stored(member_of(sealed, text_of(line, "id"))["stored"])
    return line | {"sha256": stored.sha256, "size": str(stored.size)}


def _count(value: Json, name: str) -> int | None:
    number = value[name] if isinstance(value, Mapping) else None
    return number if isinstance(number, int) else None
