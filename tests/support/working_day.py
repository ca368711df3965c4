# SPDX-License-Identifier: Apache-2.0
"""What has happened in the town when the desks open, beyond the demonstration's script.

It comes as it would: from the acceptance system through the interface, from the operator on the command line,
from a holder on the own page. Only days that have to pass are taken from the records' dates.
"""

import copy
import json
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calling import Outside
from own_servers import until
from running import Site
from visiting import Visitor

from portal.demo.script import Script

_SCRIPT: Final = Script.load()
_CLOSED: Final = _SCRIPT.case("12-food-asked-then-closed").data()
_MAIN: Final = _SCRIPT.case("26-firm-gardens")
_FOOD: Final = _SCRIPT.case("27-food-bakery")
_HOLDER_ELSEWHERE: Final = "严样例"
_ARCHIVE_SEAL: Final = "演示市市场监督管理局归档专用章"
_REFUSED_IN_A_ROW: Final = 6
_FILED_WITHIN: Final = 120

OPEN: Final = _SCRIPT.case("11-food-open").data()["number"]
CLOSED: Final = _CLOSED["number"]
RETURNED: Final = _SCRIPT.case("03-firm-returned").data()["number"]
EXPIRED: Final = _SCRIPT.case("04-food-expired").data()["number"]
SUPPLEMENTED: Final = _MAIN.data()["number"]
WAITING: Final = "YS-2026-000141"
LATE: Final = "YS-2026-000142"
UNMET: Final = "YS-2026-000143"
"""An open case of a firm whose business licence says something else than the item requires."""


@dataclass(frozen=True, slots=True)
class _AcceptanceSystem:
    """The demonstration's client, as another system uses the interface."""

    site: Site

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        cast = json.loads((self.site.data / "demo-cast.json").read_bytes())
        headers = {
            "Authorization": f"Bearer {cast['key']}",
            "Access-Operator": cast["accounts"]["clerk"],
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        if path == "/api/v1/proofs" and data is not None:
            headers = Outside.of(self.site.address, self.site.data).headers(path, data)
        request = urllib.request.Request(self.site.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def announce(self, number: str, case: Mapping[str, Any], **dates: str) -> None:
        told = {name: case[name] for name in ("item", "holder", "organisation")}
        self.call("PUT", f"/api/v1/cases/{case['source']}/{number}", told | dates)

    def asks_what_it_may_not(self) -> None:
        """Ask about a case that is closed."""
        case = {"source": _CLOSED["source"], "number": CLOSED}
        question = {"case": case, "item": _CLOSED["item"]["code"], "purpose": "accept"}
        try:
            self.call("POST", "/api/v1/proofs", question)
        except urllib.error.HTTPError as refusal:
            refusal.close()
        else:
            raise AssertionError("a closed case is asked about")

    def supplements(self, number: str) -> int:
        return len(self.call("GET", f"/api/v1/cases/{_CLOSED['source']}/{number}")["supplements"])


def live_through_the_morning(site: Site, folder: Path) -> None:
    """Let it all happen.

    Args:
        site: A served copy of the demonstration; nothing of it has been looked at yet.
        folder: An empty folder for what is filed.
    """
    system = _AcceptanceSystem(site)
    for _ in range(_REFUSED_IN_A_ROW):
        system.asks_what_it_may_not()
    _supplement(site, folder / "supplement")
    system.announce(LATE, _FOOD.data(), accepted_at="2026-09-01T09:00:00+08:00")
    system.announce(
        LATE, _FOOD.data(), accepted_at="2026-09-01T09:00:00+08:00", closed_at="2026-09-10T09:00:00+08:00"
    )
    asking = _FOOD.data() | {"holder": _MAIN.data()["holder"]}
    system.announce(UNMET, asking, accepted_at="2026-11-23T11:00:00+08:00")
    _object_long_ago(site)
    until(lambda: system.supplements(SUPPLEMENTED) == 1, _FILED_WITHIN, "the supplement is not filed")
    _file_while_the_seal_is_suspended(site, folder / "waiting")


def _supplement(site: Site, folder: Path) -> None:
    """Send in one more paper for a case that is filed."""
    data = _MAIN.data()
    paper = next(one for one in data["materials"] if one["code"] == "premises")
    del data["license"]
    _write_case(folder, data | {"materials": [paper]}, _MAIN.folder)
    _done(site, "intake", "--supplement", str(folder))


def _file_while_the_seal_is_suspended(site: Site, folder: Path) -> None:
    seals = _done(site, "seal", "list").splitlines()
    (seal,) = (line.split()[0] for line in seals if line.endswith(_ARCHIVE_SEAL))
    _done(site, "seal", "suspend", seal, "--reason", "audit")
    data = copy.deepcopy(_FOOD.data()) | {"number": WAITING, "result": "refused"}
    del data["license"]
    _write_case(folder, data, _FOOD.folder)
    _done(site, "intake", str(folder))


def _write_case(folder: Path, data: Mapping[str, Any], files: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    for one in data["materials"]:
        shutil.copy(files / one["file_name"], folder)


def _object_long_ago(site: Site) -> None:
    """Let a holder contest a licence, and the days for an answer pass."""
    holder = Visitor(site.address)
    holder.sign_in_as_holder(_HOLDER_ELSEWHERE)
    form = next(link for link in holder.get("/mine").links() if "about=licence" in link)
    token = holder.get(form).field("form_token")
    holder.post(form, {"form_token": token, "words": "照片不是我本人。"})
    with closing(sqlite3.connect(site.data / "cunzheng.db", timeout=30)) as records, records:
        records.execute("UPDATE license_objection SET due_on = '2026-01-05'")


def bring_licence(site: Site, case: str, target: Path) -> Path:
    """Give the sealed licence that a case of the script led to, as somebody else has it."""
    query = "SELECT object_sha256 FROM license JOIN case_record c ON c.id = case_id WHERE c.number = ?"
    number = _SCRIPT.case(case).data()["number"]
    with closing(sqlite3.connect(f"file:{site.data / 'cunzheng.db'}?mode=ro", uri=True)) as records:
        (sha256,) = records.execute(query, [number]).fetchone()
    stored = next((site.data / "objects").rglob(sha256))
    return Path(shutil.copy(stored, target))


def _done(site: Site, *arguments: str) -> str:
    ran = site.run(*arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
