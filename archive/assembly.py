# SPDX-License-Identifier: Apache-2.0
"""Step ``archive.assemble``: the dossier comes into being, with its number, retention and members.

It starts when the licence of the case is issued, if there is one. Joined in as members are the licences that
decisions of the case relied on, those that were read for it, those that the filing names as called up, the
annotated copies that were made for it, and the decisions: what was called up instead of demanded belongs to
the file as much as what was handed in. A licence is joined because it was used; its status, whatever it has
become, is not asked. Renditions get their final digests when they are sealed. A supplement joins in only what
no dossier of the case holds yet.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select

from archive.errors import FilingRefusedError
from archive.filings import FilingFile, load, move, parts_of, text_of
from archive.intake import METADATA_TYPE
from archive.members import ANSWER_TYPE, dossier_slots, stored_json
from archive.models import Dossier, DossierMember, FilingState, Role
from archive.numbering import NumberTemplates, reserve, supplement_number
from archive.rendering import PDF
from archive.retention import decide
from cases.holders import HolderService
from cases.items import Item, ItemCatalogue
from cases.services import CaseService
from documents.formats import identify
from documents.sandbox import Sandbox
from licenses.copies.models import LicenseCopy
from licenses.copies.services import copies_of
from licenses.ladder.calls import calls_of, filed_call, token_is_good_for
from licenses.ladder.statements import awaits_form, forms_of, newest_statements
from licenses.models import Decision, License, LicenseUsage, SignedAnswer
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.ledger.canonical import Json
from storage.objects.ports import ObjectStore
from storage.steps import Job, Later, Staging

CATALOGUE_POSITION = 1
_USED = ("MET", "READ")

_LOOK_AGAIN: Final = 20.0
"""Seconds; a form is made within seconds once a seal covers it."""


class AssembleStep:
    """Makes the dossier of a rendered filing.

    Args:
        objects: Where files lie; signed answers are stored there.
        items: Items, departments with their fonds.
        cases: Finds the holder.
        holders: Names the holder in the title, a person masked.
        templates: How each fonds numbers its dossiers.
        sandbox: Where pages of licences are counted.
    """

    kind = "archive.assemble"

    def __init__(
        self,
        objects: ObjectStore,
        items: ItemCatalogue,
        cases: CaseService,
        holders: HolderService,
        templates: NumberTemplates,
        sandbox: Sandbox,
    ) -> None:
        self._objects = objects
        self._items = items
        self._cases = cases
        self._holders = holders
        self._templates = templates
        self._sandbox = sandbox

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Name the licences, copies and signed answers to join in.

        It waits for the forms of commitments, and until the tokens in signed calls are over.

        Raises:
            FilingRefusedError: The case's licence has no file, though its step is done.
        """
        file = load(uow, job.subject)
        if FilingState(file.filing.state) is not FilingState.RENDERED:
            return None
        if awaits_form(uow, file.case.id):
            return Later("commitment-form-missing", _LOOK_AGAIN)
        if (left := token_is_good_for(uow, file.case.id)) > 0:
            return Later("signed-call-young", left)
        own, held = _own_license(uow, file), _held(uow, file.case.id)
        called_up = [
            one
            for one in _called_up(uow, file.case.id)
            if one.id not in held and (own is None or one.id != own.id)
        ]
        licenses = [(Role.LICENCE, own)] if own else []
        licenses += [(Role.CALLED_UP, one) for one in called_up]
        return {
            "licences": [
                {"role": str(role), "id": one.id, "sha256": one.object_sha256} for role, one in licenses
            ],
            "copies": [
                {"id": one.id, "sha256": one.object_sha256}
                for one in copies_of(uow, LicenseCopy.case_id == file.case.id)
                if one.id not in held
            ],
            "decisions": [
                {"id": decision.id, "jws": uow.secrets.decrypt(cipher).decode()}
                for decision, cipher in _decisions(uow, file.case.id)
                if decision.id not in held
            ],
            "statements": [
                {"id": one.event_id, "jws": uow.secrets.decrypt(one.jws_cipher).decode()}
                for one, _ in newest_statements(uow, file.case.id, held)
            ],
            "commitments": [
                {"id": one.id, "sha256": one.form_sha256}
                for one in forms_of(uow, file.case.id)
                if one.id not in held
            ],
            "calls": [
                {"id": one.id, "call": filed_call(uow, one)} for one in calls_of(uow, file.case.id, held)
            ],
        }

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Read the licences' files and store the signed answers."""
        return {
            "licences": [self._license(entry, staging) for entry in parts_of(plan, "licences")],
            "copies": [self._license(entry, staging) for entry in parts_of(plan, "copies")],
            "decisions": [self._decision(entry) for entry in parts_of(plan, "decisions")],
            "statements": [self._decision(entry) for entry in parts_of(plan, "statements")],
            "commitments": [self._license(entry, staging) for entry in parts_of(plan, "commitments")],
            "calls": [self._call(entry) for entry in _calls(plan)],
        }

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the plan has served
        """Reserve the number and create the dossier with its members."""
        file = load(uow, job.subject)
        item = self._items.get(file.case.item_code, file.case.item_edition)
        dossier = self._dossier(uow, file, item)
        slots = dossier_slots(uow, file, item, result)
        members = [
            slot.member(uow, dossier, place) for place, slot in enumerate(slots, CATALOGUE_POSITION + 1)
        ]
        uow.session.add_all([dossier, *members])
        file.filing.dossier_id = dossier.id
        move(uow, file.filing, FilingState.ASSEMBLED)
        uow.add_step("archive.seal", file.filing.id)
        failpoint("archive.assemble.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended outside; the step is planned anew."""

    def _license(self, entry: dict[str, Json], staging: Staging) -> dict[str, Json]:
        path = staging.path("licence.pdf")
        self._objects.fetch(text_of(entry, "sha256"), path)
        try:
            stored = self._objects.put(path, PDF)
            pages = identify(path, self._sandbox).pages
        finally:
            path.unlink()
        return entry | {"stored": stored_json(stored), "pages": pages}

    def _decision(self, entry: dict[str, Json]) -> dict[str, Json]:
        stored = self._objects.put(text_of(entry, "jws").encode(), ANSWER_TYPE)
        return {"id": entry["id"], "stored": stored_json(stored)}

    def _call(self, entry: dict[str, Json]) -> dict[str, Json]:
        stored = self._objects.put(text_of(entry, "call").encode(), METADATA_TYPE)
        return {"id": entry["id"], "stored": stored_json(stored)}

    def _dossier(self, uow: UnitOfWork, file: FilingFile, item: Item) -> Dossier:
        if file.filing.supplement is not None:
            return _supplement(uow, file, main_dossier(uow, file.case.id), file.filing.supplement)
        case, filing = file.case, file.filing
        retention = decide(item, filing.result)
        fonds = self._items.department(case.organisation).fonds
        year = legal_date(filing.closed_at).year
        reservation, _ = reserve(uow, self._templates.of(fonds), year, retention.code, case.id)
        holder = self._holders.masked(uow, self._cases.holder(uow, case))
        return Dossier(
            id=uow.ids.new_id(),
            case_id=case.id,
            filing_id=filing.id,
            holder_id=case.holder_id,
            organisation=case.organisation,
            item_code=case.item_code,
            item_edition=case.item_edition,
            title=f"{holder.name}{item.zh}",
            archival_number=reservation.number,
            fonds=fonds,
            year=year,
            retention=retention.code,
            retention_zh=retention.zh,
            retention_en=retention.en,
            assembled_at=uow.clock.now(),
            version=1,
        )


def _calls(plan: Json) -> Sequence[dict[str, Json]]:
    """Give the signed calls of a plan; one that a release before them made knows none."""
    return parts_of(plan, "calls") if isinstance(plan, Mapping) and "calls" in plan else ()


def main_dossier(uow: UnitOfWork, case_id: str) -> Dossier:
    """Give the dossier that the supplements of a case add to."""
    query = select(Dossier).where(Dossier.case_id == case_id, Dossier.supplement.is_(None))
    return uow.session.scalars(query).one()


def _supplement(uow: UnitOfWork, file: FilingFile, main: Dossier, number: int) -> Dossier:
    """Make the dossier of a supplement: what it adds to stays as it was sealed, and lends it its terms."""
    return Dossier(
        id=uow.ids.new_id(),
        case_id=main.case_id,
        filing_id=file.filing.id,
        holder_id=main.holder_id,
        organisation=main.organisation,
        item_code=main.item_code,
        item_edition=main.item_edition,
        title=main.title,
        archival_number=supplement_number(main.archival_number, number),
        fonds=main.fonds,
        year=main.year,
        retention=main.retention,
        retention_zh=main.retention_zh,
        retention_en=main.retention_en,
        assembled_at=uow.clock.now(),
        version=1,
        supplement=number,
    )


def _held(uow: UnitOfWork, case_id: str) -> frozenset[str]:
    """Give the licences and decisions that dossiers of the case hold already."""
    query = (
        select(DossierMember.reference)
        .join(Dossier, Dossier.id == DossierMember.dossier_id)
        .where(Dossier.case_id == case_id, DossierMember.reference.is_not(None))
    )
    return frozenset(one for one in uow.session.scalars(query) if one is not None)


def _own_license(uow: UnitOfWork, file: FilingFile) -> License | None:
    if file.filing.license_id is None:
        return None
    license_ = uow.session.get_one(License, file.filing.license_id)
    if license_.object_sha256 is None:
        raise FilingRefusedError(rule="licence-without-file")
    return license_


def _called_up(uow: UnitOfWork, case_id: str) -> Sequence[License]:
    used = select(LicenseUsage.license_id).where(
        LicenseUsage.case_id == case_id,
        LicenseUsage.license_id.is_not(None),
        LicenseUsage.result.in_(_USED),
        # A list of what a holder has shows no face: nothing in it was used. A copy is joined as it was made.
        LicenseUsage.action != "find",
    )
    return uow.session.scalars(
        select(License)
        .where(License.id.in_(used), License.object_sha256.is_not(None))
        .order_by(License.reserved_at, License.id)
    ).all()


def _decisions(uow: UnitOfWork, case_id: str) -> list[tuple[Decision, bytes]]:
    rows = uow.session.execute(
        select(Decision, SignedAnswer.jws_cipher)
        .join(SignedAnswer, SignedAnswer.decision_id == Decision.id)
        .where(Decision.case_id == case_id)
        .order_by(Decision.at, Decision.id)
    )
    return [(decision, cipher) for decision, cipher in rows]
