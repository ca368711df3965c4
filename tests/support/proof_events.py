# SPDX-License-Identifier: Apache-2.0
"""A client that asks for proofs and is told what becomes of its own answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ladder_world import ASKER, LadderWorld
from license_library import FOOD, GROUNDS, MANAGER
from sharing_world import HandReceiver, SharingWorld

from cases.models import Case
from licenses.ladder.models import LadderRung
from licenses.lifecycle import EventKind
from licenses.models import License
from licenses.questions import ProofQuestion
from licenses.sharing.ports import Line
from licenses.sharing.services import Asked
from storage.identity import Identity

HEARING = replace(ASKER, scopes=ASKER.scopes | {"subscribe"})
OTHER_HEARING = replace(HEARING, id="client-2", operator="operator-8")


@dataclass
class Endpoints:
    """A receiver in the test's hand at each address."""

    receivers: dict[str, HandReceiver] = field(default_factory=dict)

    def check(self, endpoint: str) -> None:
        """Admit every endpoint."""

    @contextmanager
    def line(self, endpoint: str) -> Iterator[Line]:
        yield self.receivers.setdefault(endpoint, HandReceiver())


class ProofEvents(LadderWorld):
    """The ladder's library, with subscriptions, a worker and a receiver in the test's hand.

    Args:
        folder: Where the database lies.
        sender: Sends messages; the receiver in the test's hand when ``None``.
        fallback: The rungs of the requirement.
    """

    def __init__(self, folder: Path, sender: Any = None, fallback: Any = None) -> None:
        super().__init__(folder, fallback)
        self.sharing = SharingWorld(folder, sender, self.library)
        self.receiver = self.sharing.receiver

    def subscribe(self, client: Identity = HEARING, **wish: Any) -> Asked:
        return self.sharing.subscribe(client, about="proofs", purpose="re-examine", **wish)

    def deliver(self) -> None:
        self.sharing.deliver()

    def told(self) -> list[tuple[str, str]]:
        """Give type and change of each event that arrived, in the order of its coming."""
        return [(one["type"], one["data"]["change"]) for one in self.receiver.arrived]

    def rung(self, kind: str, who: Identity = HEARING, case: Case | None = None) -> LadderRung:
        """Let somebody take a rung from an answer of the own."""
        decision = self.ask(case or self.library.announce(FOOD), who).decision
        self.clock.advance(1)
        with self.database.writing() as uow:
            return self.ladder.take(uow, who, decision.id, "R1", kind)[0]

    def relies(self, who: Identity = HEARING) -> str:
        """Ask about a new case of the company that holds licences; give the decision."""
        case = self.library.announce(FOOD)
        self.clock.advance(1)
        with self.database.writing() as uow:
            question = ProofQuestion(case.source, case.number, case.item_code, "accept")
            return self.library.proofs.ask(uow, who, question).decision.id

    def befalls(self, licence: License, kind: EventKind) -> None:
        self.clock.advance(60)
        with self.database.writing() as uow:
            self.library.service.change(uow, MANAGER, licence.identifier, kind, GROUNDS)

    def close(self) -> None:
        self.sharing.close()
