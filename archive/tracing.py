# SPDX-License-Identifier: Apache-2.0
"""The lines of a trace, made of the cores of acts and of the rows they name: seals, licences, decisions.

No detail of an act is read, and nothing here says anything of a holder.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from archive.models import Dossier, DossierMember, Role
from licenses.models import Decision, License, LicenseUsage
from seals.models import Seal, Sealing
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.kinds import TITLES, ActKind
from storage.ledger.models import LedgerAct, LedgerEntry

_USED_BY_DOSSIER = (str(Role.LICENCE), str(Role.CALLED_UP))


@dataclass(frozen=True, slots=True)
class SealUsed:
    """The seal of a line: its id, the name it is registered under, and the type of what it sealed."""

    id: str
    name: str
    document: str


@dataclass(frozen=True, slots=True)
class LicenseUsed:
    """A licence that a line is about, or that was used in it."""

    id: str
    identifier: str
    type_code: str
    organisation: str


@dataclass(frozen=True, slots=True)
class TracedAct:
    """One line of a trace.

    Attributes:
        titles: Name of the kind in Chinese and English.
        actor: Kind, id, organisation, roles, operator: no names.
        basis: Access basis, if one was stated.
        seal: The seal, where the act is about its use.
        licenses: The licences that the act is about or used.
        intent: The intent that this outcome closes.
        seq: Place in the ledger; ``None`` until it is sequenced.
    """

    act_id: str
    kind: str
    titles: tuple[str, str]
    at: dt.datetime
    actor: Mapping[str, str]
    object_type: str
    object_id: str
    object_sha256: str | None
    basis: Mapping[str, str] | None
    outcome: str
    reasons: tuple[str, ...]
    intent: str | None
    seq: int | None
    seal: SealUsed | None = None
    licenses: tuple[LicenseUsed, ...] = ()


@dataclass(frozen=True, slots=True)
class TracedUse:
    """A use of a licence for the case; ``license`` is ``None`` where a question met none."""

    row: LicenseUsage
    license: LicenseUsed | None


@dataclass(frozen=True, slots=True)
class _Named:
    """What the acts of a trace name: seals and licences, by the id of the act's object."""

    seals: Mapping[str, SealUsed]
    licenses: Mapping[str, Sequence[LicenseUsed]]


def acts_of(uow: UnitOfWork, case_id: str, license_: License | None) -> tuple[TracedAct, ...]:
    """Give every act of a case and of its licence, in the ledger's order."""
    condition = LedgerAct.case_id == case_id
    if license_ is not None:
        of_license = (LedgerAct.object_type == "licence") & (LedgerAct.object_id == license_.id)
        condition = or_(condition, of_license)
    rows = uow.session.execute(
        select(LedgerAct, LedgerEntry.seq)
        .outerjoin(LedgerEntry, LedgerEntry.act_id == LedgerAct.act_id)
        .where(condition)
    )
    # The ledger's order decides; what is not in it yet comes last, by the time of its recording.
    found = sorted(
        ((act, seq) for act, seq in rows),
        key=lambda pair: (pair[1] is None, pair[1] or 0, pair[0].recorded_at, pair[0].act_id),
    )
    named = _named(uow, [act for act, _ in found])
    return tuple(traced(act, seq, named) for act, seq in found)


def uses_of(uow: UnitOfWork, case_id: str) -> tuple[TracedUse, ...]:
    """Give every use of a licence on the basis of a case, refused ones too, oldest first."""
    query = select(LicenseUsage).where(LicenseUsage.case_id == case_id)
    rows = uow.session.scalars(query.order_by(LicenseUsage.at, LicenseUsage.id)).all()
    licenses = _licenses(uow, (row.license_id for row in rows if row.license_id))
    return tuple(TracedUse(row, licenses.get(row.license_id or "")) for row in rows)


def decisions_of(uow: UnitOfWork, case_id: str) -> tuple[Decision, ...]:
    """Give the decisions on the proofs of a case, oldest first."""
    query = select(Decision).where(Decision.case_id == case_id)
    return tuple(uow.session.scalars(query.order_by(Decision.at, Decision.id)))


