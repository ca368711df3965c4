# SPDX-License-Identifier: Apache-2.0
"""What happens to a licence in a running installation is told to who subscribed, by the real processes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from event_receiver import Receiver, serving
from installation import ASKER, FOOD, Installation, Submissions, installed
from own_servers import until
from sqlalchemy import select
from standardwebhooks import Webhook

from licenses.events import Grounds
from licenses.ladder.services import Happening
from licenses.ladder.states import RungEventKind
from licenses.models import License
from licenses.questions import ProofQuestion
from licenses.sharing.services import Asked
from licenses.sharing.terms import Wish
from portal.accounts.models import Client
from storage.database import UnitOfWork
from storage.identity import Identity, Role

pytestmark = pytest.mark.slow
BUSINESS_LICENCE = "11100000MB0143028R001"
PATIENCE = 180.0
SECURITY = Identity("person", "security", "office", frozenset({Role.SECURITY_ADMIN}))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("told")) as made:
        made.start("sequencer")
        made.start("worker")
        yield made


def subscribed(running: Installation, endpoint: str) -> tuple[str, str]:
    """Have the demonstration's client subscribe; give the subscription's id and its secret."""
    rooms = running.rooms

    def ask(uow: UnitOfWork) -> Asked:
        client = running.cast.client(uow)
        uow.session.get_one(Client, client.id).scopes = sorted({*client.scopes, "subscribe"})
        wish = Wish(
            name="税务登记联动",
            types=[BUSINESS_LICENCE],
            holders=[ASKER[:2]],
            purpose="keep-current",
            endpoint=endpoint,
            reason="按目录共享",
        )
        return rooms.subscriptions.ask(uow, replace(client, scopes=frozenset({"subscribe"})), wish)

    asked = rooms.database.write(ask)
    subscription = asked.subscription.id
    rooms.database.write(lambda uow: rooms.subscriptions.approve(uow, SECURITY, subscription, "同意"))
    return subscription, asked.secret or ""


def test_the_subscriber_of_a_running_installation_is_told_what_happens_to_a_licence(
    running: Installation, tmp_path: Path
) -> None:
    receiver = Receiver(tmp_path / "received")
    with serving(receiver) as endpoint:
        _, secret = subscribed(running, endpoint)
        running.file(Submissions(tmp_path / "materials").business("YS-2026-009001"))
        until(lambda: len(receiver.kept()) == 1, PATIENCE, "the issuing was told")
        with running.rooms.database.reading() as uow:
            licence = uow.session.scalars(select(License)).one()
        manager = Identity("person", "manager", licence.organisation, frozenset({Role.LICENSE_MANAGER}))
        grounds = Grounds("企业注销", "公司登记管理条例")
        running.rooms.database.write(
            lambda uow: running.rooms.licenses.cancel(uow, manager, licence.identifier, grounds)
        )
        until(lambda: len(receiver.kept()) == 2, PATIENCE, "the cancelling was told")
    events = [Webhook(secret).verify(one["body"], one["headers"]) for one in receiver.kept()]
    assert [one["type"] for one in events] == ["licence.issued", "licence.cancelled"]
    assert {one["data"]["licence"] for one in events} == {licence.id}
    said = " ".join(one["body"] for one in receiver.kept())
    assert not any(part in said for part in (*ASKER[1:], licence.identifier, licence.number))
    assert running.reports == []


def test_the_client_of_a_running_installation_is_told_that_its_answer_need_not_wait_any_longer(
    running: Installation, tmp_path: Path
) -> None:
    receiver, rooms = Receiver(tmp_path / "received"), running.rooms

    def ask(uow: UnitOfWork) -> tuple[Identity, Asked]:
        row = uow.session.get_one(Client, running.cast.sandbox)
        row.scopes = sorted({*row.scopes, "subscribe"})
        client = Identity(
            "system",
            row.id,
            row.organisation,
            frozenset({Role.CLIENT}),
            operator=running.cast.accounts[Role.CLERK],
            sources=frozenset(row.sources),
            scopes=frozenset(row.scopes),
            items=frozenset(row.items),
        )
        wish = Wish(name="协查", about="proofs", purpose="re-examine", endpoint=endpoint, reason="续办")
        return client, rooms.subscriptions.ask(uow, client, wish)

    running.announce("YS-2026-009002")
    question = ProofQuestion("yctb", "YS-2026-009002", FOOD, "accept")
    doctor = Identity("person", "doctor", "wjw", frozenset({Role.CLERK}))
    with serving(receiver) as endpoint:
        client, asked = rooms.database.write(ask)
        rooms.database.write(
            lambda uow: rooms.subscriptions.approve(uow, SECURITY, asked.subscription.id, "同意")
        )
        decision = rooms.database.write(lambda uow: rooms.proofs.ask(uow, client, question).decision.id)
        rung = rooms.database.write(
            lambda uow: rooms.ladder.take(uow, client, decision, "R3", "cooperation")[0].id
        )
        happening = Happening(RungEventKind.ANSWERED, "已核对", holds=True)
        rooms.database.write(lambda uow: rooms.ladder.happen(uow, doctor, rung, happening)[0].id)
        until(lambda: len(receiver.kept()) == 1, PATIENCE, "the answer was told")
    (message,) = receiver.kept()
    event = Webhook(asked.secret or "").verify(message["body"], message["headers"])
    assert (event["type"], event["data"]["rung"]) == ("proof.resolved", rung)
    assert event["data"]["decisions"] == [decision]
    assert not any(part in message["body"] for part in ASKER[1:])
    assert running.reports == []
