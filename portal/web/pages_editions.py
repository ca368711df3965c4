# SPDX-License-Identifier: Apache-2.0
"""Editions of data: what waits with findings and differences, and what was decided."""

from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.lint import MOST_BYTES
from portal.accounts.directory import persons
from portal.accounts.rights import ADMINISTRATORS
from portal.editions.approved import SCHEMAS, SHIPPED, EditionKind, written
from portal.editions.errors import EditionFaultyError
from portal.editions.services import Checked
from portal.web import context
from portal.web.access import allow
from portal.web.decisions import sent_decision
from portal.web.pages_rule_editor import editor_with
from portal.web.uploads import staged_file
from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotFoundError
from storage.identity import Role

blueprint = APIBlueprint("editions", __name__, url_prefix="/editions", enable_openapi=False)
_DATA: Final = "shows data of the installation, nothing of persons, to who administers it"
_LONGEST: Final = 600


@blueprint.get("")
@allow(*ADMINISTRATORS, unrecorded=_DATA)
def home() -> str:
    """Show what waits for a decision, and what was decided."""
    return _home()


@blueprint.post("")
@allow(Role.SYSTEM_ADMIN, records=("edition.proposed",))
def propose() -> Response:
    """Propose a file as an edition, or only check it; findings are shown when it is refused."""
    rooms, who = context.rooms(), context.identity()
    try:
        data, reason = _sent(), request.form.get("reason", "")[:_LONGEST]
        if request.form.get("do") == "check":
            return make_response(editor_with(data) or _home(None, _checked(data)))
        rooms.database.write(lambda uow: rooms.editions.propose(uow, who, data, reason).id)
    except EditionFaultyError as problem:
        return make_response(_home(problem, _checked(data)), problem.status)
    except InvalidInputError as problem:
        return make_response(_home(problem), problem.status)
    return redirect(url_for("editions.home"), 303)


@blueprint.get("/<kind>/shipped")
@allow(*ADMINISTRATORS, unrecorded=_DATA)
def shipped(kind: str) -> Response:
    """Give the document of a kind that comes with the product: one to begin with."""
    found = _kind(kind)
    return _file(SHIPPED[found](), f"{found}.json")


@blueprint.get("/<kind>/schema")
@allow(*ADMINISTRATORS, unrecorded=_DATA)
def schema(kind: str) -> Response:
    """Give the structure that documents of a kind follow."""
    file = SCHEMAS[_kind(kind)]
    return _file(file.read_bytes(), file.name)


def _kind(kind: str) -> EditionKind:
    if kind not in set(EditionKind):
        raise NotFoundError
    return EditionKind(kind)


def _file(data: bytes, name: str) -> Response:
    answer = make_response(data)
    answer.content_type = "application/json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/<edition>/document")
@allow(*ADMINISTRATORS, unrecorded=_DATA)
def document(edition: str) -> Response:
    """Give the document of an edition as a file."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        row = rooms.editions.get(uow, context.identity(), edition).row
        answer = make_response(written(row.body))
    answer.content_type = "application/json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{row.kind}-{row.version}.json"'
    return answer


@blueprint.post("/<edition>/decision")
@allow(
    Role.SYSTEM_ADMIN,
    Role.SECURITY_ADMIN,
    records=("edition.approved", "edition.refused", "edition.withdrawn"),
)
def decide(edition: str) -> Response:
    """Approve, refuse or withdraw an edition."""
    carry = sent_decision(context.rooms().editions, edition)
    try:
        carry()
    except (InvalidInputError, ConflictError) as problem:
        return make_response(_home(problem), problem.status)
    return redirect(url_for("editions.home"), 303)


def _checked(data: bytes) -> Checked:
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return rooms.editions.check(uow, data)


def _home(problem: CunzhengError | None = None, checked: Checked | None = None) -> str:
    rooms, who = context.rooms(), context.identity()
    # A reason of a decision is no reason of a proposal.
    typed = request.form.get("reason", "") if request.endpoint == "editions.propose" else ""
    with rooms.database.reading() as uow:
        return render_template(
            "editions.html",
            waiting=rooms.editions.open(uow, who),
            past=rooms.editions.past(uow, who),
            force=rooms.editions.in_force(uow, who),
            heirs=rooms.editions.broken_heirs(uow, who),
            names={one.id: one.name for one in persons(uow, who, rooms.sign_ins)},
            proposes=who.has(Role.SYSTEM_ADMIN),
            decides=who.has(Role.SECURITY_ADMIN),
            problem=problem,
            checked=checked,
            reason=typed[:_LONGEST],
        )


def _sent() -> bytes:
    staged = staged_file("file")
    if staged is None:
        raise InvalidInputError(field="file", rule="one file")
    with staged.path.open("rb") as handle:
        return handle.read(MOST_BYTES + 1)
