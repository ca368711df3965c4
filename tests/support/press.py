# SPDX-License-Identifier: Apache-2.0
"""Seal without a database: what the suites of seals and conformance share."""

import datetime as dt
from collections.abc import Callable

from fakes import HandClock

from seals import cms, signer
from seals.demo_pki import DemoPki
from seals.orders import Placement, SealedDocument, SealOrder
from seals.sealing import SealingService
from seals.tokens import TimestampAuthority
from seals.trust import RegisteredSeal, StateChange, TrustList
from seals.verdicts import Verdict
from seals.verification import KnownDocument, verify_pdf

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


def verdict(press: Press, data: bytes, trust: TrustList | None = None, known: str | None = None) -> Verdict:
    document = None if known is None else KnownDocument(known)
    return verify_pdf(data, trust or press.registered(), document, press.clock.now())


def seal_with(press: Press, page: bytes, stamp: Callable[[bytes], bytes] | None) -> bytes:
    """Seal without any check of the token, as careless software does."""
    signatory = press.pki.signatory("housing")
    prepared = signer.prepare(page, signatory, at=press.clock.now(), name="示例市局", reason="x", stamp=None)
    return prepared.fill(cms.sign(signatory, digest=prepared.digest, stamp=stamp))
