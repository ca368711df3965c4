# SPDX-License-Identifier: Apache-2.0
"""What sharing needs from others: somebody who sends, somebody who knows the clients."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from storage.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one message.

    Attributes:
        status: HTTP status; 0 when there was no complete answer.
        problem: Stable code of why it did not arrive; empty when it did.
        wait: Seconds that the receiver asked us to wait, if it did.
    """

    status: int
    problem: str = ""
    wait: float | None = None

    @property
    def arrived(self) -> bool:
        """Tell whether the receiver said that it has it."""
        return not self.problem

    @property
    def gone(self) -> bool:
        """Tell whether the receiver wants nothing more, ever."""
        return self.status == 410

    @property
    def about_endpoint(self) -> bool:
        """Tell whether the failure is the endpoint's as a whole, not this message's alone."""
        refuses_this = 400 <= self.status < 500 and self.status not in {401, 403, 404, 407, 408, 425, 429}
        return bool(self.problem) and not refuses_this


class Line(Protocol):
    """A connection to one endpoint, kept over several messages."""

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one message and wait for its answer, in bounded time; raises nothing of the network's."""
        ...


class Sender(Protocol):
    """Sends messages to endpoints."""

    def check(self, endpoint: str) -> None:
        """Refuse an address to which nothing may be sent, as far as it shows without asking anybody.

        Raises:
            EndpointRefusedError: It may not.
        """
        ...

    def line(self, endpoint: str) -> AbstractContextManager[Line]:
        """Open a line to an endpoint; what is wrong with the endpoint shows at the first message."""
        ...


class Clients(Protocol):
    """What is known of the systems that subscribe."""

    def may_subscribe(self, uow: UnitOfWork, client_ids: Sequence[str]) -> frozenset[str]:
        """Give those of the clients that still run and may be told of changes."""
        ...
