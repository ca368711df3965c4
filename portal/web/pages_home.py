# SPDX-License-Identifier: Apache-2.0
"""The start page, and one page for every error code that problem details point to."""

from collections.abc import Iterator

from apiflask import APIBlueprint
from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.web import context
from portal.web.access import public
from portal.web.render import desks_of
from storage.errors import CunzhengError, NotFoundError

blueprint = APIBlueprint("home", __name__, enable_openapi=False)


def all_errors() -> Iterator[type[CunzhengError]]:
    """Give the root error and everything that derives from it in the rooms that are loaded."""
    waiting: list[type[CunzhengError]] = [CunzhengError]
    while waiting:
        error = waiting.pop()
        yield error
        waiting.extend(error.__subclasses__())


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
