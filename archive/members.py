# SPDX-License-Identifier: Apache-2.0
"""What a dossier is made of: members in their order, from what a filing left in tables and objects."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from archive.filings import FilingFile, parts_of, text_of
from archive.intake import METADATA_TYPE
from archive.models import Dossier, DossierMember, Filing, FilingMaterial, MaterialOutcome, Role
from archive.names import Title, stored_name, titles
from archive.rendering import PDF
from cases.items import Item
from licenses.copies.models import LicenseCopy
from licenses.models import License
from storage.database import UnitOfWork
from storage.ledger.canonical import Json
from storage.objects.ports import StoredObject

ANSWER_TYPE = "application/jose"
_TITLES = {Role.LICENCE: "本办件证照", Role.CALLED_UP: "办理中调用的证照"}
_KEPT = frozenset({MaterialOutcome.KEPT, MaterialOutcome.SEALED_KEPT})


@dataclass(frozen=True, slots=True)
class Slot:
    """A member to be: everything but its place."""

    role: Role
    code: str
    title: str
    file_name: str
    stored: StoredObject
    pages: int | None = None
    level: str | None = None
    material_id: str | None = None
    reference: str | None = None
    sealing_act: str | None = None

    def member(self, uow: UnitOfWork, dossier: Dossier, position: int) -> DossierMember:
        """Make the row of the member at a place."""
        return DossierMember(
            id=uow.ids.new_id(),
            dossier_id=dossier.id,
            position=position,
            role=str(self.role),
            code=self.code,
            title=self.title,
            file_name=self.file_name,
            sha256=self.stored.sha256,
            sm3=self.stored.sm3,
            size=self.stored.size,
            media_type=self.stored.media_type,
            pages=self.pages,
            level=self.level,
            material_id=self.material_id,
            reference=self.reference,
            sealing_act=self.sealing_act,
        )


def stored_json(stored: StoredObject) -> dict[str, Json]:
    """Write what is known of stored bytes into a step's result."""
    return {
        "sha256": stored.sha256,
        "sm3": stored.sm3,
        "size": stored.size,
        "media_type": stored.media_type,
    }


def read_stored(entry: Json) -> StoredObject:
    """Read what :func:`stored_json` wrote."""
    size = entry["size"] if isinstance(entry, Mapping) else None
    if not isinstance(size, int):
        raise LookupError("size")  # noqa: TRY004 - a result of ours that lacks a member, not a caller's type
    return StoredObject(text_of(entry, "sha256"), text_of(entry, "sm3"), size, text_of(entry, "media_type"))


def filing_slots(filing: Filing) -> Iterator[Slot]:
    """Give the metadata as received and the report of the checks."""
    metadata = StoredObject(filing.metadata_sha256, filing.metadata_sm3, filing.metadata_size, METADATA_TYPE)
    yield Slot(Role.METADATA, "metadata", "归档元数据", "metadata.json", metadata)
    if filing.checks_sha256 and filing.checks_sm3 and filing.checks_size:
        report = StoredObject(filing.checks_sha256, filing.checks_sm3, filing.checks_size, METADATA_TYPE)
        yield Slot(Role.CHECKS, "checks", "四性检测报告", "checks.json", report)


def material_slots(material: FilingMaterial, title: Title) -> Iterator[Slot]:
    """Give the original, and the rendition that we made of it; a kept original is its own rendition."""
    kept = material.outcome in _KEPT
    media_type = material.media_type or material.declared_type
    yield Slot(
        Role.ORIGINAL,
        material.code,
        title.zh,
        stored_name(material.position, material.code, media_type),
        StoredObject(material.sha256, material.sm3, material.size, media_type),
        pages=material.pages,
        level=material.level if kept else None,
        material_id=material.id,
    )
    if material.rendition_sha256 and material.rendition_sm3 and material.rendition_size:
        yield Slot(
            Role.RENDITION,
            material.code,
            title.zh,
            f"{material.position:03d}.pdf",
            StoredObject(material.rendition_sha256, material.rendition_sm3, material.rendition_size, PDF),
            pages=material.pages,
            level=material.level,
            material_id=material.id,
        )


