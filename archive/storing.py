# SPDX-License-Identifier: Apache-2.0
"""Steps ``archive.manifest`` and ``archive.store``: the sealed manifest, and then: filed.

Before the manifest is sealed, every member is locked for good, read back and hashed, so that it names the
versions that stand. It is sealed in a step of its own, so that storing it under its name is always the same
bytes again.
"""

from collections.abc import Mapping

from sqlalchemy import select

from archive.assembly import main_dossier
from archive.filings import load, move, parts_of, text_of
from archive.manifests import EarlierAct, complete, compose, manifest_key, read
from archive.models import FilingState, NumberReservation, NumberSeries
from archive.sealing import dossier_of, member_of, members_of
from seals.orders import SealFacts, SealOrder, SealRequest
from seals.sealing import SealingService
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.ledger.acts import Act
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.ports import ObjectStore, StoredAt
from storage.steps import Job, Later, Staging

MANIFEST_TYPE = "application/json"
SEAL_TYPE = "application/pkcs7-signature"
SEAL_SUFFIX = ".p7s"


class ManifestStep:
    """Writes and seals the manifest of a sealed dossier.

    Args:
        objects: Where manifest and seal go, under their digests.
        sealing: Uses the department's seal.
    """

    kind = "archive.manifest"

    def __init__(self, objects: ObjectStore, sealing: SealingService) -> None:
        self._objects = objects
        self._sealing = sealing

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Compose the manifest and record the intent to seal it; refused a seal, the step waits."""
        file = load(uow, job.subject)
        dossier = dossier_of(uow, file)
        if FilingState(file.filing.state) is not FilingState.SEALED or dossier.manifest_sha256:
            return None
        adds_to = None if dossier.supplement is None else main_dossier(uow, file.case.id)
        acts = _earlier_acts(uow, file.case.id)
        manifest = compose(dossier, members_of(uow, dossier.id), acts, adds_to)
        request = SealRequest(
            department=file.case.organisation,
            item=file.case.item_code,
            document_type="manifest",
            case=file.case.id,
            object_id=dossier.id,
            subject=file.case.holder_id,
        )
        orders = self._sealing.plan_all(uow, file.actor, [request])
        if isinstance(orders, Later):
            return orders
        return {"manifest": manifest, "order": orders[0].as_json()}

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - objects are staged under their digests
        """Lock and read back every member, seal the manifest that says where they lie, store both."""
        draft = member_of(plan, "manifest")
        members = parts_of(draft, "members")
        places = [self._keep(member) for member in members]
        manifest = complete(draft, members, places)
        seal = self._sealing.perform_detached(SealOrder.from_json(member_of(plan, "order")), manifest)
        return {
            "manifest": self._objects.put(manifest, MANIFEST_TYPE).sha256,
            "seal": self._objects.put(seal.data, SEAL_TYPE).sha256,
            "facts": seal.facts.as_json(),
            "versions": [place.version_id for place in places],
        }

    def _keep(self, member: Mapping[str, Json]) -> StoredAt:
        sha256 = text_of(member, "sha256")
        # A document under a seal of ours still gets its long-term form, which takes its place.
        if member.get("sealing"):
            self._objects.read(sha256)
            return self._objects.locate(sha256)
        return self._objects.keep(sha256)

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Record the outcome and note the digests."""
        file = load(uow, job.subject)
        dossier = dossier_of(uow, file)
        order = SealOrder.from_json(member_of(plan, "order"))
        self._sealing.record(uow, file.actor, order, SealFacts.from_json(member_of(result, "facts")))
        dossier.manifest_sha256 = text_of(result, "manifest")
        dossier.manifest_seal_sha256 = text_of(result, "seal")
        dossier.manifest_key = manifest_key(dossier, dossier.version)
        for member, version in zip(members_of(uow, dossier.id), _versions(result), strict=True):
            member.version_id = version
        uow.add_step("archive.store", file.filing.id)

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Close the intent as abandoned."""
        file = load(uow, job.subject)
        self._sealing.abandon(uow, file.actor, SealOrder.from_json(member_of(plan, "order")))


class StoreStep:
    """Puts the manifest under its name and files the dossier.

    Args:
        objects: Where everything lies.
    """

    kind = "archive.store"

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Name manifest and seal."""
        file = load(uow, job.subject)
        if FilingState(file.filing.state) is not FilingState.SEALED:
            return None
        dossier = dossier_of(uow, file)
        return {
            "key": dossier.manifest_key,
            "manifest": dossier.manifest_sha256,
            "seal": dossier.manifest_seal_sha256,
        }

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - what is stored here is stored for good
        """Store manifest and seal under their names, and see that every member is there."""
        manifest = self._objects.read(text_of(plan, "manifest"))
        key = text_of(plan, "key")
        self._objects.put_named(key, manifest)
        self._objects.keep(text_of(plan, "manifest"))
        self._objects.put_named(key + SEAL_SUFFIX, self._objects.read(text_of(plan, "seal")))
        failpoint("archive.store.after-put")
        members = parts_of(read(self._objects.read_named(key)), "members")
        return {"bytes": sum(self._objects.locate(text_of(member, "sha256")).size for member in members)}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the plan has served
        """File the dossier."""
        file = load(uow, job.subject)
        dossier = dossier_of(uow, file)
        move(uow, file.filing, FilingState.FILED)
        dossier.filed_at = uow.clock.now()
        uow.session.flush()
        numbers: list[NumberReservation | NumberSeries] = []
        if dossier.supplement is None:
            number = uow.session.get_one(NumberReservation, dossier.archival_number)
            numbers = [number, uow.session.get_one(NumberSeries, number.series)]
        members = members_of(uow, dossier.id)
        adds = dossier.supplement is not None
        uow.record(
            Act(
                kind=ActKind.DOSSIER_SUPPLEMENTED if adds else ActKind.DOSSIER_FILED,
                actor=file.actor,
                object_type="dossier",
                object_id=dossier.id,
                object_sha256=dossier.manifest_sha256,
                case=file.case.id,
                subject=file.case.holder_id,
                rows=[dossier, *members, *numbers, file.filing, *file.materials],
                notes={"bytes": _number(result)},
            )
        )
        uow.add_step("index.put", f"dossier:{dossier.id}")
        failpoint("archive.store.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice; named objects take the same bytes again."""


def _earlier_acts(uow: UnitOfWork, case_id: str) -> list[EarlierAct]:
    rows = uow.session.execute(
        select(LedgerAct.act_id, LedgerAct.kind, LedgerAct.outcome)
        .where(LedgerAct.case_id == case_id)
        .order_by(LedgerAct.recorded_at, LedgerAct.act_id)
    )
    return [EarlierAct(act_id, kind, outcome) for act_id, kind, outcome in rows]


def _versions(result: Json) -> list[str | None]:
    versions = result["versions"] if isinstance(result, Mapping) else None
    if not isinstance(versions, list):
        raise LookupError("versions")  # noqa: TRY004 - a result of ours that lacks a member, not a caller's type
    return [one if isinstance(one, str) else None for one in versions]


def _number(result: Json) -> int:
    number = result["bytes"] if isinstance(result, Mapping) else None
    return number if isinstance(number, int) else 0
