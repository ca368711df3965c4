# SPDX-License-Identifier: Apache-2.0
"""The catalogue of licence types for everybody: the list, a page for each type, a sample of its licence."""

from typing import Final

from apiflask import APIBlueprint
from flask import Response, make_response, render_template

from licenses.preview import preview
from licenses.type_publication import is_public
from portal.web import context
from portal.web.access import public
from portal.web.api_catalog import public_type
from portal.web.checks import check_limit

blueprint = APIBlueprint("catalog", __name__, url_prefix="/catalog/licence-types", enable_openapi=False)
_WHY: Final = "the catalogue is published"
_UNRECORDED: Final = "shows data of the installation, nothing of persons"


@blueprint.get("")
@public(_WHY, unrecorded=_UNRECORDED)
def home() -> str:
    """Show the list."""
    found = [kind for kind in context.rooms().license_types.all() if is_public(kind)]
    return render_template("licence_types.html", types=found)


@blueprint.get("/<code>")
@public(_WHY, unrecorded=_UNRECORDED)
def show(code: str) -> str:
    """Show a type."""
    rooms, kind = context.rooms(), public_type(code)
    known = {one.code: one for one in rooms.items.current()}
    return render_template(
        "licence_type.html",
        kind=kind,
        versions=[one for one in rooms.license_types.versions(code) if is_public(one)],
        types={one.code: one for one in rooms.license_types.all() if is_public(one)},
        items=[(item, known.get(item)) for item in kind.related_items],
    )


@blueprint.get("/<code>/sample.pdf")
@public(_WHY, unrecorded="sets made-up values, nothing of persons")
def sample(code: str) -> Response:
    """Give a sample of a type's licence as PDF."""
    check_limit()
    kind = public_type(code)
    answer = make_response(preview(kind, context.rooms().typesetter))
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="sample-{kind.code}-{kind.version}.pdf"'
    return answer
