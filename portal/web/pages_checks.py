# SPDX-License-Identifier: Apache-2.0
"""Checking for inspectors and strangers: a file, a verification code, or the link of a QR code."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.errors import CodeUnknownError
from portal.checking import HEADLINE_TITLES, judge_card, report_json
from portal.web import context
from portal.web.access import public
from portal.web.checks import check_code, check_uploads

blueprint = APIBlueprint("checks", __name__, enable_openapi=False)
_WHY: Final = "anybody may check a document"
_CODE: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


@blueprint.get("/verify")
@public(_WHY, unrecorded="shows an empty form")
def home() -> str:
    """Show the form."""
    return render_template("checks.html")


@blueprint.post("/verify")
@public(_WHY, records=("verification.done",), upload="verification")
def check() -> str:
    """Check a file and show the report, or several and show a table of their answers."""
    checked = check_uploads()
    if len(checked) == 1:
        report = checked[0].report
        return render_template(
            "report.html", report=report, titles=HEADLINE_TITLES, data=_link(report_json(report))
        )
    reports = [{"name": one.name, **report_json(one.report)} for one in checked]
    return render_template(
        "reports.html", checked=checked, titles=HEADLINE_TITLES, data=_link({"reports": reports})
    )


def _link(data: Mapping[str, Any]) -> str:
    """Give data as an address that a browser saves as a file: nothing of a check is kept here."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    return f"data:application/json;base64,{base64.b64encode(text.encode()).decode()}"


@blueprint.get("/verify/code")
@public(_WHY, unrecorded="leads to the page of the code, which records")
def by_code() -> Response:
    """Lead to the page of a code."""
    code = re.sub(r"[\s-]", "", request.args.get("code", "")).lower()
    if not _CODE.fullmatch(code):
        raise CodeUnknownError
    return redirect(url_for("checks.card", code=code), 303)


@blueprint.get("/v/<code>")
@public(_WHY, records=("verification.done",))
def card(code: str) -> str:
    """Show what the library tells of the licence with this code; no more than strangers may know."""
    found = check_code(code.lower())
    return render_template(
        "card.html",
        card=found.card,
        # A code says how the licence stands; it says nothing of the paper or file it was read from.
        answer=judge_card(found.card),
        titles=HEADLINE_TITLES,
        promise=found.promise,
        at=context.rooms().clock.now(),
    )
