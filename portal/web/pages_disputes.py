# SPDX-License-Identifier: Apache-2.0
"""Disputes by page: an inspector, or a stranger without account, contests a licence and reads the answer."""

from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.contesting import LONGEST, LONGEST_CONTACT, DisputeContactError, DisputeReasonError
from licenses.disputes import Dispute, DisputeView, dispute_reasons
from licenses.errors import (
    CodeUnknownError,
    ObjectionStandsError,
    ObjectionUnknownError,
    ObjectionWordsError,
)
from portal.errors import RateLimitedError
from portal.web import context
from portal.web.access import public
from portal.web.checks import check_limit, code_in
from portal.web.counters import RATE_LIMITED
from storage.errors import CunzhengError
from storage.identity import Role

blueprint = APIBlueprint("disputes", __name__, url_prefix="/verify", enable_openapi=False)
_WHY: Final = "whoever was shown a licence may contest it"
_LONGEST: Final = 2000
PER_MINUTE: Final = 6
"""Disputes that strangers of one address try to open in a minute: there is some room for slips."""


@blueprint.get("/dispute")
@public(_WHY, unrecorded="shows an empty form")
def home() -> Response:
    """Show the form that contests a licence."""
    return _form()


@blueprint.post("/dispute")
@public(_WHY, records=("objection.opened", "access.refused"))
def raise_() -> Response:
    """Take a dispute: an inspector's stands in the list, a stranger gets number and key."""
    rooms, who = context.rooms(), context.identity()
    if context.only_redisplays():
        return _form()
    said = {name: request.form.get(name, "")[:_LONGEST] for name in ("code", "reason", "words", "contact")}
    try:
        dispute = Dispute("", _code(said["code"]), said["reason"], said["words"])
        if who.kind != "public":
            rooms.database.write(lambda uow: rooms.disputes.open(uow, who, dispute)[0].id)
            return redirect(url_for("disputes.answers"), 303)
        _limit()
        with rooms.database.writing() as uow:
            row, promise, key = rooms.disputes.open_as_stranger(uow, who, dispute, said["contact"])
            made = (row.id, row.due_on, promise.core_sha256)
    except (
        CodeUnknownError,
        DisputeContactError,
        DisputeReasonError,
        ObjectionStandsError,
        ObjectionWordsError,
    ) as problem:
        return _form(problem)
    page = make_response(
        render_template("dispute_made.html", number=made[0], due_on=made[1], act=made[2], key=key)
    )
    page.headers["Cache-Control"] = "no-store"
    return page


@blueprint.get("/disputes")
@public(_WHY, unrecorded="gives the asker's own disputes and their answers, no data of the holder")
def answers() -> Response:
    """List an inspector's disputes; strangers state number and key."""
    return _answers()


@blueprint.post("/disputes")
@public(_WHY, unrecorded="gives the asker's own dispute and its answer, no data of the holder")
def answered() -> Response:
    """Show a stranger's dispute to who holds its key."""
    check_limit()
    number, key = (request.form.get(name, "").strip()[:_LONGEST] for name in ("number", "key"))
    rooms = context.rooms()
    try:
        with rooms.database.reading() as uow:
            found = rooms.disputes.of_stranger(uow, number, key)
    except ObjectionUnknownError as problem:
        return _answers(problem=problem)
    return _answers(found)


def _code(text: str) -> str:
    code = code_in(text)
    if code is None:
        raise CodeUnknownError
    return code


def _limit() -> None:
    check_limit()
    if not context.dispute_limit().admit(request.remote_addr or "unknown"):
        context.counters().add(RATE_LIMITED)
        raise RateLimitedError(per_minute=PER_MINUTE)


def _form(problem: CunzhengError | None = None) -> Response:
    who = context.identity()
    source = request.form if request.method == "POST" else request.args
    page = render_template(
        "dispute.html",
        sent={name: source.get(name, "")[:_LONGEST] for name in ("code", "reason", "words", "contact")},
        reasons=dispute_reasons(),
        stranger=who.kind == "public",
        may=who.kind == "public" or who.has(Role.INSPECTOR),
        longest=LONGEST,
        longest_contact=LONGEST_CONTACT,
        problem=problem,
    )
    return make_response(page, 200 if problem is None else problem.status)


def _answers(found: DisputeView | None = None, problem: CunzhengError | None = None) -> Response:
    rooms, who = context.rooms(), context.identity()
    own = [found] if found is not None else []
    if who.has(Role.INSPECTOR):
        with rooms.database.reading() as uow:
            own += rooms.disputes.raised(uow, who)
    page = render_template(
        "disputes.html",
        disputes=own,
        reasons=dispute_reasons(),
        lists=who.has(Role.INSPECTOR),
        problem=problem,
    )
    return make_response(page, 200 if problem is None else problem.status)
