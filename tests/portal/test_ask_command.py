# SPDX-License-Identifier: Apache-2.0
"""``cunzheng ask``: asks a served installation, believes only what is signed and answers this question."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from identity import served
from running import COMMAND, free_port

from licenses.answers import AnswerKeys
from portal.web.schemas import CASE_EXAMPLE
from storage.clock import SystemClock
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID, EXIT_REFUSED, EXIT_USAGE

from .conftest import House, make_house

NUMBER = "YC-2026-000140"


@dataclass(frozen=True)
class Caller:
    """A calling system with its key in a file, in a folder of its own."""

    house: House
    address: str
    folder: Path
    client: str

    def ask(self, **changes: str) -> subprocess.CompletedProcess[str]:
        options = {
            "case": f"ycsl/{NUMBER}",
            "item": "339999010002",
            "operator": "op-1",
            "client": self.client,
            "key-file": str(self.folder / "key.jwk"),
            "keys": str(self.folder / "jwks.json"),
            "out": str(self.folder / "answer.jws"),
        } | changes
        given = [part for name, value in options.items() for part in (f"--{name}", value)]
        return subprocess.run(
            [COMMAND, "ask", self.address, *given], capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    house = make_house(tmp_path, clock=SystemClock(), public_url=address)
    system = house.caller("announce", "ask")
    headers = system.headers()
    place = f"/api/v1/cases/ycsl/{NUMBER}"
    assert house.app.test_client().put(place, json=CASE_EXAMPLE, headers=headers).status_code == 201
    (tmp_path / "key.jwk").write_text(json.dumps(system.key.private()))
    (tmp_path / "key.pem").write_bytes(system.key.key.as_pem(private=True))
    with served(house.app, port):
        yield Caller(house, address, tmp_path, system.client_id)
    house.rooms.database.close()


def test_it_asks_checks_and_prints(caller: Caller) -> None:
    done = caller.ask()
    assert done.returncode == EXIT_DONE, done.stderr
    assert "签名有效" in done.stdout
    assert "? R2 场地使用证明" in done.stdout
    assert "→ 告知承诺" in done.stdout
    assert (caller.folder / "answer.jws").read_text().count(".") == 2
    assert caller.house.acts()[-2:] == ["proof.asked", "proof.answered"]


def test_a_key_in_another_form_and_under_another_address(caller: Caller) -> None:
    assert caller.ask(**{"key-file": str(caller.folder / "key.pem")}).returncode == EXIT_DONE
    other = replace(caller, address=caller.address.replace("127.0.0.1", "localhost")).ask()
    assert other.returncode == EXIT_REFUSED
    assert "aud is the token endpoint alone" in other.stderr


def test_an_answer_that_other_keys_signed_is_not_genuine(caller: Caller) -> None:
    other = AnswerKeys(caller.folder / "other").jwks()
    (caller.folder / "jwks.json").write_text(json.dumps(other))
    done = caller.ask()
    assert done.returncode == EXIT_INVALID
    assert not (caller.folder / "answer.jws").exists()


def test_a_refusal_names_its_code_and_an_absent_installation_is_said_to_be_absent(caller: Caller) -> None:
    refused = caller.ask(purpose="because")
    assert refused.returncode == EXIT_REFUSED
    assert "field=purpose" in refused.stderr
    gone = replace(caller, address=f"http://127.0.0.1:{free_port()}").ask()
    assert gone.returncode == EXIT_CANNOT_TELL
    assert "server-unavailable" in gone.stderr


def test_without_case_or_key_nothing_is_sent(caller: Caller) -> None:
    before = caller.house.acts()
    assert caller.ask(case="no-slash").returncode == EXIT_USAGE
    (caller.folder / "key.jwk").write_text("")
    assert caller.ask().returncode == EXIT_USAGE
    assert caller.house.acts() == before
