# SPDX-License-Identifier: Apache-2.0
"""The integrator's receiver keeps what is sent and what it fetches, once, and refuses what is forged."""

import json
import os
import runpy
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from license_library import BUSINESS, FOOD
from proof_events import ProofEvents
from sharing_world import TAX, SharingWorld
from tooling import ROOT

from licenses.ladder.states import RungEventKind
from licenses.lifecycle import EventKind
from licenses.sharing.envelope import told_event
from licenses.sharing.models import Subscription
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender

pytestmark = pytest.mark.conformance
EXAMPLE = ROOT / "docs" / "examples" / "receive_events.py"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SharingWorld]:
    made = SharingWorld(tmp_path / "world")
    made.clock.at = datetime.now(UTC)
    made.sender = HttpSender(Reach(production=False), made.clock)
    yield made
    made.close()


@contextmanager
def receiver(folder: Path, secret: str) -> Iterator[str]:
    """Run the sample as an integrator would; give its address."""
    command = [sys.executable, str(EXAMPLE), "serve", "0", str(folder)]
    environment = dict(os.environ) | {"RECEIVER_SECRET": secret}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = process.stdout.readline().split()[-1]
        yield f"http://127.0.0.1:{port}/events"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kept(folder: Path) -> list[int]:
    return sorted(json.loads(path.read_text("utf-8"))["data"]["sequence"] for path in folder.glob("*.json"))


def test_what_is_sent_is_verified_and_kept_once(world: SharingWorld, tmp_path: Path) -> None:
    licence, folder = world.licence(FOOD), tmp_path / "events"
    asked = world.subscribe(types=[FOOD])
    with receiver(folder, asked.secret or "") as address:
        with world.database.writing() as uow:
            uow.session.get_one(Subscription, asked.subscription.id).endpoint = address
        world.change(licence, 3)
        world.deliver()
        with world.database.writing() as uow:
            world.desk.ping(uow, TAX, asked.subscription.id)
        world.deliver()
        forged = urllib.request.Request(
            address, b"{}", {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        )
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(forged, timeout=10)
        refused.value.close()
    assert world.deliveries() == []
    assert world.place(asked.subscription.id).problem is None
    assert kept(folder) == [2, 3, 4]


def test_what_is_told_of_own_answers_says_which_to_ask_again(tmp_path: Path) -> None:
    world, folder = ProofEvents(tmp_path / "world"), tmp_path / "events"
    world.clock.at = datetime.now(UTC)
    world.sharing.sender = HttpSender(Reach(production=False), world.clock)
    licence = world.library.issue(BUSINESS)
    asked = world.subscribe()
    with receiver(folder, asked.secret or "") as address:
        with world.database.writing() as uow:
            uow.session.get_one(Subscription, asked.subscription.id).endpoint = address
        relied = world.relies()
        world.befalls(licence, EventKind.SUSPENDED)
        row = world.rung("supply_later")
        world.happens(row, RungEventKind.SUPPLIED)
        world.clock.at = datetime.now(UTC)
        world.deliver()
    assert world.sharing.deliveries() == []
    sample = runpy.run_path(str(EXAMPLE))
    assert sample["to_ask_again"](folder) == {relied, row.decision_id}
    world.close()


def test_what_is_fetched_goes_on_from_the_kept_cursor(world: SharingWorld, tmp_path: Path) -> None:
    licence, folder = world.licence(FOOD), tmp_path / "events"
    world.subscribe(types=[FOOD], endpoint=None)
    with interface(world) as address:

        def fetched() -> str:
            command = [sys.executable, str(EXAMPLE), "fetch", address, str(folder)]
            environment = dict(os.environ) | {"RECEIVER_KEY": "key"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return done.stdout.strip()

        world.change(licence, 3)
        world.settle()
        assert fetched() == "3 new"
        assert fetched() == "0 new"
        world.change(licence)
        world.settle()
        assert fetched() == "1 new"
        (folder / "cursor").unlink()
        assert fetched() == "0 new", "whoever begins anew keeps nothing twice"
    assert kept(folder) == [2, 3, 4, 5]


@contextmanager
def interface(world: SharingWorld) -> Iterator[str]:
    """Serve the feed as ``GET /api/v1/licence-events`` does."""
    from flask import Flask, Response, request  # noqa: PLC0415 - a stand-in for the application
    from werkzeug.serving import make_server  # noqa: PLC0415

    app = Flask("interface")

    @app.get("/api/v1/licence-events")
    def events() -> Response:
        with world.database.writing() as uow:
            page = world.desk.fetch(uow, TAX, "log", request.args.get("after"), 2)
        shown = [told_event(one, "https://cunzheng.example") for one in page.changes]
        body = json.dumps({"events": shown, "next": page.next, "more": page.more})
        return Response(body, mimetype="application/json")

    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
