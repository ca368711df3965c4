# SPDX-License-Identifier: Apache-2.0
"""No log of a whole served run tells a name or a number of anybody in the demonstration's data.

The run: all cases played, every desk's pages opened, searches, questions and checks that hold personal data,
hostile calls that carry them in every place that a call has, refused filings, and commands that fail.
"""

import json
import re
import shutil
import socket
import urllib.request
import uuid
from collections.abc import Generator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from demonstration import copy_of
from personal import demo_personal, logs_under, told_in
from running import Site, serving_demo
from visiting import Visitor

from portal.demo.script import Script

pytestmark = pytest.mark.slow
SCRIPT = Script.load()
FIRM = SCRIPT.case("01-firm-registered").data()
OPEN = next(one.data() for one in SCRIPT.cases if one.expect["state"] == "open")
PERSON = next(one.data()["holder"] for one in SCRIPT.cases if one.data()["holder"]["scheme"] == "111")
AUTHOR = FIRM["opinions"][0]["author"]
TELEPHONE = "13812345678"
PERSONAL = demo_personal() | {TELEPHONE}
MARK = "zq7f3e1c"
"""Stands in every hostile call: no log repeats what was sent."""
SAID = [FIRM["holder"]["name"], FIRM["holder"]["code"], PERSON["name"], PERSON["code"], AUTHOR, TELEPHONE]
DESKS = {
    "archivist": "/archive",
    "clerk": "/window",
    "inspector": "/verify",
    "supervisor": "/supervision",
    "system-admin": "/rights",
    "security-admin": "/rights",
    "audit-admin": "/supervision",
}


# -- the scanner itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize(
    "written",
    [
        lambda text: text,
        lambda text: f'GET /search?q={quote(text)} HTTP/1.1" 200',
        lambda text: json.dumps({"name": text}),
        lambda text: repr(text.encode()),
        lambda text: f"ValueError: {text!r} is not known",
        lambda text: f"holder={text}".lower(),
    ],
    ids=["plain", "in an address", "in JSON", "as bytes", "in an error", "small letters"],
)
def test_a_log_that_tells_something_is_found_out(tmp_path: Path, said: str, written: object) -> None:
    (tmp_path / "logs").mkdir()
    line = written(said)  # type: ignore[operator] # one of the ways above
    (tmp_path / "logs" / "web.log").write_text(f"2026-11-22T01:00:00Z web INFO cunzheng: {line}\n", "utf-8")
    found = {name: told_in(text, PERSONAL) for name, text in logs_under(tmp_path).items()}
    assert found["web.log"]


def test_a_log_that_tells_nothing_passes() -> None:
    usual = (
        "2026-11-22T01:00:00Z worker INFO cunzheng.worker: step 2pzhja9ctv1fffpq9enrkxjdz6 done in 0.31 s\n"
        "9133**********011X 1695187200123 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
    )
    assert told_in(usual, PERSONAL) == []


def test_the_data_are_known_whole() -> None:
    assert set(SAID) <= PERSONAL
    assert len(PERSONAL) > 30


# -- the run -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    own = tmp_path_factory.mktemp("demo") / "data"
    copy_of(demo_data, own)
    # What the command that played the cases printed.
    shutil.copy(demo_data.parent / "output.txt", own / "logs" / "played.out")
    with serving_demo(own) as running:
        yield running


def _open_every_desk(site: Site) -> int:
    opened = 0
    for role, start in DESKS.items():
        visitor = Visitor(site.address)
        visitor.sign_in(site.login_link(role))
        opened += visitor.walk(start, 15)
        for word in SAID:
            for path in ("/search?q=", "/supervision/trace?q=", "/archive?number=", "/window?number="):
                visitor.get(path + quote(word))
        if role == "clerk":
            form = {"form_token": visitor.get("/window").field("form_token"), "purpose": "accept"}
            for number in (*SAID, OPEN["number"]):
                visitor.post("/window/ask", form | {"number": number})
    holder = Visitor(site.address)
    holder.sign_in_as_holder(FIRM["holder"]["name"])
    return opened + holder.walk("/mine", 5)


def _call(site: Site, path: str, method: str, body: bytes | None, headers: Mapping[str, str]) -> int:
    request = urllib.request.Request(site.address + path, body, dict(headers), method=method)
    return Visitor(site.address).send(request).status


def _client(site: Site) -> dict[str, str]:
    cast = json.loads((site.data / "demo-cast.json").read_bytes())
    return {"Authorization": f"Bearer {cast['key']}", "Access-Operator": cast["accounts"]["clerk"]}


