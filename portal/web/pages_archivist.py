# SPDX-License-Identifier: Apache-2.0
"""Desk."""

from apiflask import APIBlueprint

from portal.web.access import allow
from storage.identity import Role

blueprint = APIBlueprint("archivist", __name__, enable_openapi=False)


@blueprint.get("/archive")
@allow(Role.SUPERVISOR, unrecorded="x")
def home() -> str:
    """Show."""
    return ""
