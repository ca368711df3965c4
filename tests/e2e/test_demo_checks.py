# SPDX-License-Identifier: Apache-2.0
"""Checks and traces of the demonstration: every face says the same, and what a page prints can be run."""

import datetime as dt
import html
import io
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from demonstration import copy_of, opened, settings_of, signed_in
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.models import Dossier
from cases.models import Case
from licenses.lifecycle import Status
from licenses.models import Decision, License
from portal import cli
from portal.check_lines import HEADLINE_TITLES, LINE_TITLES, NOT_A_LICENSE, REGISTER_DIFFERS, Headline
from portal.demo.script import Script
from portal.rooms import Rooms
from portal.settings import Settings
from portal.verifier import main as cunzheng_verify
from portal.web.factory import create_app
from storage.errors import EXIT_DONE
from storage.identity import Role
from storage.ledger.models import LedgerAct

pytestmark = pytest.mark.slow

OPEN = Script.load().case("11-food-open").data()["number"]


@dataclass(frozen=True)
class Inspection:
    """The demonstration's installation, a copy that may be written to, and strangers who come to it."""

    rooms: Rooms
    settings: Settings
    stranger: FlaskClient
    supervisor: FlaskClient

    def license(self, status: Status) -> License:
        with self.rooms.database.reading() as uow:
            now = self.rooms.clock.now()
            return next(
                one
                for one in uow.session.scalars(select(License).order_by(License.reserved_at))
                if self.rooms.holdings.status(uow, one, now) is status
            )

    def catalogue(self) -> str:
        with self.rooms.database.reading() as uow:
            found = uow.session.scalars(select(Dossier.catalogue_sha256).order_by(Dossier.id)).first()
            assert found is not None
            return found

    def upload(self, data: bytes) -> dict[str, Any]:
        answer = self.stranger.post("/api/v1/verifications", data={"file": (io.BytesIO(data), "a.pdf")})
        assert answer.status_code == 200
        shown: dict[str, Any] = answer.json
        return shown

    def page(self, data: bytes) -> str:
        form = self.stranger.get("/verify").text
        token = re.search(r'name="form_token" value="(\w+)"', form)
        assert token is not None
        parts = {"file": (io.BytesIO(data), "a.pdf"), "form_token": token[1]}
        return html.unescape(self.stranger.post("/verify", data=parts).text)

    def command(self, file: Path, *options: str) -> str:
        with redirect_stdout(io.StringIO()) as said:
            code = cli.run(["--data", str(self.settings.data), "verify", str(file), *options])
        assert code in {0, 1, 2}, said.getvalue()
        return said.getvalue()


@pytest.fixture(scope="module")
def inspection(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspection]:
    data = copy_of(demo_data, tmp_path_factory.mktemp("checks") / "data")
    settings = settings_of(data)
    with opened(data) as rooms:
        app = create_app(rooms, settings)
        supervisor = signed_in(rooms, app, Role.SUPERVISOR, "dsj")
        yield Inspection(rooms, settings, app.test_client(), supervisor)


@pytest.mark.parametrize("kind", ["valid", "expired", "catalogue", "tampered", "unsealed"])
def test_every_face_says_the_same_two_lines(inspection: Inspection, tmp_path: Path, kind: str) -> None:
    objects = inspection.rooms.objects
    if kind in {"valid", "expired"}:
        data = objects.read(inspection.license(Status(kind)).object_sha256 or "")
    elif kind == "catalogue":
        data = objects.read(inspection.catalogue())
    elif kind == "tampered":
        data = (inspection.settings.data / "tampered-copy.pdf").read_bytes()
    else:
        folder = Script.load().case("01-firm-registered").folder
        data = next(iter(sorted(folder.glob("*.pdf")))).read_bytes()
    file = tmp_path / "a.pdf"
    file.write_bytes(data)
    answer = inspection.upload(data)
    page, text = inspection.page(data), inspection.command(file)
    asked = json.loads(inspection.command(file, "--json"))
    assert {name: asked[name] for name in ("headline", "sentence", "file", "licence")} == {
        name: answer[name] for name in ("headline", "sentence", "file", "licence")
    }
    assert HEADLINE_TITLES[Headline(answer["headline"]["code"])][0] in page
    for (title, _), line in zip(LINE_TITLES, (answer["file"], answer["licence"]), strict=True):
        assert f"<dt>{title}</dt>" in page
        for face in (page, text):
            assert line["zh"] in face
    recorded = answer["promise"]
    assert (recorded is not None) is (kind in {"valid", "expired", "catalogue"})
    if recorded is not None:
        with inspection.rooms.database.reading() as uow:
            act = uow.session.get_one(LedgerAct, recorded["core_sha256"])
            assert act.kind == "verification.done"
        assert 'href="/receipts/' in page
        assert "cunzheng ledger receipt" in text
    if kind == "catalogue":
        assert answer["licence"]["code"] == NOT_A_LICENSE.code
        assert answer["headline"]["code"] == "valid"


