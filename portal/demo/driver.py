# SPDX-License-Identifier: Apache-2.0
"""Plays the demonstration's script on a running installation, through the same services as everybody else.

Progress stands in ``demo.json`` of the data folder: a second start goes on where the first one stopped,
and repeating an interrupted step changes nothing. The steps that were played are named by their digest,
and by that of what was filed: a script that begins otherwise does not go on there.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive.models import Filing, FilingMaterial
from archive.names import sent_names
from archive.staging import read_folder
from cases.services import Announcement
from licenses.errors import LicenseStateError, QuestionRefusedError
from licenses.events import Grounds
from licenses.ladder.errors import RungNotOfferedError
from licenses.ladder.models import LadderRung
from licenses.ladder.services import Happening
from licenses.ladder.states import RungEventKind
from licenses.models import Decision, License
from licenses.questions import ProofQuestion
from portal.checking import CheckReport
from portal.demo.people import Cast
from portal.demo.script import CaseSpec, Script
from portal.errors import DemoOutdatedError
from portal.refusals import record_apart
from portal.revocation import revoke_seal
from portal.rooms import Rooms
from portal.settings import Settings
from seals.errors import SealStateError
from storage.clock import parse_rfc3339
from storage.database import UnitOfWork
from storage.files import write_durably
from storage.identity import PUBLIC, Role
from storage.steps import unfinished

ANSWER = "answer.jws"
GENUINE, TAMPERED = "genuine-copy.pdf", "tampered-copy.pdf"
_PROGRESS = "demo.json"
_PAUSES_BETWEEN_REPORTS = 50
_TITLES: Mapping[str, tuple[str, str]] = {
    "announce": ("登记在办件", "announce an open case"),
    "file": ("归档", "file"),
    "finish": (
        "等待处理完毕（检测、转换、用章、存储）",
        "wait until all is checked, converted, sealed and stored",
    ),
    "ask": ("免证核验", "ask which proofs are needed"),
    "take": ("承诺、协查", "take a commitment, ask a department"),
    "close": ("办结", "close"),
    "suspend-licence": ("暂停证照", "suspend the licence"),
    "revoke-seal": ("注销印章", "revoke the seal"),
    "verify-licence": ("查验证照", "check the licence"),
    "verify-tampered-copy": ("查验被改动的副本", "check an altered copy"),
    "verify-material": ("查验材料", "check a material"),
}


class DemoFailedError(Exception):
    """The installation did not do what the script expects; the text names step and difference."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How the driver waits: ``pause`` returns after a moment, False when it is to give up."""

    pause: Callable[[], bool]


def steps_played(settings: Settings, script: Script) -> int:
    """Give how many of the script's steps the data folder has seen.

    Raises:
        DemoOutdatedError: Another script has played them: this one cannot go on there.
    """
    marker = settings.data / _PROGRESS
    if not marker.exists():
        return 0
    progress = json.loads(marker.read_bytes())
    done: int = progress["steps"]
    if progress.get("digest") != _digest(script, done):
        raise DemoOutdatedError
    return done


def code_of_a_licence(uow: UnitOfWork) -> str | None:
    """Give the verification code of the licence that was issued first; ``None`` while there is none."""
    issued = select(License.code).where(License.issued_at.is_not(None)).order_by(License.issued_at)
    return uow.session.scalar(issued.limit(1))


