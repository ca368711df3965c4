# SPDX-License-Identifier: Apache-2.0
"""The form by which somebody approves, refuses or withdraws what waits for a second person."""

from collections.abc import Callable
from typing import Final, Protocol

from flask import request

from portal.web import context
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Identity

_DECISIONS: Final = ("approve", "refuse", "withdraw")
_LONGEST: Final = 600


class _Decides(Protocol):
    """What takes such decisions."""

    def approve(self, uow: UnitOfWork, identity: Identity, _id: str, reason: str, /) -> object: ...

    def refuse(self, uow: UnitOfWork, identity: Identity, _id: str, reason: str, /) -> object: ...

    def withdraw(self, uow: UnitOfWork, identity: Identity, _id: str, reason: str, /) -> object: ...


def sent_decision(service: _Decides, subject: str) -> Callable[[], object]:
    """Give what carries out the decision that the form states, on behalf of who sent it.

    Raises:
        InvalidInputError: It states none of the three.
    """
    rooms, who = context.rooms(), context.identity()
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")[:_LONGEST]
    if decision not in _DECISIONS:
        raise InvalidInputError(field="decision", rule=" ".join(_DECISIONS))
    decide = {"approve": service.approve, "refuse": service.refuse, "withdraw": service.withdraw}[decision]
    return lambda: rooms.database.write(lambda uow: decide(uow, who, subject, reason))
