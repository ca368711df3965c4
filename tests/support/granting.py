# SPDX-License-Identifier: Apache-2.0
"""Grants as tests need them: what two persons would have agreed on."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from licenses.grants.models import LicenseGrant
from licenses.grants.services import add
from licenses.grants.terms import Ceiling, GrantedItem, NewGrant
from licenses.purposes import purposes
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity, Role

APPROVER = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
EVERY_ITEM = ("339999010001", "339999010002", "339999020001")


def terms(today: dt.date, items: Iterable[str | GrantedItem] = EVERY_ITEM, **changes: Any) -> NewGrant:
    """Give terms that cover every call for some items, unless ``changes`` narrow them."""
    wide: dict[str, Any] = {
        "organisation": "scjg",
        "items": [GrantedItem(one) if isinstance(one, str) else one for one in items],
        "purposes": sorted(purposes()),
        "ceiling": Ceiling.DOCUMENT,
        "quota": 100_000,
        "valid_from": today - dt.timedelta(days=1),
        "valid_until": today + dt.timedelta(days=1000),
        "legal_basis": "演示市政务数据共享办法第十条",
    }
    return NewGrant(**wide | changes)


def grant(uow: UnitOfWork, items: Iterable[str | GrantedItem] = EVERY_ITEM, **changes: Any) -> LicenseGrant:
    """Add a grant."""
    new = terms(legal_date(uow.clock.now()), items, **changes)
    return add(uow, APPROVER, new, uow.ids.new_id(), "system-1")
