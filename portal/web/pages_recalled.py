# SPDX-License-Identifier: Apache-2.0
"""What a clerk was told at the window and may rely on no more: own answers whose ground is gone."""

from apiflask import APIBlueprint
from flask import render_template, request

from licenses.recall import Recalled
from licenses.rule_definition import Requirement
from portal.web import context
from portal.web.access import allow
from storage.identity import Role

blueprint = APIBlueprint("recalled", __name__, url_prefix="/window/recalled", enable_openapi=False)


@blueprint.get("")
@allow(
    Role.CLERK, unrecorded="shows the caller's own answers and case numbers, no holders and nothing of a face"
)
def home() -> str:
    """List the clerk's own answers that are recalled."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        page = rooms.recalls.own(uow, who, request.args.get("after"))
        resting = rooms.recalls.requirements(uow, page.rows)
    return render_template(
        "recalled.html",
        page=page,
        proofs={one: _named(one, ids) for one, ids in resting.items()},
        items={one.code: one for one in rooms.items.current()},
        types={one.code: one for one in rooms.license_types.all()},
    )


def _named(one: Recalled, ids: list[str]) -> list[Requirement | str]:
    """Give requirements by the rule of the answer; by their ids where that rule is there no more."""
    rule = context.rooms().rules.of_digest(one.rule_digest)
    by_id = {each.id: each for each in rule.body.requirements} if rule is not None else {}
    return [by_id.get(each, each) for each in ids]
