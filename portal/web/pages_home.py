# SPDX-License-Identifier: Apache-2.0
"""The start page, and one page for every error code that problem details point to."""

from apiflask import APIBlueprint
from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.web import context
from portal.web.access import public
from portal.web.render import desks_of
from storage.errors import NotFoundError, all_errors

blueprint = APIBlueprint("home", __name__, enable_openapi=False)


@blueprint.get("/")
@public("strangers start here", unrecorded="shows nothing about anybody")
def index() -> Response:
    """Lead to the first desk of whoever comes."""
    return redirect(url_for(desks_of(context.identity())[0][0]), 303)


@blueprint.get("/problems/<code>")
@public("explains an error code", unrecorded="shows nothing about anybody")
def problem(code: str) -> str:
    """Explain an error code."""
    for error in all_errors():
        if error.code == code:
            return render_template("problem.html", error=error)
    raise NotFoundError
