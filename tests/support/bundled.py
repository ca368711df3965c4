# SPDX-License-Identifier: Apache-2.0
"""An installation whose answers come as evidence bundles, and what a stranger kept to check them."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from calling import Caller, make_caller
from once import copy_prepared

from portal.accounts.rights import NewClient
from portal.bootstrap import open_foundation, open_keeper, open_rooms
from portal.rooms import Rooms
from portal.settings import Settings
from portal.verifier import main
from portal.web.factory import create_app
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE

PROOFS = "/api/v1/proofs"
CASE = "/api/v1/cases/ycsl/YC-2026-000140"


@dataclass(frozen=True)
class Office:
    """An installation with its log, a calling system, and a stranger's folder with what was kept before."""

    rooms: Rooms
    settings: Settings
    caller: Caller
    folder: Path

    def get(self, path: str, caller: Caller | None = None) -> Any:
        return self.caller.app.test_client().get(path, headers=(caller or self.caller).headers())

    def ask(self) -> str:
        answer = self.caller.call(PROOFS, PROOF_EXAMPLE)
        assert answer.status_code == 200, answer.text
        return str(answer.json["decision"]["id"])

    def publish(self) -> None:
        keeper = open_keeper(open_foundation(self.settings), self.settings)
        assert keeper.tick(hurry=True).problems == ()
        keeper.close()

    def check(
        self,
        data: bytes,
        capsys: pytest.CaptureFixture[str],
        *,
        keys: bool = True,
        sent: bytes | None = None,
    ) -> tuple[int, dict[str, str]]:
        code = main([*self.arguments(data, keys=keys, sent=sent), "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told["body_given"] is (sent is not None)
        return code, {one["check"]: one["state"] for one in told["checks"]}

    def arguments(self, data: bytes, *, keys: bool = True, sent: bytes | None = None) -> list[str]:
        (self.folder / "bundle.zip").write_bytes(data)
        trusted = ["--keys", str(self.folder / "jwks.json")] if keys else []
        if sent is not None:
            (self.folder / "sent.json").write_bytes(sent)
            trusted += ["--body", str(self.folder / "sent.json")]
        return [str(self.folder / "bundle.zip"), "--policy", str(self.folder / "policy"), *trusted]

    def ask_batch(self, questions: list[dict[str, Any]]) -> tuple[bytes, bytes]:
        """Give the body as it was sent, and the bundle of its first answer."""
        body = {"questions": questions}
        answer = self.caller.call(f"{PROOFS}:batch", body)
        decision = answer.json["answers"][0]["answer"]["decision"]["id"]
        self.publish()
        return json.dumps(body).encode(), bytes(self.get(f"{PROOFS}/{decision}/bundle").data)


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """Open an installation in a folder whose calling system has announced the case of the example."""
    copy_prepared(folder / "data")
    settings = Settings(data=folder / "data")
    rooms = open_rooms(settings)
    app = create_app(rooms, settings)
    new = NewClient(
        name="综合受理系统",
        organisation="scjg",
        sources=frozenset({"ycsl"}),
        scopes=frozenset({"announce", "ask"}),
        items=frozenset({"339999010002"}),
        operators=frozenset({"op-1"}),
        expires_at=rooms.clock.now().replace(year=2100),
    )
    caller = make_caller(app, rooms, new)
    browser = app.test_client()
    assert browser.put(CASE, json=CASE_EXAMPLE, headers=caller.headers()).status_code == 201
    (folder / "jwks.json").write_bytes(browser.get("/.well-known/jwks.json").data)
    (folder / "policy").write_bytes(browser.get("/receipts/policy").data)
    yield Office(rooms, settings, caller, folder)
    rooms.close()


def members(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(found: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return written.getvalue()
