# SPDX-License-Identifier: Apache-2.0
"""Seal without a database: what the suites of seals and conformance share."""

import datetime as dt

from fakes import HandClock

from seals.demo_pki import DemoPki
from seals.orders import Placement, SealedDocument, SealOrder
from seals.sealing import SealingService
from seals.tokens import TimestampAuthority
from seals.trust import RegisteredSeal, StateChange, TrustList

DEPARTMENTS = [("housing", "示例市住房和城乡建设局"), ("market", "示例市市场监督管理局")]


class Press:
    """Seals without a database, as ``SealingService.perform`` does after ``plan``."""

    def __init__(self, pki: DemoPki, tsa: TimestampAuthority, clock: HandClock) -> None:
        self.pki = pki
        self.clock = clock
        self.service = SealingService(pki.keys, tsa, pki.trust, clock)

    def order(self, department: str = "housing", stamp: Placement | None = None) -> SealOrder:
        return SealOrder(
            sealing="0" * 26,
            intent="0" * 64,
            seal=f"seal-of-{department}",
            name=dict(DEPARTMENTS)[department],
            department=department,
            key=self.pki.seal_key(department),
            certificate=self.pki.certificate(department),
            document_type="catalogue",
            case=None,
            object_id="object",
            subject="system",
            stamp=stamp,
        )

    def seal(self, pdf: bytes, stamp: Placement | None = None) -> SealedDocument:
        return self.service.perform(self.order(stamp=stamp), pdf)

    def registered(self, *changes: StateChange, department: str = "housing") -> TrustList:
        """The trust list of an installation whose register holds this seal."""
        history = changes or (StateChange(self.clock.now() - dt.timedelta(days=1), "enabled"),)
        seal = RegisteredSeal(
            f"seal-of-{department}",
            dict(DEPARTMENTS)[department],
            department,
            self.pki.certificate(department),
            history,
        )
        return self.pki.trust().with_seals([seal])
