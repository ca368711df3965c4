# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: what waits for a second person, how delivering stands, and dead letters to be sent again."""

from collections.abc import Callable
from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.sharing.purposes import sharing_purposes
from licenses.sharing.services import READERS
from portal.accounts.directory import persons
from portal.accounts.rights import ADMINISTRATORS
from portal.web import context
from portal.web.access import allow
from portal.web.activity import client_names
from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotFoundError
from storage.identity import Role

blueprint = APIBlueprint("subscriptions", __name__, url_prefix="/subscriptions", enable_openapi=False)
_LONGEST: Final = 600
_DATA: Final = "shows which systems are told of what, nothing of persons, to who administers or supervises it"


@blueprint.get("")
@allow(*READERS, unrecorded=_DATA)
def home() -> str:
    """Show subscriptions, how delivering stands, and dead letters."""
    return _home()


@blueprint.post("/<subscription>/decision")
@allow(Role.SECURITY_ADMIN, records=("subscription.approved", "subscription.refused"))
def decide(subscription: str) -> Response:
    """Approve or refuse a subscription."""
    rooms, who = context.rooms(), context.identity()
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")[:_LONGEST]
    decided = {"approve": rooms.subscriptions.approve, "refuse": rooms.subscriptions.refuse}.get(decision)
    if decided is None:
        raise InvalidInputError(field="decision", rule="approve refuse")
    return _carried(lambda: rooms.database.write(lambda uow: decided(uow, who, subscription, reason)))


@blueprint.post("/<subscription>/end")
@allow(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, records=("subscription.ended",))
def end(subscription: str) -> Response:
    """End a subscription."""
    rooms, who = context.rooms(), context.identity()
    reason = request.form.get("reason", "")[:_LONGEST]
    return _carried(
        lambda: rooms.database.write(lambda uow: rooms.subscriptions.end(uow, who, subscription, reason))
    )


@blueprint.post("/resend")
@allow(Role.SYSTEM_ADMIN, records=("changes.resent",))
def resend() -> Response:
    """Have one dead letter sent again, or all of them."""
    rooms, who = context.rooms(), context.identity()
    letter = request.form.get("letter", "")[:26] or None
    return _carried(
        lambda: rooms.database.write(lambda uow: rooms.sharing.resend(uow, who, delivery_id=letter)[1])
    )


def _carried(work: Callable[[], object]) -> Response:
    try:
        work()
    except (InvalidInputError, ConflictError, NotFoundError) as problem:
        return make_response(_home(problem), problem.status)
    return redirect(url_for("subscriptions.home"), 303)


def _home(problem: CunzhengError | None = None) -> str:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        views = rooms.subscriptions.all(uow, who)
        names = who.has(*ADMINISTRATORS)
        return render_template(
            "subscriptions.html",
            waiting=[one for one in views if one.standing == "open"],
            others=[one for one in views if one.standing != "open"],
            figures={one.subscription: one for one in rooms.sharing.figures(uow)},
            dead=rooms.sharing.dead(uow, who),
            names={one.id: one.name for one in persons(uow, who, rooms.sign_ins)} if names else {},
            clients=client_names(uow.session),
            types={one.code: one for one in rooms.license_types.all()},
            purposes=sharing_purposes(),
            decides=who.has(Role.SECURITY_ADMIN),
            ends=who.has(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN),
            resends=who.has(Role.SYSTEM_ADMIN),
            problem=problem,
        )
