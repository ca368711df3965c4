# SPDX-License-Identifier: Apache-2.0
"""A process killed at any point of any step leaves one dossier, and every intent with its outcome."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from archive_line import MANAGER, Canned, Line, Unconvertible, picture
from sqlalchemy import func, select

import portal.worker
from archive import assembly, closure, rendering, sealing, storing
from archive.models import Dossier, DossierMember, Filing, FilingState, Role
from archive.numbering import report
from licenses import issuing
from licenses.models import License
from seals.models import Seal
from seals.sealing import REFUSED_RETRY_SECONDS
from storage.database import UnitOfWork
from storage.failpoints import FAILPOINTS
from storage.ledger.models import LedgerAct
from storage.steps import BACKOFF_SECONDS, StepRow, unfinished


class KilledError(BaseException):
    """What SIGKILL would do: nothing after it runs."""


POINTS = tuple(
    point for point in FAILPOINTS if point.startswith(("archive.", "license.issue.", "step.after-p"))
)
MODULES = (portal.worker, closure, rendering, assembly, sealing, storing, issuing)


def run_killed(line: Line, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Run the line; at each point of each kind of step the process dies once and is started again."""
    killed: Counter[str] = Counter()
    driving = {"kind": ""}
    drive = type(line.worker)._drive

    def noted(worker: object, step: object, job: object) -> None:
        driving["kind"] = step.kind  # type: ignore[attr-defined]
        drive(worker, step, job)  # type: ignore[arg-type]

    def die(name: str) -> None:
        key = f"{driving['kind']} {name}"
        if name in POINTS and not killed[key]:
            killed[key] += 1
            raise KilledError

    monkeypatch.setattr(type(line.worker), "_drive", noted)
    for module in MODULES:
        monkeypatch.setattr(module, "failpoint", die)
    for _ in range(90):
        try:
            if not line.worker.run_one():
                return killed
        except KilledError:
            line.worker.recover()
            # A step that met its end four times rests.
            line.clock.advance(10)
    pytest.fail("the line does not come to an end")


