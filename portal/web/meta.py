# SPDX-License-Identifier: Apache-2.0
"""What the installation says about itself: interface description, health, published keys."""

from apiflask import APIBlueprint
from flask import Response, current_app, json

from portal.version import VERSION
from portal.web import context
from portal.web.access import public

blueprint = APIBlueprint("meta", __name__, enable_openapi=False)
_CACHED = "cunzheng.openapi"


@blueprint.get("/openapi.json")
@public("the interface is documented for everybody", unrecorded="tells nothing about anybody")
def openapi() -> Response:
    """Give the interface description."""
    extensions = current_app.extensions
    if _CACHED not in extensions:
        extensions[_CACHED] = json.dumps(current_app.spec)  # type: ignore[attr-defined] # APIFlask has it, its proxy's type does not
    return Response(extensions[_CACHED], mimetype="application/json")


@blueprint.get("/healthz")
@public("a supervisor of processes asks without a key", unrecorded="tells nothing about anybody")
def health() -> Response:
    """Tell whether this process answers and its database can be read."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        checkpoint = rooms.last_checkpoint_at(uow)
    state = {
        "status": "ok",
        "version": VERSION,
        "last_checkpoint": checkpoint.isoformat() if checkpoint else None,
        "counts": context.counters().read(),
    }
    return Response(json.dumps(state), mimetype="application/json")
