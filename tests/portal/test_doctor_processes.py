# SPDX-License-Identifier: Apache-2.0
"""The doctor's line on processes: only this installation's own web process counts as one."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from portal.bootstrap import open_rooms
from portal.pulse import Pulse
from portal.settings import Settings
from portal.web.factory import create_app
from storage.clock import SystemClock

from .conftest import run

Found = Callable[[], dict[str, Any]]


@pytest.fixture
def found(
    installation: Path,
    capsys: pytest.CaptureFixture[str],
) -> Found:
    """Give a look at the line, on a machine where only the web process may be missing."""
    for name in ("worker", "sequencer"):
        Pulse(Settings().staging, name, SystemClock()).beat()

    def look() -> dict[str, Any]:
        _, printed = run("doctor", "--json", capsys=capsys)
        return next(one for one in json.loads(printed) if one["part"] == "processes")

    return look


class Silent(WSGIRequestHandler):
    """Logs nothing: what it says would stand among what the doctor prints."""

    def log(self, *_: object) -> None: ...


@contextmanager
def serving(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve an application where the settings say that the web process listens."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    monkeypatch.setenv("CUNZHENG_PORT", str(server.port))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_own_web_process_is_known_by_the_ledgers_key_and_missed_when_it_is_gone(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    rooms = open_rooms(settings)
    with serving(create_app(rooms, settings), monkeypatch):
        line = found()
    rooms.close()
    assert line["well"]
    assert line["state"]["en"] == "running on this machine: worker, sequencer, web"
    line = found()
    assert not line["well"]
    assert line["state"]["en"] == "running on this machine: worker, sequencer"
    assert line["remedy"]["en"] == "Start cunzheng serve"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<!doctype html><title>Another product</title>"),
        (200, "demo.cunzheng.invalid/log+1a2b3c4d+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh\n"),
        (200, ""),
        (200, "x" * 100_000),
        (404, ""),
        (302, ""),
    ],
)
def test_whatever_else_answers_on_the_port_is_not_taken_for_it(
    found: Found, status: int, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another product, another installation with its own key, and a door that leads elsewhere."""
    answer = Response(body, status, {"Location": "/"} if status == 302 else {}, mimetype="text/plain")
    with serving(answer, monkeypatch) as port:
        line = found()
    assert not line["well"]
    assert line["state"]["zh"].endswith(f"127.0.0.1:{port} 上应答的不是本系统的网页服务")
    assert line["state"]["en"].endswith(f"something else answers on 127.0.0.1:{port}")
    assert "web" not in line["state"]["en"].partition(";")[0]
    assert line["remedy"]["en"] == "Free that port or set another (CUNZHENG_PORT), then start cunzheng serve"


def test_its_key_with_another_status_is_not_its_answer(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    rooms = open_rooms(settings)
    key = rooms.keys.log_key
    rooms.close()
    with serving(Response(key, 503, mimetype="text/plain"), monkeypatch):
        assert not found()["well"]


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x16\x03\x01\x00\x05hello"])
def test_something_that_speaks_no_http_is_not_taken_for_it(
    found: Found, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("CUNZHENG_PORT", str(server.getsockname()[1]))

        def speak() -> None:
            taken, _ = server.accept()
            with taken:
                taken.sendall(said)

        thread = Thread(target=speak)
        thread.start()
        line = found()
        thread.join()
    assert not line["well"]
    assert "something else answers" in line["state"]["en"]


def test_a_port_that_is_open_and_silent_is_said_to_be_silent(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The own web process may be too busy to answer: nobody is told to start another one."""
    monkeypatch.setattr("portal.listening.ANSWERS_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("CUNZHENG_PORT", str(port))
        line = found()
    assert not line["well"]
    assert line["state"]["en"].endswith(f"nobody answers on 127.0.0.1:{port}, which is open")
    assert line["remedy"]["en"] == "See what holds that port; if it is cunzheng serve, look at its log"
