# SPDX-License-Identifier: Apache-2.0
"""Delivers changes to one subscription: at least once, and in order within each licence and each rung.

Guarantees: a later event of either is not sent while an earlier one of the same subscription waits; every
try of an event bears the same message id; one failing subscription costs the others nothing, because a try
and a step are bounded in time and an endpoint that does not answer is left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from licenses.sharing.envelope import body_of, headers_of, ping_event, told_event
from licenses.sharing.models import Delivery, Subscription
from licenses.sharing.ports import Answer, Clients, Line, Sender
from licenses.sharing.queue import KIND, due_deliveries, go_on, is_resting, note_answers, take_new
from licenses.sharing.services import WORKER, end_subscription, is_told, place_of
from licenses.sharing.telling import told_by_event
from storage.clock import Clock
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.ledger.canonical import Json
from storage.secrets import Secrets
from storage.steps import Job, Later, Staging, mapping_of

STEP_SECONDS: Final = 20.0
"""How long one step goes on sending; what is left is the next one's."""


class DeliverStep:
    """Sends what is due to one subscription; the subject is the subscription.

    Args:
        sender: Sends messages.
        clients: Knows which clients still run.
        secrets: Opens the subscription's secret when messages are signed.
        clock: Where the time of sending comes from.
        sign: Signs with the installation's key.
        source: Names this installation in events.
    """

    def __init__(
        self,
        sender: Sender,
        clients: Clients,
        secrets: Secrets,
        clock: Clock,
        sign: Callable[[bytes], bytes],
        source: str,
    ) -> None:
        self._sender = sender
        self._clients = clients
        self._secrets = secrets
        self._clock = clock
        self._sign = sign
        self._source = source

    @property
    def kind(self) -> str:
        """Name in the table of steps."""
        return KIND

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Take new events from the feed, and say what is to be sent now; ``None`` when nothing is."""
        row = uow.session.get(Subscription, job.subject)
        if row is None or not is_told(row):
            return None
        place = place_of(uow, row)
        if place.step_id != job.id:
            # Another step delivers for this subscription; two at once would break the order.
            return None
        if row.client_id not in self._clients.may_subscribe(uow, [row.client_id]):
            end_subscription(uow, WORKER, row, "client-ended")
            return None
        take_new(uow, row, place)
        now = uow.clock.now()
        if is_resting(uow, place):
            return None
        due = due_deliveries(uow, row.id, now)
        if not due:
            return None
        ciphers = [row.secret_cipher]
        if row.former_until is not None and row.former_until > now:
            ciphers.append(row.former_cipher)
        return {
            "endpoint": row.endpoint,
            "secrets": [one.hex() for one in ciphers if one is not None],
            "messages": self._messages(uow, row, due),
        }

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - what was sent leaves nothing here
        """Send, until everything is sent, the endpoint does not answer, or the time is over."""
        planned = mapping_of(plan)
        messages = cast(Sequence[Mapping[str, Json]], planned["messages"])
        ciphers = cast(Sequence[str], planned["secrets"])
        secrets = [self._secrets.decrypt(bytes.fromhex(one)).decode() for one in ciphers]
        began, held, answers = self._clock.monotonic(), set[Json](), dict[str, Json]()
        with self._sender.line(str(planned["endpoint"])) as line:
            for message in messages:
                thing = message["object"]
                if thing in held:
                    continue
                if self._clock.monotonic() - began >= STEP_SECONDS:
                    break
                answer = self._send(line, mapping_of(message["event"]), secrets)
                failpoint("share.after-send")
                answers[str(message["delivery"])] = _written(answer)
                if not answer.arrived and thing is not None:
                    held.add(thing)
                if answer.about_endpoint:
                    break
        return answers

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the result says it
        """Write down what arrived, what is tried again when, and what is dead."""
        row = uow.session.get(Subscription, job.subject)
        if row is None:
            return
        place = place_of(uow, row)
        note_answers(uow, row, place, {name: _read(one) for name, one in mapping_of(result).items()})
        if is_told(row) and place.step_id == job.id:
            go_on(uow, row, place)

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Leave everything as it is: what may have been sent is sent again, under the same id."""

    def _send(self, line: Line, event: Mapping[str, Json], secrets: Sequence[str]) -> Answer:
        body = body_of(event)
        return line.send(headers_of(str(event["id"]), self._clock.now(), body, secrets, self._sign), body)

    def _messages(self, uow: UnitOfWork, row: Subscription, due: Sequence[Delivery]) -> list[dict[str, Json]]:
        told = told_by_event(uow, row, [one.event_id for one in due if one.object_id is not None])
        messages: list[dict[str, Json]] = []
        for one in due:
            if one.object_id is None:
                event = ping_event(one.event_id, self._source, one.added_at, row.id)
            else:
                event = told_event(told[one.event_id], self._source)
            messages.append({"delivery": one.id, "object": one.object_id, "event": event})
        return messages


def _written(answer: Answer) -> Json:
    wait = None if answer.wait is None else round(answer.wait)
    return {"status": answer.status, "problem": answer.problem, "wait": wait}


def _read(value: Json) -> Answer:
    one = mapping_of(value)
    wait = cast("int | None", one["wait"])
    return Answer(cast(int, one["status"]), str(one["problem"]), None if wait is None else float(wait))
