# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/verifications``: check a document, without a key."""

from typing import Any, Final

from apiflask import APIBlueprint
from flask import request

from licenses.information import NOT_FOUND
from licenses.purposes import purposes
from portal.check_answers import report_json
from portal.errors import UnsupportedMediaError
from portal.web import context
from portal.web.access import public
from portal.web.checks import PART, asking_for, check_limit, check_upload, count_miss, demand_misses_left
from portal.web.counters import UNMATCHED_UPLOAD
from portal.web.documented import answers, by_status
from portal.web.examples import INFORMATION, INFORMATION_NULLABLE, REPORT, REPORT_NULLABLE
from portal.web.schemas import INFORMATION_EXAMPLE, InformationBody

blueprint = APIBlueprint("verifications", __name__, url_prefix="/api/v1/verifications", tag="Verification")
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [PART],
                "properties": {
                    PART: {"type": "string", "contentMediaType": "application/pdf"},
                    "purpose": {
                        "type": "string",
                        "enum": sorted(purposes()),
                        "description": "Why it is checked; recorded, and the holder sees it.",
                    },
                },
            }
        }
    },
}


@blueprint.post("")
@blueprint.doc(
    summary="Check a sealed PDF: its seal, its bytes, and the effective status of the licence",
    responses=by_status({200: answers("The report", REPORT, REPORT_NULLABLE)}),
    extensions={"x-body": _BODY},
)
@public("anybody may check a document", records=("verification.done",), upload="verification")
def check() -> dict[str, Any]:
    """Check a file."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaError
    return report_json(check_upload())


@blueprint.post("/information")
@blueprint.input(InformationBody, arg_name="body", example=INFORMATION_EXAMPLE)
@blueprint.doc(
    summary="Check what is stated of up to 100 licences against the register (result codes 0 to 6)",
    responses=by_status({200: answers("One answer each, in order", INFORMATION, INFORMATION_NULLABLE)}),
)
@public("who states identifier and holder rightly holds the licence", records=("verification.done",))
def information(body: InformationBody) -> dict[str, Any]:
    """Check statements; what meets no licence is only counted, and each counts against the allowance."""
    demand_misses_left()
    for _ in body.licences:
        check_limit()
    who = asking_for(body.purpose)
    batch = [one.model_dump(exclude_none=True) for one in body.licences]
    found = context.information().ask((who, batch))
    for one in found:
        if one.code == NOT_FOUND:
            count_miss()
        elif one.promise is None:
            context.counters().add(UNMATCHED_UPLOAD)
    return {"checks": [one.as_json() for one in found]}
