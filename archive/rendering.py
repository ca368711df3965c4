# SPDX-License-Identifier: Apache-2.0
"""Step ``archive.render``: a PDF/A rendition of each material, or the reason why there is none.

The original is always kept and never rewritten. What came sealed is verified and filed untouched, whatever
the verdict: a broken seal is a fact about the file, not a reason to refuse custody. A rendition is an
object of its own before it is sealed; the sealed file begins with exactly these bytes.
"""

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from archive.filings import FilingFile, load, move, parts_of, text_of
from archive.models import FilingMaterial, FilingState, MaterialOutcome
from archive.ports import SealCheck
from documents.attempts import OriginalOnly, Rendition
from documents.ports import Renders
from licenses.models import License
from seals.verdicts import Verdict
from storage.clock import Clock, rfc3339
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.ledger.acts import Act, Outcome
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.objects.ports import ObjectStore
from storage.steps import Job, Staging

PDF = "application/pdf"
SEALED_ROUTE = "pdf-sealed-kept"


class RenderStep:
    """Renders the materials of a checked filing.

    Args:
        objects: Where the files lie and the renditions go.
        converter: Makes renditions.
        seals: Verifies what came sealed.
        clock: Tells when a seal was verified.
    """

    kind = "archive.render"

    def __init__(self, objects: ObjectStore, converter: Renders, seals: SealCheck, clock: Clock) -> None:
        self._objects = objects
        self._converter = converter
        self._seals = seals
        self._clock = clock

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Name the files."""
        file = load(uow, job.subject)
        if FilingState(file.filing.state) is not FilingState.CHECKED:
            return None
        return {"materials": [{"sha256": material.sha256} for material in file.materials]}

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Render every file and store the renditions."""
        shas = [text_of(entry, "sha256") for entry in parts_of(plan, "materials")]
        # Each file has a child process of its own, so threads here are processes there.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return {"materials": list(pool.map(self._render, shas, range(len(shas)), repeat(staging)))}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the plan has served
        """Note what became of each material, each in an act of its own."""
        file = load(uow, job.subject)
        for material, entry in zip(file.materials, parts_of(result, "materials"), strict=True):
            for name, value in entry.items():
                setattr(material, name, value)
            uow.record(_converted(file, material))
        file.filing.original_only = sum(
            material.outcome == MaterialOutcome.ORIGINAL_ONLY for material in file.materials
        )
        move(uow, file.filing, FilingState.RENDERED)
        uow.add_step("archive.assemble", file.filing.id, after=issue_step(uow, file.filing.license_id))
        failpoint("archive.render.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended outside; objects are content addressed, the step is planned anew."""

    def _render(self, sha256: str, place: int, staging: Staging) -> dict[str, Json]:
        source, out = staging.path(f"source-{place}"), staging.path(f"rendition-{place}.pdf")
        out.unlink(missing_ok=True)
        self._objects.fetch(sha256, source)
        try:
            made = self._converter.render(source, out)
            if isinstance(made, OriginalOnly):
                return _original_only(made)
            if made.kept:
                return self._kept(made, source)
            stored = self._objects.put(out, PDF)
            return _rendered(made, MaterialOutcome.CONVERTED) | {
                "rendition_sha256": stored.sha256,
                "rendition_sm3": stored.sm3,
                "rendition_size": stored.size,
            }
        finally:
            source.unlink()

    def _kept(self, made: Rendition, source: Path) -> dict[str, Json]:
        if made.route != SEALED_ROUTE:
            return _rendered(made, MaterialOutcome.KEPT)
        at = self._clock.now()
        verdict = self._seals.check(source, at)
        return _rendered(made, MaterialOutcome.SEALED_KEPT) | {"verdict": _verdict(verdict, at)}


def issue_step(uow: UnitOfWork, license_id: str | None) -> str | None:
    """Give the step after which the licence's file is there."""
    return None if license_id is None else uow.session.get_one(License, license_id).issue_step


def _original_only(made: OriginalOnly) -> dict[str, Json]:
    return {
        "outcome": str(MaterialOutcome.ORIGINAL_ONLY),
        "reason": made.reason,
        "attempts": [attempt.as_record() for attempt in made.attempts],
    }


def _rendered(made: Rendition, outcome: MaterialOutcome) -> dict[str, Json]:
    return {
        "outcome": str(outcome),
        "route": made.route,
        "level": made.level or None,
        "pages": made.pages,
        "attempts": [attempt.as_record() for attempt in made.attempts],
    }


def _verdict(verdict: Verdict, at: dt.datetime) -> dict[str, Json]:
    return {"state": str(verdict.state), "reasons": list(verdict.reasons), "at": rfc3339(at)}


def _converted(file: FilingFile, material: FilingMaterial) -> Act:
    alone = material.outcome == MaterialOutcome.ORIGINAL_ONLY
    return Act(
        kind=ActKind.MATERIAL_CONVERTED,
        actor=file.actor,
        object_type="material",
        object_id=material.id,
        object_sha256=material.rendition_sha256 or material.sha256,
        outcome=Outcome.FAILED if alone else Outcome.DONE,
        case=file.case.id,
        subject=file.case.holder_id,
        rows=[material],
        reasons=[material.reason] if material.reason else [],
    )
