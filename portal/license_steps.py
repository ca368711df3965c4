# SPDX-License-Identifier: Apache-2.0
"""Steps of the licence room, made of the parts of an installation."""

from typing import Protocol

from cases.holders import HolderService
from cases.items import ItemCatalogue
from documents.ports import Typesets
from licenses.bulk import BulkService, BulkStep
from licenses.copies.making import CopyStep
from licenses.holdings import Holdings
from licenses.issuing import IssueStep
from licenses.ladder.forms import FormStep
from licenses.rules import RuleBook
from licenses.services import LicenseService
from portal.settings import Settings
from seals.sealing import SealingService
from storage.objects.ports import ObjectStore
from storage.steps import Step


class Objects(Protocol):
    """Where objects lie."""

    @property
    def objects(self) -> ObjectStore:
        """The object store."""
        ...


class LicenseParts(Protocol):
    """What the steps are made of."""

    @property
    def settings(self) -> Settings:
        """Where everything is."""
        ...

    @property
    def foundation(self) -> Objects:
        """Where objects lie."""
        ...

    @property
    def items(self) -> ItemCatalogue:
        """Items and departments."""
        ...

    @property
    def rules(self) -> RuleBook:
        """The no-proof rules."""
        ...

    @property
    def holders(self) -> HolderService:
        """Finds holders."""
        ...

    @property
    def holdings(self) -> Holdings:
        """What the library holds."""
        ...

    @property
    def licenses(self) -> LicenseService:
        """Changes licences."""
        ...

    @property
    def typesetter(self) -> Typesets:
        """Sets layouts."""
        ...

    @property
    def sealing(self) -> SealingService:
        """Uses seals."""
        ...


def license_steps(parts: LicenseParts) -> tuple[Step, ...]:
    """Give the steps: issuing, changes of many licences, annotated copies, forms of commitments."""
    objects, settings = parts.foundation.objects, parts.settings
    return (
        IssueStep(
            parts.holdings,
            parts.items,
            parts.holders,
            parts.typesetter,
            parts.sealing,
            objects,
            public_url=settings.public_url,
            demo=not settings.production,
        ),
        BulkStep(BulkService(parts.holdings, parts.licenses)),
        CopyStep(parts.holdings, parts.typesetter, parts.sealing, objects, settings.public_url),
        FormStep(
            parts.rules,
            parts.items,
            parts.holders,
            parts.typesetter,
            parts.sealing,
            objects,
            demo=not settings.production,
        ),
    )
