# SPDX-License-Identifier: Apache-2.0
"""Events of proofs over a real wire: a receiver may fail, sleep, lie or die, and a worker may be killed."""

import base64
import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from event_receiver import Receiver, serving
from license_library import BUSINESS
from proof_events import HEARING, ProofEvents
from running import free_port
from standardwebhooks import Webhook
from tooling import ROOT

from licenses.ladder.models import LadderRung
from licenses.ladder.states import RungEventKind
from licenses.lifecycle import EventKind
from licenses.sharing.schedule import RETRY_SECONDS
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender

E = RungEventKind
SUPPORT = ROOT / "tests" / "support"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{SUPPORT}:{ROOT}"}


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path / "received")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProofEvents]:
    made = ProofEvents(tmp_path / "world")
    # Receivers refuse what is old, and theirs is the machine's clock.
    made.clock.at = dt.datetime.now(dt.UTC)
    made.sharing.sender = HttpSender(Reach(production=False), made.clock, seconds=0.5)
    yield made
    made.close()


def false_and_mended(world: ProofEvents) -> LadderRung:
    """Let a commitment go a way of which two events are told: 4, found false, and 5, made good."""
    row = world.rung("commitment")
    for kind in (E.COMMITTED, E.ACCEPTED, E.FOUND_FALSE, E.RECTIFIED):
        world.happens(row, kind)
    # Time went on by seconds, and the receivers' is the machine's.
    world.clock.at = dt.datetime.now(dt.UTC)
    return row


def test_messages_are_genuine_to_the_judges_that_receivers_use(
    world: ProofEvents, receiver: Receiver
) -> None:
    licence = world.library.issue(BUSINESS)
    with serving(receiver) as address:
        asked = world.subscribe(endpoint=address)
        decision = world.relies()
        world.befalls(licence, EventKind.REVOKED)
        row = false_and_mended(world)
        world.deliver()
    public = Ed25519PublicKey.from_public_bytes(
        base64.b64decode(world.sharing.keys.public.removeprefix("whpk_"))
    )
    events = []
    for message in receiver.kept():
        headers, body = message["headers"], message["body"]
        events.append(Webhook(asked.secret or "").verify(body, headers))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
        (own,) = (one[4:] for one in headers["webhook-signature"].split() if one.startswith("v1a,"))
        public.verify(base64.b64decode(own), signed)
        assert headers["webhook-id"] == events[-1]["id"]
        with pytest.raises(Exception, match="No matching signature"):
            Webhook("whsec_" + base64.b64encode(bytes(32)).decode()).verify(body, headers)
    assert [(one["type"], one["data"]["decisions"]) for one in events] == [
        ("proof.recalled", [decision]),
        ("proof.resolved", [row.decision_id]),
        ("proof.resolved", [row.decision_id]),
    ]


@pytest.mark.parametrize(
    ("mood", "problem"),
    [
        ("fail", "http-500"),
        ("refuse", "http-422"),
        ("slow", "time-out"),
        ("garbage", "broken-off"),
        ("cut", "broken-off"),
    ],
)
def test_what_an_ill_receiver_did_not_take_comes_again_under_the_same_id_and_in_order(
    mood: str, problem: str, world: ProofEvents, receiver: Receiver
) -> None:
    receiver.moods = [mood]
    with serving(receiver) as address:
        asked = world.subscribe(endpoint=address)
        row = false_and_mended(world)
        world.deliver()
        assert world.sharing.place(asked.subscription.id).problem == problem
        world.clock.advance(60)
        world.deliver()
    first, again = (headers["webhook-id"] for _, headers in receiver.seen[:2])
    assert first == again
    assert receiver.order() == {row.id: [4, 4, 5] if mood == "cut" else [4, 5]}
    assert world.sharing.deliveries() == []


def test_who_says_it_has_a_message_without_reading_it_is_believed(
    world: ProofEvents, receiver: Receiver
) -> None:
    """What a liar has lost it can fetch: the feed still holds it."""
    receiver.moods = ["lie"]
    with serving(receiver) as address:
        world.subscribe(endpoint=address)
        row = false_and_mended(world)
        world.deliver()
    assert receiver.order() == {row.id: [5]}
    assert world.sharing.deliveries() == []
    with world.database.writing() as uow:
        page = world.sharing.desk.fetch(uow, HEARING, "log", None, 10)
    assert [one.sequence for one in page.changes] == [4, 5]


def test_a_receiver_that_died_gets_everything_when_it_is_back(world: ProofEvents, receiver: Receiver) -> None:
    port = free_port()
    world.subscribe(endpoint=f"http://127.0.0.1:{port}/events")
    row = false_and_mended(world)
    world.deliver()
    assert receiver.order() == {}
    command = [sys.executable, str(SUPPORT / "event_receiver.py"), str(port), str(receiver.file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()
    world.clock.advance(RETRY_SECONDS[0])
    world.deliver()
    process.kill()
    process.wait()
    assert receiver.order() == {row.id: [4, 5]}


def test_a_worker_killed_between_sending_and_recording_sends_again_under_the_same_id(
    world: ProofEvents, receiver: Receiver
) -> None:
    with serving(receiver) as address:
        world.subscribe(endpoint=address)
        row = false_and_mended(world)
        world.sharing.settle()
        world.sharing.announcer.look()
        command = [sys.executable, str(SUPPORT / "sharing_worker.py"), str(world.sharing.folder)]
        doomed = subprocess.run(
            command, env={**ENVIRONMENT, "CUNZHENG_FAILPOINT": "share.after-send:1"}, check=False
        )
        assert doomed.returncode == -signal.SIGKILL
        assert receiver.order() == {row.id: [4]}
        world.sharing.worker("doomed").recover()
        world.clock.at = dt.datetime.now(dt.UTC)
        world.deliver()
    assert receiver.order() == {row.id: [4, 4, 5]}
    ids = [headers["webhook-id"] for _, headers in receiver.seen]
    assert (ids[0], len(set(ids))) == (ids[1], 2)
    assert world.sharing.deliveries() == []


@pytest.mark.parametrize(("killed", "told"), [("before", []), ("after", [2])])
def test_an_act_and_its_place_in_the_feed_stand_or_fall_together_when_a_process_is_killed(
    killed: str, told: list[int], world: ProofEvents, receiver: Receiver
) -> None:
    """Nothing but what is durable with the act is needed to tell of it."""
    with serving(receiver) as address:
        world.subscribe(endpoint=address)
        row = world.rung("supply_later")
        command = [sys.executable, str(SUPPORT / "rung_supplied.py"), str(world.sharing.folder)]
        doomed = subprocess.run([*command, row.id, killed], env=ENVIRONMENT, check=False)
        assert doomed.returncode == -signal.SIGKILL
        assert world.now(row).state == ("supplied" if told else "admitted")
        world.clock.at = dt.datetime.now(dt.UTC)
        world.deliver()
    assert receiver.order().get(row.id, []) == told