def test_one_dossier_and_intents_equal_outcomes_whatever_dies(
    tmp_path: Path, authority_folder: Path, page: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    line.file(line.granted())
    killed = run_killed(line, monkeypatch)
    named = [point for point in POINTS if not point.startswith("step.")]
    assert len(killed) == 2 * 8 + len(named)
    with line.database.reading() as uow:
        filing = uow.session.scalars(select(Filing)).one()
        dossier = uow.session.scalars(select(Dossier)).one()
        acts = uow.session.scalars(select(LedgerAct)).all()
        series = report(uow)
        licenses = uow.session.scalar(select(func.count()).select_from(License))
    assert filing.state == FilingState.FILED
    assert dossier.archival_number.endswith("-00001")
    assert [(one.last, one.gaps) for one in series] == [(1, ())]
    assert licenses == 1
    kinds = Counter(act.kind for act in acts)
    assert (kinds["dossier.filed"], kinds["license.issued"], kinds["filing.received"]) == (1, 1, 1)
    intents = [act.act_id for act in acts if act.outcome == "intended"]
    assert Counter(act.intent for act in acts if act.intent) == Counter(intents)
    # Five renditions and the catalogue, the manifest and the licence: once each, whatever was abandoned.
    assert kinds["sealing.sealed"] == 8
    # Abandoned: all eight after their plan, the licence twice more while it was made.
    assert kinds["sealing.abandoned"] == 10
    assert list((line.folder / "staging").iterdir()) == []


def test_a_supplement_survives_whatever_dies_and_its_dossier_stays(
    tmp_path: Path, authority_folder: Path, page: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    line.file(line.granted())
    line.run()
    with line.database.reading() as uow:
        sealed = uow.session.scalars(select(Dossier.manifest_sha256)).one()
        before = Counter(uow.session.scalars(select(LedgerAct.kind)))
    content = {"layout": picture(7)}
    further = line.arrival(content, {"layout": "image/png"}, result="approved", opinions=[])
    line.file(replace(further, supplement=True))
    killed = run_killed(line, monkeypatch)
    named = [point for point in POINTS if point.startswith("archive.")]
    assert len(killed) == 2 * 7 + len(named)
    with line.database.reading() as uow:
        main, added = uow.session.scalars(select(Dossier).order_by(Dossier.archival_number)).all()
        acts = uow.session.scalars(select(LedgerAct)).all()
        filings = uow.session.scalars(select(Filing.state)).all()
        assert [(one.last, one.gaps) for one in report(uow)] == [(1, ())]
    assert set(filings) == {FilingState.FILED}
    assert (main.manifest_sha256, added.archival_number) == (sealed, f"{main.archival_number}-B1")
    intents = [act.act_id for act in acts if act.outcome == "intended"]
    assert Counter(act.intent for act in acts if act.intent) == Counter(intents)
    kinds = Counter(act.kind for act in acts) - before
    assert (kinds["dossier.supplemented"], kinds["dossier.filed"], kinds["filing.received"]) == (1, 0, 1)
    # One rendition, the catalogue and the manifest: once each, whatever was abandoned.
    assert kinds["sealing.sealed"] == 3
    assert list((line.folder / "staging").iterdir()) == []


def waiting(uow: UnitOfWork) -> list[str]:
    return sorted(uow.session.scalars(select(StepRow.kind).where(StepRow.state != "done")))


def refusals_and_intents(line: Line) -> tuple[int, int, int]:
    with line.database.reading() as uow:
        kinds = Counter(uow.session.scalars(select(LedgerAct.kind)))
    return kinds["sealing.refused"], kinds["sealing.intended"], kinds["sealing.abandoned"]


def state_of(line: Line, filing_id: str) -> str:
    with line.database.reading() as uow:
        return uow.session.get_one(Filing, filing_id).state


def test_a_filing_waits_for_its_seal_and_goes_on_when_it_is_resumed(
    tmp_path: Path, authority_folder: Path
) -> None:
    line = Line(tmp_path, authority_folder, Unconvertible())
    received = line.file(line.arrival(line.content(), dict.fromkeys(line.content(), "image/png")))
    with line.database.writing() as uow:
        line.seals.suspend(uow, MANAGER, line.seal_id, "audit")
    line.run()
    with line.database.reading() as uow:
        (step,) = uow.session.scalars(select(StepRow).where(StepRow.state != "done"))
    assert (step.kind, step.state, step.problem) == ("archive.seal", "ready", "seals-refused")
    assert state_of(line, received.filing_id) == FilingState.ASSEMBLED
    assert refusals_and_intents(line) == (1, 0, 0)
    line.clock.advance(REFUSED_RETRY_SECONDS)
    line.run()
    assert refusals_and_intents(line) == (2, 0, 0)
    with line.database.writing() as uow:
        line.seals.resume(uow, MANAGER, line.seal_id, "audit-over")
    line.run()
    assert state_of(line, received.filing_id) == FilingState.FILED
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        roles = Counter(uow.session.scalars(select(DossierMember.role)))
        assert uow.session.get_one(StepRow, step.id).state == "done"
    assert roles[Role.ORIGINAL] == filing.original_only == 5
    assert roles[Role.LICENCE] == roles[Role.RENDITION] == 0


def test_a_dossier_waits_for_its_licence_however_long_it_waits_for_a_seal(
    tmp_path: Path, authority_folder: Path
) -> None:
    line = Line(tmp_path, authority_folder, Unconvertible())
    received = line.file(line.granted())
    line.worker.run_one()
    with line.database.writing() as uow:
        line.seals.suspend(uow, MANAGER, line.seal_id, "audit")
    tries = len(BACKOFF_SECONDS) + 3
    for _ in range(tries):
        line.run()
        line.clock.advance(REFUSED_RETRY_SECONDS)
    assert state_of(line, received.filing_id) == FilingState.RENDERED
    with line.database.reading() as uow:
        assert waiting(uow) == ["archive.assemble", "license.issue"]
        assert unfinished(uow.session) == {"ready": 1, "waiting": 1}
    assert refusals_and_intents(line) == (tries, 0, 0)
    with line.database.writing() as uow:
        line.seals.resume(uow, MANAGER, line.seal_id, "audit-over")
    line.run()
    assert state_of(line, received.filing_id) == FilingState.FILED
    with line.database.reading() as uow:
        license_ = uow.session.scalars(select(License)).one()
        member = uow.session.scalars(select(DossierMember).where(DossierMember.role == Role.LICENCE)).one()
    assert license_.issued_at is not None
    assert member.sha256 == license_.object_sha256


def test_a_refusal_closes_the_intents_before_it(tmp_path: Path, authority_folder: Path, page: bytes) -> None:
    line = Line(tmp_path, authority_folder, Canned(page))
    content = line.content()
    received = line.file(line.arrival(content, dict.fromkeys(content, "image/png")))
    with line.database.writing() as uow:
        seal = uow.session.get_one(Seal, line.seal_id)
        seal.scope = {**seal.scope, "document_types": ["rendition", "manifest"]}
    line.run()
    # The five renditions may be sealed, the catalogue may not.
    assert refusals_and_intents(line) == (1, 5, 5)
    assert state_of(line, received.filing_id) == FilingState.ASSEMBLED
    with line.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind.startswith("sealing."))).all()
    intents = {act.act_id for act in acts if act.outcome == "intended"}
    assert {act.intent for act in acts if act.outcome == "abandoned"} == intents