def traced(act: LedgerAct, seq: int | None, named: _Named | None = None) -> TracedAct:
    """Make the line of an act."""
    core = json.loads(act.core)
    return TracedAct(
        act_id=act.act_id,
        kind=act.kind,
        titles=TITLES[ActKind(act.kind)],
        at=act.recorded_at,
        actor=core["actor"],
        object_type=act.object_type,
        object_id=act.object_id,
        object_sha256=core["object"].get("sha256"),
        basis=core["basis"],
        outcome=act.outcome,
        reasons=tuple(core["reasons"]),
        intent=act.intent,
        seq=seq,
        seal=named.seals.get(act.object_id) if named else None,
        licenses=tuple(named.licenses.get(act.object_id, ())) if named else (),
    )


def _named(uow: UnitOfWork, acts: Sequence[LedgerAct]) -> _Named:
    objects: Mapping[str, set[str]] = defaultdict(set)
    for act in acts:
        objects[act.object_type].add(act.object_id)
    seals, sealed = _sealings(uow, objects["sealing"])
    pairs = {(one, one) for one in objects["licence"]} | set(sealed.items())
    pairs |= _relied_on(uow, objects["decision"]) | _joined(uow, objects["dossier"])
    licenses = _licenses(uow, (license_id for _, license_id in pairs))
    used: Mapping[str, list[LicenseUsed]] = defaultdict(list)
    for object_id, license_id in sorted(pairs):
        if license_id in licenses:
            used[object_id].append(licenses[license_id])
    return _Named(seals, used)


def _sealings(uow: UnitOfWork, ids: Iterable[str]) -> tuple[dict[str, SealUsed], dict[str, str]]:
    """Give the seal of each use of a seal, and the licence that was sealed where it was one."""
    rows = uow.session.scalars(select(Sealing).where(Sealing.id.in_(ids))).all()
    used = uow.session.scalars(select(Seal).where(Seal.id.in_({one.seal_id for one in rows if one.seal_id})))
    names = {seal.id: seal.name for seal in used}
    seals = {
        one.id: SealUsed(one.seal_id, names[one.seal_id], one.document_type)
        for one in rows
        if one.seal_id is not None
    }
    return seals, {one.id: one.object_id for one in rows if one.document_type == "licence"}


def _relied_on(uow: UnitOfWork, decisions: Iterable[str]) -> set[tuple[str, str]]:
    query = select(LicenseUsage.decision_id, LicenseUsage.license_id).where(
        LicenseUsage.decision_id.in_(decisions), LicenseUsage.license_id.is_not(None)
    )
    return {(decision or "", license_id or "") for decision, license_id in uow.session.execute(query)}


def _joined(uow: UnitOfWork, dossiers: Iterable[str]) -> set[tuple[str, str]]:
    query = (
        select(Dossier.id, DossierMember.reference)
        .join(DossierMember, DossierMember.dossier_id == Dossier.id)
        .where(Dossier.id.in_(dossiers), DossierMember.role.in_(_USED_BY_DOSSIER))
    )
    return {(dossier, license_id or "") for dossier, license_id in uow.session.execute(query)}


def _licenses(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, LicenseUsed]:
    rows = uow.session.scalars(select(License).where(License.id.in_(set(ids))))
    return {one.id: LicenseUsed(one.id, one.identifier, one.type_code, one.organisation) for one in rows}


def pages_read_this_hour(uow: UnitOfWork, identity: Identity, dossier: Dossier) -> bool:
    """Tell whether the act stands that this identity reads a dossier's pages in this hour of the clock."""
    hour = uow.clock.now().replace(minute=0, second=0, microsecond=0)
    found = select(LedgerAct.act_id).where(
        LedgerAct.kind == str(ActKind.DOSSIER_PAGES_READ),
        LedgerAct.object_type == "dossier",
        LedgerAct.object_id == dossier.id,
        LedgerAct.actor_id == identity.id,
        LedgerAct.organisation == identity.organisation,
        LedgerAct.recorded_at >= hour,
    )
    return uow.session.scalar(found.limit(1)) is not None
