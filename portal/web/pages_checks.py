# SPDX-License-Identifier: Apache-2.0
"""Checking for inspectors and strangers: a file, a verification code, or the link of a QR code."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.errors import CodeUnknownError
from licenses.purposes import purposes
from portal.check_answers import report_json
from portal.check_lines import HEADLINE_TITLES
from portal.checking import judge_card, with_copy
from portal.web import context
from portal.web.access import public
from portal.web.checks import (
    MOST_FILES,
    NamedReport,
    check_code,
    check_limit,
    check_uploads,
    code_in,
    code_in_photo,
)
from portal.web.report_pdf import ReportOrigin, report_pdf
from storage.identity import Role

blueprint = APIBlueprint("checks", __name__, enable_openapi=False)
_WHY: Final = "anybody may check a document"


@blueprint.get("/verify")
@public(_WHY, unrecorded="shows an empty form")
def home() -> str:
    """Show the form."""
    limit = context.settings().max_verification
    return render_template(
        "checks.html", most_files=MOST_FILES, most_bytes=limit, purposes=list(purposes().values())
    )


@blueprint.post("/verify")
@public(_WHY, records=("verification.done",), upload="verification")
def check() -> str:
    """Check a file and show the report, or several and show a table of their answers."""
    checked = check_uploads()
    pdf = _link("application/pdf", _pdf(checked))
    if len(checked) == 1:
        name, report = checked[0].name, checked[0].report
        data = _json(report_json(report))
        return render_template(
            "report.html", name=name, report=report, titles=HEADLINE_TITLES, data=data, pdf=pdf
        )
    reports = [{"name": one.name, **report_json(one.report)} for one in checked]
    data = _json({"reports": reports})
    return render_template("reports.html", checked=checked, titles=HEADLINE_TITLES, data=data, pdf=pdf)


def _pdf(checked: Sequence[NamedReport]) -> bytes:
    settings = context.settings()
    origin = ReportOrigin(settings.operator_name, settings.public_url, demo=settings.demo)
    return report_pdf(context.rooms().typesetter, [(one.name, one.report) for one in checked], origin)


def _json(data: Mapping[str, Any]) -> str:
    return _link("application/json", json.dumps(data, ensure_ascii=False, indent=2).encode())


def _link(media_type: str, data: bytes) -> str:
    """Give data as an address that a browser saves as a file: nothing of a check is kept here."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@blueprint.get("/verify/code")
@public(_WHY, unrecorded="leads to the page of the code, which records")
def by_code() -> Response:
    """Lead to the page of a code."""
    code = code_in(request.args.get("code", ""))
    if code is None:
        raise CodeUnknownError
    return redirect(url_for("checks.card", code=code, purpose=request.args.get("purpose") or None), 303)


@blueprint.post("/verify/photo")
@public(_WHY, unrecorded="leads to the page of the code, which records", upload="verification")
def by_photo() -> Response:
    """Read the QR code in a photo and lead to the page of its code."""
    purpose = request.form.get("purpose") or None
    return redirect(url_for("checks.card", code=code_in_photo(), purpose=purpose), 303)


@blueprint.get("/v/<code>")
@public(_WHY, records=("verification.done",))
def card(code: str) -> str:
    """Show what the library tells of the licence with this code; no more than strangers may know."""
    found = check_code(code.lower(), request.args.get("purpose"))
    return render_template(
        "card.html",
        card=found.card,
        code=code.lower(),
        # A code says how the licence stands; it says nothing of the paper or file it was read from.
        answer=with_copy(judge_card(found.card), found.copy),
        titles=HEADLINE_TITLES,
        promise=found.promise,
        at=context.rooms().clock.now(),
    )


@blueprint.get("/v/show/<token>")
@public(_WHY, records=("license.read",))
def shown(token: str) -> str:
    """Show what a holder's code of this minute says; the holder sees the look."""
    check_limit()
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        found = rooms.showing.look(uow, who, token)
    face = found.view.face
    fields = [(one, face[one.name]) for one in found.view.kind.fields if one.shown and one.name in face]
    return render_template("shown.html", shown=found, fields=fields, clerk=who.has(Role.CLERK))
