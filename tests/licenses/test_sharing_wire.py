# SPDX-License-Identifier: Apache-2.0
"""Over a real wire: whatever a receiver does, every event arrives at least once and in order."""

import base64
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from event_receiver import Receiver, serving
from license_library import FOOD
from running import free_port
from sharing_world import TAX, SharingWorld
from standardwebhooks import Webhook
from tooling import ROOT

from licenses.sharing.ports import Answer
from licenses.sharing.schedule import RETRY_SECONDS
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender

SUPPORT = ROOT / "tests" / "support"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{SUPPORT}:{ROOT}"}


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path / "received")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SharingWorld]:
    made = SharingWorld(tmp_path / "world")
    # Receivers refuse what is old, and theirs is the machine's clock.
    made.clock.at = dt.datetime.now(dt.UTC)
    made.sender = HttpSender(Reach(production=False), made.clock, seconds=0.5)
    yield made
    made.close()


def test_a_message_is_genuine_to_the_judges_that_receivers_use(
    world: SharingWorld, receiver: Receiver
) -> None:
    licence = world.licence(FOOD)
    with serving(receiver) as address:
        asked = world.subscribe(types=[FOOD], endpoint=address)
        world.change(licence)
        world.deliver()
    (message,) = receiver.kept()
    headers, body = message["headers"], message["body"]
    event = Webhook(asked.secret or "").verify(body, headers)
    assert event["data"]["licence"] == licence.id
    assert headers["content-type"].startswith("application/cloudevents+json")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(world.keys.public.removeprefix("whpk_")))
    (signature,) = (one[4:] for one in headers["webhook-signature"].split() if one.startswith("v1a,"))
    public.verify(base64.b64decode(signature), signed)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + base64.b64encode(bytes(32)).decode()).verify(body, headers)


def test_both_secrets_sign_for_a_day_after_a_rotation(world: SharingWorld, receiver: Receiver) -> None:
    licence = world.licence(FOOD)
    with serving(receiver) as address:
        asked = world.subscribe(types=[FOOD], endpoint=address)
        with world.database.writing() as uow:
            fresh, _ = world.subscriptions.rotate(uow, TAX, asked.subscription.id)
        world.change(licence)
        world.deliver()
        world.clock.advance(24 * 3600)
        world.change(licence)
        world.deliver()
    first, second = receiver.kept()
    for secret in (asked.secret or "", fresh):
        Webhook(secret).verify(first["body"], first["headers"])
    assert first["headers"]["webhook-signature"].count("v1,") == 2
    assert second["headers"]["webhook-signature"].count("v1,") == 1


@pytest.mark.parametrize(
    ("mood", "problem"),
    [
        ("fail", "http-500"),
        ("refuse", "http-422"),
        ("busy", "http-429"),
        ("redirect", "http-307"),
        ("garbage", "broken-off"),
        ("cut", "broken-off"),
        ("slow", "time-out"),
        ("drip", "time-out"),
    ],
)
def test_what_an_ill_receiver_did_not_take_comes_again_under_the_same_id_and_in_order(
    mood: str, problem: str, world: SharingWorld, receiver: Receiver
) -> None:
    licence = world.licence(FOOD)
    receiver.moods = [mood]
    with serving(receiver) as address:
        asked = world.subscribe(types=[FOOD], endpoint=address)
        world.change(licence, 3)
        world.deliver()
        assert world.place(asked.subscription.id).problem == problem
        assert len(world.deliveries("waiting")) == 3
        world.clock.advance(60)
        world.deliver()
    assert [path for path, _ in receiver.seen] == ["/events"] * 4, "no redirect was followed"
    order = receiver.order()[licence.id]
    assert order == ([2, 2, 3, 4] if mood == "cut" else [2, 3, 4]), "twice is allowed, out of order is not"
    first, again = (headers["webhook-id"] for _, headers in receiver.seen[:2])
    assert first == again
    assert world.deliveries() == []


@pytest.mark.parametrize("mood", ["huge", "lie"])
def test_who_says_it_has_a_message_has_it_however_it_says_so(
    mood: str, world: SharingWorld, receiver: Receiver
) -> None:
    licence = world.licence(FOOD)
    receiver.moods = [mood]
    with serving(receiver) as address:
        world.subscribe(types=[FOOD], endpoint=address)
        world.change(licence, 2)
        world.deliver()
    assert len(receiver.seen) == 2, "an endless answer is not listened to, and nothing is sent twice"
    assert world.deliveries() == []


def test_a_receiver_that_was_killed_gets_everything_when_it_is_back(
    world: SharingWorld, receiver: Receiver
) -> None:
    licence, port = world.licence(FOOD), free_port()
    world.subscribe(types=[FOOD], endpoint=f"http://127.0.0.1:{port}/events")

    def started() -> "subprocess.Popen[str]":
        command = [sys.executable, str(SUPPORT / "event_receiver.py"), str(port), str(receiver.file)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdout.close()
        return process

    process = started()
    world.change(licence, 2)
    world.deliver()
    process.kill()
    process.wait()
    world.change(licence, 3)
    world.deliver()
    assert receiver.order() == {licence.id: [2, 3]}
    process = started()
    world.clock.advance(RETRY_SECONDS[0])
    world.deliver()
    process.kill()
    process.wait()
    assert receiver.order() == {licence.id: [2, 3, 4, 5, 6]}


def test_a_worker_killed_between_sending_and_recording_sends_again_under_the_same_id(
    world: SharingWorld, receiver: Receiver
) -> None:
    licence = world.licence(FOOD)
    with serving(receiver) as address:
        world.subscribe(types=[FOOD], endpoint=address)
        world.change(licence, 2)
        world.settle()
        world.announcer.look()
        command = [sys.executable, str(SUPPORT / "sharing_worker.py"), str(world.folder)]
        doomed = subprocess.run(
            command, env={**ENVIRONMENT, "CUNZHENG_FAILPOINT": "share.after-send:2"}, check=False
        )
        assert doomed.returncode == -signal.SIGKILL
        assert receiver.order() == {licence.id: [2, 3]}
        assert len(world.deliveries("waiting")) == 2, "nothing was recorded"
        world.worker("doomed").recover()
        world.clock.at = dt.datetime.now(dt.UTC)
        world.deliver()
    assert receiver.order() == {licence.id: [2, 3, 2, 3]}
    ids = [headers["webhook-id"] for _, headers in receiver.seen]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2
    assert world.deliveries() == []


def test_an_endpoint_that_nobody_listens_at_is_a_problem_and_no_break(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    asked = world.subscribe(types=[FOOD], endpoint=f"http://127.0.0.1:{free_port()}/events")
    world.change(licence)
    world.deliver()
    assert world.place(asked.subscription.id).problem == "no-connection"


def test_what_a_receiver_says_is_not_kept(world: SharingWorld, receiver: Receiver) -> None:
    with serving(receiver) as address, world.sender.line(address) as line:
        receiver.moods = ["busy"]
        assert line.send({"webhook-id": "x"}, json.dumps({}).encode()) == Answer(429, "http-429", 60.0)