def joined_slots(uow: UnitOfWork, result: Json) -> Iterator[Slot]:
    """Give the case's licence, the licences used, the copies made for it, and the decisions given."""
    for entry in parts_of(result, "licences"):
        license_ = uow.session.get_one(License, text_of(entry, "id"))
        role, pages = Role(text_of(entry, "role")), entry["pages"]
        yield Slot(
            role,
            license_.type_code,
            _TITLES[role],
            f"{role}-{license_.id}.pdf",
            read_stored(entry["stored"]),
            pages=pages if isinstance(pages, int) else None,
            level="3b",
            reference=license_.id,
            sealing_act=license_.sealing_act,
        )
    for entry in parts_of(result, "copies"):
        copy = uow.session.get_one(LicenseCopy, text_of(entry, "id"))
        pages = entry["pages"]
        yield Slot(
            Role.CALLED_UP,
            uow.session.get_one(License, copy.license_id).type_code,
            "办理中制作的加注件",
            f"copy-{copy.id}.pdf",
            read_stored(entry["stored"]),
            pages=pages if isinstance(pages, int) else None,
            level="3b",
            reference=copy.id,
            sealing_act=copy.sealing_act,
        )
    for entry in parts_of(result, "decisions"):
        decision = text_of(entry, "id")
        yield Slot(
            Role.DECISION,
            "decision",
            "免证核验结论",
            f"decision-{decision}.jws",
            read_stored(entry["stored"]),
            reference=decision,
        )
    yield from _rung_slots(result)


def _rung_slots(result: Json) -> Iterator[Slot]:
    """Give the forms of commitments, the signed statements of rungs, and the calls that systems signed."""
    if not isinstance(result, Mapping) or not {"commitments", "statements"} <= result.keys():
        # Staged by a release that knew neither.
        return
    for entry in parts_of(result, "commitments"):
        rung, pages = text_of(entry, "id"), entry["pages"]
        yield Slot(
            Role.COMMITMENT,
            "commitment",
            "证明事项告知承诺书",
            f"commitment-{rung}.pdf",
            read_stored(entry["stored"]),
            pages=pages if isinstance(pages, int) else None,
            level="3b",
            reference=rung,
        )
    for entry in parts_of(result, "statements"):
        event = text_of(entry, "id")
        yield Slot(
            Role.DECISION,
            "statement",
            "承诺、协查、补交或收取的经过",
            f"statement-{event}.jws",
            read_stored(entry["stored"]),
            reference=event,
        )
    if "calls" not in result:
        return
    for entry in parts_of(result, "calls"):
        call = text_of(entry, "id")
        yield Slot(
            Role.DECISION,
            "call",
            "业务系统签名的请求",
            f"call-{call}.json",
            read_stored(entry["stored"]),
            reference=call,
        )


def dossier_slots(uow: UnitOfWork, file: FilingFile, item: Item, result: Json) -> list[Slot]:
    """Give all members of a dossier but its catalogue, in order."""
    named = zip(file.materials, titles(item, [one.code for one in file.materials]), strict=True)
    materials = [slot for material, title in named for slot in material_slots(material, title)]
    return [*filing_slots(file.filing), *materials, *joined_slots(uow, result)]


def sizes_of(uow: UnitOfWork, dossiers: Collection[str]) -> Mapping[str, int]:
    """Give how many bytes the files of each dossier have together; nobody learns of a file by that."""
    query = (
        select(DossierMember.dossier_id, func.sum(DossierMember.size))
        .where(DossierMember.dossier_id.in_(dossiers))
        .group_by(DossierMember.dossier_id)
    )
    return {dossier: int(size) for dossier, size in uow.session.execute(query)}