def _digest(script: Script, count: int) -> str:
    """Give the digest of the first steps and of all that is filed in the cases they name."""
    steps = script.steps[:count]
    told = hashlib.sha256(json.dumps([dict(step) for step in steps], sort_keys=True).encode())
    for name in sorted({step["case"] for step in steps if "case" in step}):
        for file in sorted(path for path in script.case(name).folder.rglob("*") if path.is_file()):
            told.update(f"\n{name}/{file.name} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return told.hexdigest()


class Driver:
    """Plays the script.

    Args:
        rooms: The opened rooms.
        settings: Their settings.
        script: What to play.
        cast: Who acts.
        wait: How to wait for worker and sequencer.
        report: Called with a sentence in Chinese and English before every step.
    """

    def __init__(
        self,
        rooms: Rooms,
        settings: Settings,
        script: Script,
        cast: Cast,
        wait: Wait,
        report: Callable[[str], None],
    ) -> None:
        self._rooms = rooms
        self._settings = settings
        self._script = script
        self._cast = cast
        self._wait = wait
        self._report = report
        self._actions: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "announce": self._announce,
            "file": self._file,
            "finish": self._finish,
            "ask": self._ask,
            "take": self._take,
            "close": self._close,
            "suspend-licence": self._suspend,
            "revoke-seal": self._revoke,
            "verify-licence": self._verify_licence,
            "verify-tampered-copy": self._verify_tampered,
            "verify-material": self._verify_material,
        }

    def play(self) -> None:
        """Play what is left of the script.

        Raises:
            DemoFailedError: Something came out otherwise than expected.
            DemoOutdatedError: The folder holds what another script has played.
        """
        steps = self._script.steps
        done = steps_played(self._settings, self._script)
        for number, step in enumerate(steps[done:], done + 1):
            self._report(f"[{number}/{len(steps)}] {self._title(step)}")
            self._actions[step["action"]](step)
            progress = {"steps": number, "digest": _digest(self._script, number)}
            write_durably(self._settings.data / _PROGRESS, json.dumps(progress).encode())

    def _title(self, step: Mapping[str, Any]) -> str:
        zh, en = _TITLES[step["action"]]
        if "case" not in step:
            return f"{zh} / {en}"
        case = self._script.case(step["case"])
        return f"{zh}：{case.zh} / {en}: {case.en}"

    def _announcement(self, case: CaseSpec, *, closed: bool) -> Announcement:
        data = case.data()
        return Announcement(
            source=data["source"],
            number=data["number"],
            item_code=data["item"]["code"],
            item_edition=data["item"]["edition"],
            holder_scheme=data["holder"]["scheme"],
            holder_code=data["holder"]["code"],
            holder_name=data["holder"]["name"],
            organisation=data["organisation"],
            accepted_at=parse_rfc3339(data["accepted_at"]),
            closed_at=parse_rfc3339(data["closed_at"]) if closed else None,
        )

    def _announce(self, step: Mapping[str, Any]) -> None:
        announcement = self._announcement(self._script.case(step["case"]), closed=False)
        with self._rooms.database.writing() as uow:
            self._rooms.cases.announce(uow, self._cast.client(uow), announcement)

    def _close(self, step: Mapping[str, Any]) -> None:
        announcement = self._announcement(self._script.case(step["case"]), closed=True)
        with self._rooms.database.writing() as uow:
            self._rooms.cases.announce(uow, self._cast.client(uow), announcement)

    def _file(self, step: Mapping[str, Any]) -> None:
        arrival = read_folder(self._script.case(step["case"]).folder)
        with self._rooms.database.reading() as uow:
            identity = self._cast.client(uow)
            if self._rooms.intake.admit(uow, identity, arrival) is not None:
                return
        stored = self._rooms.intake.store(arrival)
        with self._rooms.database.writing() as uow:
            self._rooms.intake.receive(uow, identity, stored)

    def _finish(self, step: Mapping[str, Any]) -> None:  # noqa: ARG002 - every action takes its step
        pauses, told = 0, 0
        while self._wait.pause():
            with self._rooms.database.reading() as uow:
                left = unfinished(uow.session)
            if not left:
                return
            pauses, count = pauses + 1, sum(left.values())
            if pauses % _PAUSES_BETWEEN_REPORTS == 0 and count != told:
                told = count
                self._report(f"  未完成步骤 / unfinished steps: {count}")
            if left.get("stuck"):
                raise DemoFailedError("a step is stuck: see cunzheng step list")
        raise DemoFailedError("given up while steps were unfinished")

    def _ask(self, step: Mapping[str, Any]) -> None:
        case = self._announcement(self._script.case(step["case"]), closed=False)
        question = ProofQuestion(case.source, case.number, case.item_code, step["purpose"])
        try:
            with self._rooms.database.writing() as uow:
                answered = self._rooms.proofs.ask(uow, self._cast.client(uow), question)
        except QuestionRefusedError as refusal:
            record_apart(self._rooms.database, refusal)
            _expect("ask", step["expect"], "refused")
            return
        write_durably(self._settings.data / ANSWER, answered.jws.encode())
        body: Any = answered.body
        results = {one["id"]: one["result"] for one in body["requirements"]}
        _expect("ask", step["expect"], results)

    def _take(self, step: Mapping[str, Any]) -> None:
        """Take a rung that the newest answer offers, and let happen what the step names."""
        case = self._announcement(self._script.case(step["case"]), closed=False)
        try:
            with self._rooms.database.writing() as uow:
                client = self._cast.client(uow)
                of = self._rooms.cases.get(uow, client, case.source, case.number)
                asked = select(Decision.id).where(Decision.case_id == of.id).order_by(Decision.at)
                newest = uow.session.scalars(asked).all()[-1]
                row, _ = self._rooms.ladder.take(uow, client, newest, step["requirement"], step["kind"])
                for name in step["events"]:
                    self._happen(uow, row, RungEventKind(name))
        except RungNotOfferedError:
            # An interrupted run got this far.
            self._report("已启动 / taken already")

    def _happen(self, uow: UnitOfWork, row: LadderRung, event: RungEventKind) -> None:
        answered = event is RungEventKind.ANSWERED
        who = self._cast.person(uow, Role.LICENSE_MANAGER, row.asked) if answered else self._cast.client(uow)
        said = Happening(event, "演示", holds=True if answered else None)
        self._rooms.ladder.happen(uow, who, row.id, said)

    def _suspend(self, step: Mapping[str, Any]) -> None:
        grounds = Grounds(step["reason_zh"], step["legal_basis"])
        with self._rooms.database.writing() as uow:
            identifier = self._license(uow, step["case"]).identifier
            manager = self._cast.license_manager(uow, self._script.case(step["case"]))
            try:
                self._rooms.licenses.suspend(uow, manager, identifier, grounds)
            except LicenseStateError:
                # An interrupted run got this far.
                self._report("已暂停 / suspended already")

    def _revoke(self, step: Mapping[str, Any]) -> None:
        name = next(seal.zh for seal in self._script.seals if seal.key == step["seal"])
        with self._rooms.database.reading() as uow:
            manager = self._cast.seal_manager(uow)
            seal = next(view for view in self._rooms.seals.list(uow, manager) if view.name == name)
        try:
            revoke_seal(self._rooms, manager, seal.id, "superseded")
        except SealStateError:
            self._report("已注销 / revoked already")

    def _verify_licence(self, step: Mapping[str, Any]) -> None:
        with self._rooms.database.reading() as uow:
            digest = self._license(uow, step["case"]).object_sha256
        _expect_report(step, self._check(self._rooms.objects.read(str(digest))))

    def _verify_tampered(self, step: Mapping[str, Any]) -> None:
        with self._rooms.database.reading() as uow:
            digest = self._license(uow, step["case"]).object_sha256
        genuine = self._rooms.objects.read(str(digest))
        write_durably(self._settings.data / GENUINE, genuine)
        data = bytearray(genuine)
        data[len(data) // 3] ^= 0x01
        write_durably(self._settings.data / TAMPERED, bytes(data))
        _expect_report(step, self._check(bytes(data)))

    def _verify_material(self, step: Mapping[str, Any]) -> None:
        with self._rooms.database.reading() as uow:
            case = self._announcement(self._script.case(step["case"]), closed=False)
            filing = self._rooms.cases.get(uow, self._cast.client(uow), case.source, case.number)
            materials = uow.session.scalars(
                select(FilingMaterial)
                .join(Filing, Filing.id == FilingMaterial.filing_id)
                .where(Filing.case_id == filing.id)
            )
            (digest,) = (one.sha256 for one in materials if sent_names(uow, one).file_name == step["file"])
        _expect_report(step, self._check(self._rooms.objects.read(digest)))

    def _license(self, uow: UnitOfWork, case: str) -> License:
        announcement = self._announcement(self._script.case(case), closed=False)
        found = self._rooms.cases.get(uow, self._cast.client(uow), announcement.source, announcement.number)
        return uow.session.scalars(select(License).where(License.case_id == found.id)).one()

    def _check(self, data: bytes) -> CheckReport:
        with tempfile.TemporaryDirectory(dir=self._settings.staging) as folder:
            path = Path(folder) / "document.pdf"
            path.write_bytes(data)
            return self._rooms.checks.check(PUBLIC, path)


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise DemoFailedError(f"{what}: expected {expected}, found {found}")


def _expect_report(step: Mapping[str, Any], report: CheckReport) -> None:
    expected = step["expect"]
    found = {"verdict": str(report.headline), "file": str(report.file.standing)}
    _expect(f"{step['action']} {step['case']}", expected, {name: found[name] for name in expected})
