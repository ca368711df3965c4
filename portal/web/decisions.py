# SPDX-License-Identifier: Apache-2.0
"""The form by which somebody approves, refuses or withdraws what waits for a second person."""

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


def carry_decision(service: _Decides, subject: str) -> None:
    """Carry out the decision that the form states, on behalf of who sent it.

    Raises:
        InvalidInputError: It states none of the three, or the reason is none.
        CunzhengError: What the service refuses.
    """
    who = context.identity()
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")[:_LONGEST]
    if decision not in _DECISIONS:
        raise InvalidInputError(field="decision", rule=" ".join(_DECISIONS))
    carry = {"approve": service.approve, "refuse": service.refuse, "withdraw": service.withdraw}[decision]
    context.rooms().database.write(lambda uow: carry(uow, who, subject, reason))