@pytest.mark.parametrize(
    ("status", "tone", "headline", "why"),
    [
        (Status.VALID, "unknown", "无法判定", "证照在库有效；手中文件未比对"),
        (Status.EXPIRED, "bad", "无效", "证照已过期"),
        (Status.SUSPENDED, "bad", "无效", "证照暂停（冻结）"),
    ],
)
def test_the_page_of_a_code_gives_the_worse_of_no_file_and_the_status(
    inspection: Inspection, status: Status, tone: str, headline: str, why: str
) -> None:
    license_ = inspection.license(status)
    page = inspection.stranger.get(f"/v/{license_.code}").text
    assert f'class="verdict {tone}"' in page
    assert re.findall(r'class="headline">.*</span> (\S+)</p>', page) == [headline]
    assert re.findall(r'class="why">(.*)</p>', page) == [why]
    lines = re.findall(r"<dt>(\S+)</dt><dd class=\"(\w+)\">", page)
    assert lines == [("文件", "unknown"), ("证照状态", "good" if status is Status.VALID else "bad")]
    card = ["证照类型", "发证机关", "持证主体", "有效期", "可信等级"]
    assert re.findall(r"<dt>([^<]+)</dt><dd>", page) == card
    assert page.partition('class="verdict')[2].count('href="/verify"') == 1
    assert license_.identifier not in page


def test_a_register_that_differs_from_the_sealed_file_makes_no_valid_licence(inspection: Inspection) -> None:
    license_ = inspection.license(Status.VALID)
    data = inspection.rooms.objects.read(license_.object_sha256 or "")
    assert inspection.upload(data)["headline"]["code"] == "valid"
    before = license_.valid_until
    try:
        _rewrite(inspection, license_.id, dt.date(2099, 12, 31))
        answer = inspection.upload(data)
    finally:
        _rewrite(inspection, license_.id, before)
    assert answer["headline"]["code"] == "cannot-tell"
    assert answer["licence"]["code"] == REGISTER_DIFFERS.code
    assert answer["card"] is None
    assert answer["promise"] is not None


def _rewrite(inspection: Inspection, license_id: str, valid_until: dt.date | None) -> None:
    with inspection.rooms.database.writing() as uow:
        uow.session.get_one(License, license_id).valid_until = valid_until


def test_the_command_that_a_trace_prints_runs_as_printed(
    inspection: Inspection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = html.unescape(inspection.supervisor.get(f"/supervision/trace?q={OPEN}").text)
    commands = re.findall(r"<code>(cunzheng-verify [^<]+)</code>", page)
    downloads = re.findall(r'href="(/receipts/[^"]+)" download', page)
    assert len(commands) == len(downloads) - 1 >= 3
    for address in downloads:
        answer = inspection.supervisor.get(address)
        name = re.search(r'filename="([^"]+)"', answer.headers["Content-Disposition"])
        assert name is not None
        (tmp_path / name[1]).write_bytes(answer.data)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "cunzheng-verify"
        assert cunzheng_verify(arguments) == EXIT_DONE
        assert "已兑现 redeemed" in capsys.readouterr().out


def test_a_trace_names_what_was_decided_on_which_licence(inspection: Inspection) -> None:
    with inspection.rooms.database.reading() as uow:
        case = uow.session.scalars(select(Case).where(Case.number == OPEN)).one()
        decision = uow.session.scalars(select(Decision).where(Decision.case_id == case.id)).first()
    assert decision is not None
    page = inspection.supervisor.get(f"/supervision/trace?q={decision.id}").text
    for text in ("营业执照", "已由电子证照库核实", "收件受理"):
        assert text in page
    english = inspection.supervisor.get(f"/supervision/trace?q={decision.id}&lang=en").text
    for text in ("Business licence", "Established by the licence library", "Acceptance of an application"):
        assert text in english
