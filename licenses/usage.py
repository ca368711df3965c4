# SPDX-License-Identifier: Apache-2.0
"""Records of use 用证记录: what the holder and supervision see of every use, refused ones too."""

from dataclasses import dataclass
from typing import Any

from licenses.models import LicenseUsage
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use to be noted; see :class:`licenses.models.LicenseUsage`."""

    action: str
    holder_id: str
    result: str
    license_id: str | None = None
    asked: str = ""
    reason: str | None = None
    decision_id: str | None = None


def usage_row(uow: UnitOfWork, identity: Identity, use: Use) -> LicenseUsage:
    """Make the row of a use from who asks and on which basis; the caller adds and records it."""
    return LicenseUsage(**usage_values(uow, identity, use))


def usage_values(uow: UnitOfWork, identity: Identity, use: Use) -> dict[str, Any]:
    """Give what :func:`usage_row` makes, by column: for many uses at once."""
    basis, now = identity.basis, uow.clock.now()
    return {
        "id": uow.ids.id_at(now),
        "at": now,
        "action": use.action,
        "holder_id": use.holder_id,
        "license_id": use.license_id,
        "case_id": basis.case if basis else None,
        "item_code": basis.item if basis else None,
        "purpose": basis.purpose if basis else None,
        "basis": str(basis.kind) if basis else "none",
        "actor_id": identity.id,
        "operator": operator_of(identity),
        "organisation": identity.organisation,
        "asked": use.asked[:200],
        "result": use.result,
        "reason": use.reason,
        "decision_id": use.decision_id,
    }


def on_public_check(identity: Identity) -> Identity:
    """Give an identity on the basis of a public check; a purpose that it stated for one stays."""
    basis = identity.basis
    stated = basis.purpose if basis is not None and basis.kind is Basis.PUBLIC_CHECK else None
    return identity.on(AccessBasis(Basis.PUBLIC_CHECK, purpose=stated))


def operator_of(identity: Identity) -> str | None:
    """Give the person who acts: the operator a client named, or the person itself; never a machine."""
    return identity.id if identity.kind == "person" else identity.operator
