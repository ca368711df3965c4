# SPDX-License-Identifier: Apache-2.0
"""Steps of the licence room besides the issuing itself, made of the parts of an installation."""

from documents.ports import Typesets
from licenses.bulk import BulkService, BulkStep
from licenses.copies.making import CopyStep
from licenses.holdings import Holdings
from licenses.services import LicenseService
from portal.settings import Settings
from seals.sealing import SealingService
from storage.objects.ports import ObjectStore
from storage.steps import Step


def license_steps(
    holdings: Holdings,
    licenses: LicenseService,
    typesetter: Typesets,
    sealing: SealingService,
    objects: ObjectStore,
    settings: Settings,
) -> tuple[Step, ...]:
    """Give the steps: changes of many licences, and annotated copies."""
    return (
        BulkStep(BulkService(holdings, licenses)),
        CopyStep(holdings, typesetter, sealing, objects, settings.public_url),
    )
