# SPDX-License-Identifier: Apache-2.0
"""Step ``archive.check``: are the files what they claim to be, and all that the item asks for?

Files are looked at in the sandbox. What cannot be looked at within its limits quarantines the filing;
what fails a check returns it; a format without a rendition is no failure (it is filed as the original).
A filing that passes is not returned any more: only then is what it called up noted as used.
The four-property report becomes an object and later a member of the dossier.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

from archive.checks import ACCEPTED_CHECKS, check_materials, material_checks
from archive.facts import FilingFacts, MaterialFacts, OpinionFacts
from archive.filings import act_on, give_back, json_bytes, load, move, parts_of, text_of
from archive.findings import failures, property_report, read_finding
from archive.intake import METADATA_TYPE
from archive.models import FilingMaterial, FilingState
from archive.submission import SubmittedMaterial, parse_submission
from cases.ports import Items
from documents.formats import Format, identify
from documents.sandbox import Sandbox
from licenses.calling import may_be_called_up, note_called_up, note_refused
from storage.database import UnitOfWork
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.objects.ports import ObjectStore
from storage.steps import Job, Staging

UNSAFE = frozenset({"over-limits", "bomb"})
"""Problems of a format that mean: not even looked at safely."""


class CheckStep:
    """Checks the materials of an accepted filing.

    Args:
        objects: Where the files lie.
        items: The catalogue of items.
        sandbox: Where files are looked at.
    """

    kind = "archive.check"

    def __init__(self, objects: ObjectStore, items: Items, sandbox: Sandbox) -> None:
        self._objects = objects
        self._items = items
        self._sandbox = sandbox

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Name the files and what was declared of them."""
        file = load(uow, job.subject)
        filing = file.filing
        if FilingState(filing.state) is not FilingState.ACCEPTED:
            return None
        return {
            "metadata": filing.metadata_sha256,
            "item": [filing.item_code, filing.item_edition],
            "supplement": filing.supplement,
            "materials": [_declared(material) for material in file.materials],
            "callable": [
                {"kind": kind, "identifier": one}
                for kind, own in may_be_called_up(uow, file.case).items()
                for one in sorted(own)
            ],
        }

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Look at every file, run the checks, store the report."""
        submission = parse_submission(self._objects.read(text_of(plan, "metadata")))
        entries = parts_of(plan, "materials")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            shas = [text_of(entry, "sha256") for entry in entries]
            formats = list(pool.map(self._identify, shas, range(len(shas)), repeat(staging)))
        facts = FilingFacts(
            item=self._items.get(submission.item.code, submission.item.edition),
            accepted_at=submission.accepted_at,
            closed_at=submission.closed_at,
            materials=tuple(map(_facts, entries, submission.materials, formats)),
            opinions=tuple(OpinionFacts(one.node, one.author, one.at) for one in submission.opinions),
            called_up=tuple(one.model_dump() in parts_of(plan, "callable") for one in submission.called_up),
            # A plan of an earlier release names none.
            supplement=isinstance(plan, Mapping) and plan.get("supplement") is not None,
        )
        findings = check_materials(facts)
        report = property_report((*ACCEPTED_CHECKS, *material_checks(facts)), findings)
        stored = self._objects.put(json_bytes(report), METADATA_TYPE)
        return {
            "findings": [one.as_json() for one in findings],
            "formats": [{"media_type": one.media_type, "pages": one.pages} for one in formats],
            "report": {"sha256": stored.sha256, "sm3": stored.sm3, "size": stored.size},
            "called_up": [one.model_dump() for one in submission.called_up],
        }

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the plan has served
        """Pass the filing on, return it or quarantine it."""
        file = load(uow, job.subject)
        for material, form in zip(file.materials, parts_of(result, "formats"), strict=True):
            material.media_type = text_of(form, "media_type")
            pages = form["pages"]
            material.pages = pages if isinstance(pages, int) else None
        for name, value in report_of(result).items():
            setattr(file.filing, f"checks_{name}", value)
        findings = [read_finding(one) for one in parts_of(result, "findings")]
        failed = failures(findings)
        named = [
            text_of(one, "identifier")
            for one in parts_of(result, "called_up")
            if text_of(one, "kind") == "licence"
        ]
        if failed:
            note_refused(uow, file.actor, file.case, named)
        if any(one.code == "Q01" for one in failed):
            give_back(uow, file, findings, FilingState.QUARANTINED)
        elif failed:
            give_back(uow, file, findings, FilingState.RETURNED)
        else:
            file.filing.findings = [one.as_json() for one in findings]
            move(uow, file.filing, FilingState.CHECKED)
            rows = [file.filing, *file.materials]
            report = file.filing.checks_sha256
            uow.record(act_on(file, ActKind.FILING_CHECKED, rows, sha256=report))
            note_called_up(uow, file.actor, file.case, named)
            uow.add_step("archive.render", file.filing.id)

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended outside; the step is planned anew."""

    def _identify(self, sha256: str, place: int, staging: Staging) -> Format:
        path = staging.path(f"material-{place}")
        self._objects.fetch(sha256, path)
        try:
            return identify(path, self._sandbox)
        finally:
            path.unlink()


def report_of(result: Json) -> Mapping[str, Json]:
    """Give digests and size of the stored report."""
    report = result["report"] if isinstance(result, Mapping) else None
    if not isinstance(report, Mapping):
        raise LookupError("report")  # noqa: TRY004 - a result of ours that lacks a member, not a caller's type
    return report


def _declared(material: FilingMaterial) -> dict[str, Json]:
    return {
        "position": material.position,
        "code": material.code,
        "declared_type": material.declared_type,
        "declared_sha256": material.declared_sha256,
        "declared_size": material.declared_size,
        "sha256": material.sha256,
        "size": material.size,
    }


def _facts(entry: dict[str, Json], sent: SubmittedMaterial, form: Format) -> MaterialFacts:
    known = None if form.kind == "unknown" else form.media_type
    problem = form.problem if form.problem in UNSAFE else None
    return MaterialFacts(**entry, file_name=sent.file_name, real_type=known, problem=problem)  # type: ignore[arg-type]  # _declared made it
