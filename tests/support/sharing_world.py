# SPDX-License-Identifier: Apache-2.0
"""A library whose changes are told to others: subscriptions, a worker, a receiver that does as it is told."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from license_library import COMPANY, GROUNDS, MANAGER, Library
from sqlalchemy import select

import licenses.sharing.models  # noqa: F401 - defines tables
from licenses.models import License, LicenseEvent
from licenses.sharing.delivery import DeliverStep
from licenses.sharing.desk import SharingDesk
from licenses.sharing.keys import MessageKeys
from licenses.sharing.models import Delivery, SubscriptionPlace
from licenses.sharing.ports import Answer, Line
from licenses.sharing.services import Asked, SubscriptionService
from licenses.sharing.terms import Wish
from portal.sharing.announcer import Announcer
from portal.worker import Worker
from storage.clock import RandomIds
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.sequencer import Sequencer

SOURCE = "https://cunzheng.example/api/v1/licence-events"
TAX = Identity("system", "tax-client", "swj", frozenset({Role.CLIENT}), scopes=frozenset({"subscribe"}))
OTHER_CLIENT = Identity("system", "other", "scjg", frozenset({Role.CLIENT}), scopes=frozenset({"subscribe"}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
ENDPOINT = "http://127.0.0.1:9/events"
ARRIVED = Answer(204)
DOWN = Answer(0, "no-connection")
REFUSED = Answer(422, "http-422")


@dataclass
class HandReceiver:
    """A receiver in the test's hand: what it answers, and every message that reached it.

    Attributes:
        says: Gives the answer to a message, by its event; the default is that it arrived.
        got: Headers and event of each message that was sent to it, arrived or not.
        arrived: Events that it said it has.
    """

    says: Callable[[Mapping[str, Any]], Answer] = lambda _: ARRIVED
    got: list[tuple[Mapping[str, str], Mapping[str, Any]]] = field(default_factory=list)
    arrived: list[Mapping[str, Any]] = field(default_factory=list)

    def check(self, endpoint: str) -> None:
        """Admit every endpoint."""

    @contextmanager
    def line(self, endpoint: str) -> Iterator[Line]:
        yield self

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        event = json.loads(body)
        answer = self.says(event)
        self.got.append((headers, event))
        if answer.arrived:
            self.arrived.append(event)
        return answer

    def order(self) -> dict[str, list[int]]:
        """Give the sequence numbers that arrived, by licence or rung."""
        found: dict[str, list[int]] = {}
        for event in self.arrived:
            thing = event["data"].get("licence") or event["data"].get("rung")
            if thing is not None:
                found.setdefault(thing, []).append(event["data"]["sequence"])
        return found


@dataclass
class HandClients:
    """Clients that all run, but those that the test ended."""

    ended: set[str] = field(default_factory=set)

    def may_subscribe(self, uow: UnitOfWork, client_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(client_ids) - self.ended


class SharingWorld:
    """A library with a sequencer, subscriptions and a worker; time passes when the test says so."""

    def __init__(self, folder: Path, sender: Any = None, library: Library | None = None) -> None:
        self.library = library or Library(folder)
        self.clock, self.database = self.library.clock, self.library.database
        self.receiver = HandReceiver()
        self.clients = HandClients()
        self.sender = sender or self.receiver
        self.subscriptions = SubscriptionService(self.library.types, self.library.items, self.sender)
        self.desk = SharingDesk(self.subscriptions)
        self.keys = MessageKeys(folder / "keys")
        self.sequencer = Sequencer(self.database, self.clock, folder / "sequencer.lock")
        self.announcer = Announcer(self.database)
        self.folder = folder

    def worker(self, owner: str = "embedded") -> Worker:
        """Make a worker that delivers."""
        secrets = self.database.secrets
        step = DeliverStep(self.sender, self.clients, secrets, self.clock, self.keys.sign, SOURCE)
        staging = self.folder / "staging"
        return Worker(self.database, {step.kind: step}, staging, self.clock, RandomIds(), owner)

    def subscribe(self, client: Identity = TAX, *, approve: bool = True, **wish: Any) -> Asked:
        """Ask for a subscription, and have it approved."""
        if not {"about", "types", "items", "holders"} & set(wish):
            wish["types"] = [self.library.types.all()[0].code]
        terms = {"name": "登记变更", "purpose": "keep-current", "endpoint": ENDPOINT, "reason": "共享"} | wish
        with self.database.writing() as uow:
            asked = self.subscriptions.ask(uow, client, Wish(**terms))
        if approve:
            self.settle()
            with self.database.writing() as uow:
                self.subscriptions.approve(uow, SECURITY, asked.subscription.id, "同意")
        return asked

    def licence(self, type_code: str, holder: tuple[str, str, str] = COMPANY, **changes: Any) -> License:
        """Give an issued licence; its issuing itself is not told."""
        return self.library.issue(type_code, holder, **changes)

    def change(self, licence: License, times: int = 1) -> None:
        """Suspend a licence and resume it, in turns."""
        for _ in range(times):
            with self.database.writing() as uow:
                last = uow.session.scalars(
                    select(LicenseEvent.kind)
                    .where(LicenseEvent.license_id == licence.id)
                    .order_by(LicenseEvent.position.desc())
                ).first()
                service = self.library.service
                act = service.resume if last == "suspended" else service.suspend
                act(uow, replace(MANAGER, organisation=licence.organisation), licence.identifier, GROUNDS)

    def settle(self) -> None:
        """Give every act its place in the ledger."""
        while self.sequencer.drain():
            pass

    def deliver(self, rounds: int = 50) -> None:
        """Let the announcer look and the worker work until there is nothing to do now."""
        self.settle()
        worker = self.worker()
        for _ in range(rounds):
            if not self.announcer.look() and not worker.run_one():
                return
        raise AssertionError("there is always something more to do")

    def deliveries(self, state: str | None = None) -> list[Delivery]:
        with self.database.reading() as uow:
            query = select(Delivery).order_by(Delivery.seq, Delivery.place)
            found = uow.session.scalars(query).all()
            return [one for one in found if state in {None, one.state}]

    def place(self, subscription_id: str) -> SubscriptionPlace:
        with self.database.reading() as uow:
            return uow.session.get_one(SubscriptionPlace, subscription_id)

    def close(self) -> None:
        self.sequencer.close()
        self.database.close()
