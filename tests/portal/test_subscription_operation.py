# SPDX-License-Identifier: Apache-2.0
"""Subscriptions for who runs the installation: commands, figures, the doctor's line."""

import datetime as dt
import json
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from licenses.sharing.models import Delivery, SubscriptionPlace
from licenses.sharing.terms import Wish
from portal.accounts.rights import NewClient, add_client
from portal.bootstrap import open_rooms
from portal.health import examine
from portal.metrics import make_registry
from portal.readiness import Readiness
from portal.rooms import Rooms
from portal.settings import Settings
from storage.identity import Identity, Role, system_identity

from .conftest import run

FOOD = "11339999DEM0010178001"


def asked(rooms: Rooms) -> str:
    """Have a client ask for a subscription; give its id."""
    with rooms.database.writing() as uow:
        client, _ = add_client(
            uow,
            system_identity("test"),
            NewClient(
                name="税务登记系统",
                organisation="scjg",
                sources=frozenset(),
                scopes=frozenset({"subscribe"}),
                items=frozenset(),
                operators=frozenset(),
                expires_at=uow.clock.now() + dt.timedelta(days=30),
            ),
        )
        scopes = frozenset({"subscribe"})
        who = Identity("system", client.id, "scjg", frozenset({Role.CLIENT}), scopes=scopes)
        wish = Wish(
            name="登记联动",
            types=[FOOD],
            purpose="keep-current",
            endpoint="http://127.0.0.1:9/events",
            reason="按目录共享",
        )
        return rooms.subscriptions.ask(uow, who, wish).subscription.id


def fail(rooms: Rooms, subscription: str) -> None:
    """Leave a dead letter and a waiting event behind, as an endpoint does that is down."""
    with rooms.database.writing() as uow:
        now = uow.clock.now()
        place = uow.session.get(SubscriptionPlace, subscription) or SubscriptionPlace(
            subscription_id=subscription, seq=0, place=0, streak=0, told=0
        )
        place.problem, place.problem_at = "no-connection", now
        uow.session.add(place)
        for number, state in enumerate(("dead", "waiting")):
            uow.session.add(
                Delivery(
                    id=f"{state}-letter",
                    subscription_id=subscription,
                    event_id=f"event-{number}",
                    object_id="licence",
                    seq=number,
                    place=0,
                    state=state,
                    failures=10,
                    due_at=now + dt.timedelta(days=1),
                    added_at=now - dt.timedelta(hours=2),
                    problem="no-connection",
                    dead_at=now if state == "dead" else None,
                )
            )


def figures(registry: CollectorRegistry) -> dict[str, float]:
    wanted = ("deliveries_waiting", "delivery_oldest_age_seconds", "dead_letters")
    return {
        sample.name.removeprefix("cunzheng_"): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.removeprefix("cunzheng_") in wanted
    }


def test_a_subscription_is_decided_watched_and_mended_on_the_command_line(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = open_rooms(Settings(data=installation))
    subscription = asked(rooms)
    code, said = run("subscription", "list", capsys=capsys)
    assert (code, subscription in said, "open" in said) == (0, True, True)
    assert run("subscription", "approve", subscription, "--reason", "同意", capsys=capsys)[0] == 0
    assert run("subscription", "refuse", subscription, "--reason", "晚了", capsys=capsys)[0] == 3
    fail(rooms, subscription)
    (shown,) = json.loads(run("subscription", "list", "--json", capsys=capsys)[1])
    assert (shown["state"], shown["waiting"], shown["dead"]) == ("approved", 1, 1)
    (letter,) = json.loads(run("subscription", "dead", "--json", capsys=capsys)[1])
    assert (letter["event"], letter["problem"]) == ("event-0", "no-connection")
    assert run("subscription", "resend", capsys=capsys)[0] == 64, "which?"
    assert run("subscription", "resend", "unknown", capsys=capsys)[0] == 3
    assert run("subscription", "resend", letter["id"], capsys=capsys)[0] == 0
    assert "没有死信" in run("subscription", "dead", capsys=capsys)[1]
    assert run("subscription", "skip", subscription, "unknown", capsys=capsys)[0] == 3
    assert run("subscription", "skip", subscription, "event-1", capsys=capsys)[0] == 0
    (skipped,) = json.loads(run("subscription", "dead", "--json", capsys=capsys)[1])
    assert (skipped["event"], skipped["problem"]) == ("event-1", "skipped")
    assert run("subscription", "end", subscription, "--reason", "不再需要", capsys=capsys)[0] == 0
    assert json.loads(run("subscription", "list", "--json", capsys=capsys)[1])[0]["state"] == "ended"
    rooms.close()


def test_figures_and_the_doctor_tell_of_what_does_not_arrive(installation: Path) -> None:
    settings = Settings(data=installation)
    rooms = open_rooms(settings)
    subscription = asked(rooms)
    security = Identity("person", "security", "office", frozenset({Role.SECURITY_ADMIN}))
    rooms.database.write(lambda uow: rooms.subscriptions.approve(uow, security, subscription, "同意"))
    registry = make_registry(rooms, settings, Readiness(rooms))
    assert figures(registry) == {
        "deliveries_waiting": 0,
        "delivery_oldest_age_seconds": 0,
        "dead_letters": 0,
    }
    (well,) = [one for one in examine(rooms, settings) if one.part == "sharing"]
    assert well.well
    fail(rooms, subscription)
    found = figures(registry)
    assert (found["deliveries_waiting"], found["dead_letters"]) == (1, 1)
    assert 7190 < found["delivery_oldest_age_seconds"] < 7300
    (ill,) = [one for one in examine(rooms, settings) if one.part == "sharing"]
    assert not ill.well
    assert not ill.needed, "filing and issuing go on"
    assert subscription in ill.state[1]
    rooms.close()