def _call_with(site: Site, said: str) -> list[int]:
    """Put something personal into every place of a call."""
    text, safe = f"{said}{MARK}", quote(f"{said}{MARK}")
    known, kind = _client(site), {"Content-Type": "application/json"}
    body = json.dumps(OPEN | {"organisation": text, text: text}, ensure_ascii=False).encode()
    holder = OPEN["holder"] | {"name": text}
    other = json.dumps({**{k: OPEN[k] for k in ("item", "organisation", "accepted_at")}, "holder": holder})
    return [
        _call(site, f"/api/v1/cases/{safe}/{safe}", "PUT", body, known | kind),
        _call(site, f"/api/v1/cases/{OPEN['source']}/{OPEN['number']}", "PUT", other.encode(), known | kind),
        _call(site, f"/api/v1/cases/x/{safe}", "PUT", text.encode(), known | kind),
        _call(site, f"/api/v1/proofs?{safe}={safe}", "POST", body, known | kind),
        _call(site, f"/api/v1/search?q={safe}&after={safe}", "GET", None, known),
        _call(site, f"/api/v1/licences/{safe}", "GET", None, known | {"Access-Case": safe}),
        _call(site, f"/api/v1/dossiers/{safe}", "GET", None, known),
        _call(site, "/api/v1/cases", "GET", None, {"Authorization": f"Bearer {safe}", "User-Agent": safe}),
        _call(site, f"/{safe}/{safe}?{safe}", "GET", None, {"Referer": safe, "Cookie": f"{MARK}={safe}"}),
        _call(site, f"/v/{safe}", "GET", None, {}),
        _call(site, "/sign-in", "POST", f"login_name={safe}&password={safe}".encode(), {}),
        _call(site, "/verify", "POST", *_form({"file": (text, b"%PDF-1.7 " + text.encode())})),
    ]


def _form(parts: Mapping[str, tuple[str, bytes]]) -> tuple[bytes, dict[str, str]]:
    edge = uuid.uuid4().hex
    body = b"".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, (file, data) in parts.items()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    return body + f"--{edge}--\r\n".encode(), headers


def _refuse_filings(site: Site) -> list[int]:
    """File what is refused: a wrong digest, a classified one, one without materials, one that is no JSON."""
    statuses = []
    materials = {one["part"]: (one["file_name"], b"other bytes") for one in FIRM["materials"]}
    metadata = json.dumps(FIRM, ensure_ascii=False)
    for text, files in (
        (metadata, materials),
        (metadata, {}),
        (metadata.replace("公开", "机密"), materials),
        (metadata.replace('"number"', f'"{PERSON["name"]}"'), materials),
        (metadata[:-20], materials),
        (metadata.replace(FIRM["holder"]["code"], PERSON["code"]), materials),
    ):
        body, headers = _form({"metadata": ("case.json", text.encode()), **files})
        path = f"/api/v1/cases/{FIRM['source']}/{FIRM['number']}/filings"
        statuses.append(_call(site, path, "POST", body, _client(site) | headers))
    return statuses


def _send_no_request(site: Site) -> None:
    host, _, port = site.address.removeprefix("http://").partition(":")
    for said in SAID:
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(f"{said}{MARK} /{said} HTTP/9.9\r\n{said}: {said}\r\n\r\n".encode())
            while line.recv(65536):
                pass


def _run_commands(site: Site, folder: Path) -> dict[str, str]:
    """Run commands, most of which fail, on what holds personal data; give what each said.

    What a command is asked to show to an official it shows: of search and verify only the errors count. A
    command line that cannot be read is told to whoever typed it; none of these is such.
    """
    broken = folder / "broken"
    shutil.copytree(SCRIPT.case("01-firm-registered").folder, broken)
    (broken / "case.json").write_text(json.dumps(FIRM | {AUTHOR: AUTHOR, "number": 7}, ensure_ascii=False))
    plain = folder / "plain.pdf"
    plain.write_bytes(b"%PDF-1.7\n" + "".join(SAID).encode())
    said = {}
    for arguments, shows in (
        (["status"], False),
        (["doctor"], False),
        (["intake", str(broken)], False),
        (["intake", str(SCRIPT.case("03-firm-returned").folder)], False),
        (["index", "reconcile"], False),
        (["hold", "place", PERSON["code"], "--reason", AUTHOR, "--legal-basis", "x"], False),
        (["verify", str(plain)], True),
        (["search", FIRM["holder"]["name"]], True),
        (["step", "retry", PERSON["code"]], False),
    ):
        done = site.run(*arguments)
        said[" ".join(arguments[:2])] = done.stderr if shows else done.stdout + done.stderr
    return said


def test_no_log_and_no_refusal_of_a_whole_run_tells_anything_personal(site: Site, tmp_path: Path) -> None:
    assert _open_every_desk(site) > 40
    statuses = [status for said in SAID for status in _call_with(site, said)]
    assert all(400 <= status < 500 for status in statuses if status not in {200, 201}), statuses
    assert statuses.count(200) < len(statuses) / 2, statuses
    assert all(400 <= status < 500 for status in _refuse_filings(site))
    _send_no_request(site)
    outputs = _run_commands(site, tmp_path) | logs_under(site.data)
    assert {"web.log", "worker.log", "sequencer.log", "identity.log", "served.log", "played.out"} <= set(
        outputs
    )
    # On the terminal the greeting names whom to choose at the demonstration's identity provider.
    outputs["served.log"] = re.sub(r"(?m)^ *选择 choose: .*$", "", outputs["served.log"])
    assert {name: told for name, text in outputs.items() if (told := told_in(text, PERSONAL))} == {}
    assert [name for name, text in outputs.items() if MARK in text] == []
    assert "Traceback" not in outputs["web.log"]
    assert "unexpected" not in outputs["web.log"]
