# SPDX-License-Identifier: Apache-2.0
"""The page on which no-proof rules are written as text: checked as often as one likes, then proposed."""

from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.lint import blocking
from portal.editions.approved import EditionKind
from portal.editions.beginning import as_text
from portal.editions.errors import EditionFaultyError
from portal.editions.services import Checked
from portal.web import context
from portal.web.access import allow
from storage.errors import ConflictError, CunzhengError, InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("rule_editor", __name__, url_prefix="/editions/rules", enable_openapi=False)
LONGEST: Final = 80_000
"""Signs of the text: as UTF-8 they fit into a form, so that no browser sends what is thrown away unread."""
_LONGEST_REASON: Final = 600
_AWAY: Final = 503


@blueprint.get("")
@allow(Role.SYSTEM_ADMIN, unrecorded="shows rules, nothing of persons")
def show() -> str:
    """Show the text to begin with: all rules in force, or one of them."""
    return _page(None)


@blueprint.post("")
@allow(Role.SYSTEM_ADMIN, records=("edition.proposed",))
def send() -> Response:
    """Check the text, or propose it; whatever comes of it, what was typed is shown again."""
    rooms, who = context.rooms(), context.identity()
    # A form sends lines with another end than a file has.
    text = request.form.get("text", "").replace("\r\n", "\n")
    data, reason = text.encode(errors="replace"), request.form.get("reason", "")[:_LONGEST_REASON]
    if request.form.get("do") != "propose":
        return make_response(_page(text, checked=_checked(data)))
    try:
        rooms.database.write(lambda uow: rooms.editions.propose(uow, who, data, reason).id)
    except EditionFaultyError as problem:
        return make_response(_page(text, problem, _checked(data)), problem.status)
    except (InvalidInputError, ConflictError) as problem:
        return make_response(_page(text, problem), problem.status)
    except CunzhengError as problem:
        if problem.status != _AWAY:
            raise
        answer = make_response(_page(text, problem), problem.status)
        answer.headers["Retry-After"] = str(getattr(problem, "retry_after", 60))
        return answer
    return redirect(url_for("editions.home"), 303)


def editor_with(data: bytes) -> str | None:
    """Give the page with a file's text in it, checked; nothing where it holds no rules or is too long."""
    checked = _checked(data)
    text = data.decode(errors="replace")
    if checked.kind is not EditionKind.RULES or len(text) > LONGEST:
        return None
    return _page(text.replace("\r\n", "\n"), checked=checked)


def _checked(data: bytes) -> Checked:
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return rooms.editions.check(uow, data)


def _page(text: str | None, problem: CunzhengError | None = None, checked: Checked | None = None) -> str:
    begins, choices = ("", []) if text is not None else _begin()
    refused = checked is not None and (checked.kind is None or bool(blocking(checked.findings)))
    return render_template(
        "rule_editor.html",
        text=begins if text is None else text,
        sent=text is not None,
        choices=choices,
        problem=problem,
        checked=checked,
        # What was found faulty is checked again first; what was never checked, too.
        proposable=text is not None and not refused and (checked is not None or problem is not None),
        reason=request.form.get("reason", "")[:_LONGEST_REASON],
        longest=LONGEST,
    )


def _begin() -> tuple[str, list[str]]:
    """Give the text and the ids of the rules; where all of them are too long, the first one."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        version, rules = rooms.editions.rules_to_begin_with(uow, who)
    asked = request.args.get("rule")
    text = as_text(version, [one for one in rules if one.body.rule_id == asked] or rules)
    if len(text) > LONGEST:
        text = as_text(version, rules[:1])
    return text, [one.body.rule_id for one in rules]
