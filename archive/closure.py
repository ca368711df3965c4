# SPDX-License-Identifier: Apache-2.0
"""Step ``archive.accept``: is this the end of the announced case, and is its licence due?

An accepted closure closes the case and reserves its licence at once, so that others can rely on it
while the materials are still being checked: a failed material returns the filing, the licence stands.
"""

from collections.abc import Iterator

from archive.checks import check_closure
from archive.facts import ClosureFacts
from archive.filings import FilingFile, act_on, give_back, load, move, text_of
from archive.findings import Finding, finding
from archive.intake import announcement_of
from archive.models import FilingState
from archive.submission import Result, Submission, parse_submission
from cases.errors import HolderCodeError, ItemUnknownError
from cases.holders import HolderService
from cases.items import Item
from cases.ports import Items
from cases.services import CaseService
from licenses.errors import LicenseDataError, LicenseExistsError, UnknownTypeError
from licenses.faces import LicenseData
from licenses.services import LicenseService
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.identity import system_identity
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.objects.ports import ObjectStore
from storage.steps import Job, Staging


class AcceptStep:
    """Accepts or returns the closure of a case.

    Args:
        objects: Where the metadata lie.
        items: The catalogue of items.
        holders: Finds holders.
        cases: Closes the case.
        licenses: Reserves the licence.
    """

    kind = "archive.accept"

    def __init__(
        self,
        objects: ObjectStore,
        items: Items,
        holders: HolderService,
        cases: CaseService,
        licenses: LicenseService,
    ) -> None:
        self._objects = objects
        self._items = items
        self._holders = holders
        self._cases = cases
        self._licenses = licenses

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Name the metadata to read."""
        filing = load(uow, job.subject).filing
        if FilingState(filing.state) is not FilingState.RECEIVED:
            return None
        return {"metadata": filing.metadata_sha256}

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - a step stages where it has files
        """Read the metadata."""
        return {"metadata": self._objects.read(text_of(plan, "metadata")).decode()}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the plan has served
        """Accept the closure, close the case and reserve its licence; or return the filing."""
        file = load(uow, job.subject)
        submission = parse_submission(text_of(result, "metadata").encode())
        findings = check_closure(self._facts(uow, file, submission))
        # A supplement closes nothing and brings no licence: the case ended with its own filing.
        if not findings and file.filing.supplement is None:
            findings = list(self._accept(uow, file, submission))
        if findings:
            give_back(uow, file, findings, FilingState.RETURNED)
        else:
            move(uow, file.filing, FilingState.ACCEPTED)
            uow.record(act_on(file, ActKind.FILING_ACCEPTED, [file.filing]))
            uow.add_step("archive.check", file.filing.id)
        failpoint("archive.accept.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended outside; the step is planned anew."""

    def _facts(self, uow: UnitOfWork, file: FilingFile, submission: Submission) -> ClosureFacts:
        case = file.case
        try:
            holder = self._holders.find(uow, submission.holder.scheme, submission.holder.code)
            right = True
        except HolderCodeError:
            holder, right = None, False
        item = self._item(submission)
        return ClosureFacts(
            same_item=(submission.item.code, submission.item.edition) == (case.item_code, case.item_edition),
            same_holder=holder is not None and holder.id == case.holder_id,
            same_organisation=submission.organisation == case.organisation,
            holder_code_right=right,
            grants=bool(item and item.license_type)
            and submission.result is Result.APPROVED
            and file.filing.supplement is None,
            has_license_data=submission.license is not None,
            accepted_at=submission.accepted_at,
            decided_at=submission.decided_at,
            closed_at=submission.closed_at,
            received_at=file.filing.received_at,
        )

    def _item(self, submission: Submission) -> Item | None:
        try:
            return self._items.get(submission.item.code, submission.item.edition)
        except ItemUnknownError:
            return None

    def _accept(self, uow: UnitOfWork, file: FilingFile, submission: Submission) -> Iterator[Finding]:
        """Close the case and reserve the licence; what the licence room refuses becomes a finding.

        Both happen or neither: a closure that is not accepted leaves the case open.
        """
        try:
            with uow.session.begin_nested():
                self._cases.ensure_case(uow, system_identity("archive"), announcement_of(submission))
                if submission.license is not None:
                    self._reserve(uow, file, submission.license)
        except (LicenseDataError, UnknownTypeError) as error:
            rule = " ".join(str(error.facts[name]) for name in sorted(error.facts))
            yield finding("C06", rule=rule or None)
        except LicenseExistsError:
            yield finding("C08")

    def _reserve(self, uow: UnitOfWork, file: FilingFile, data: LicenseData) -> None:
        item = self._items.get(file.case.item_code, file.case.item_edition)
        holder = self._cases.holder(uow, file.case)
        file.filing.license_id = self._licenses.reserve(uow, file.actor, file.case, item, holder, data).id
