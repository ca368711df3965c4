# SPDX-License-Identifier: Apache-2.0
"""What the installation says about itself: interface description, health, published keys."""

from apiflask import APIBlueprint
from flask import Response, current_app, json

from portal.version import VERSION
from portal.web import context
from portal.web.access import public

blueprint = APIBlueprint("meta", __name__, enable_openapi=False)
WITHOUT_IDENTITY = frozenset({"meta.health", "meta.ready"})
"""Endpoints that must answer while nobody can be identified because the database is away."""
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
    """Tell that this process lives; nothing else is asked, so that nothing else can get it restarted."""
    state = {"status": "ok", "version": VERSION, "counts": context.counters().read()}
    return Response(json.dumps(state), mimetype="application/json")


@blueprint.get("/readyz")
@public("a load balancer asks without a key", unrecorded="tells nothing about anybody")
def ready() -> Response:
    """Tell whether this process can take work, and which parts are away, those it can do without included."""
    readiness = context.readiness()
    standing = readiness.look()
    parts = {part: standing.problems.get(part, "ok") for part in readiness.parts}
    state = {"status": standing.word, "parts": parts}
    return Response(json.dumps(state), 200 if standing.ready else 503, mimetype="application/json")
