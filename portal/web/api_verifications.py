# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/verifications``: check a document, without a key."""

from typing import Any, Final

from apiflask import APIBlueprint
from flask import request

from portal.checking import report_json
from portal.errors import UnsupportedMediaError
from portal.web.access import public
from portal.web.checks import PART, check_upload
from portal.web.documented import answers, by_status
from portal.web.examples import REPORT, REPORT_NULLABLE

blueprint = APIBlueprint("verifications", __name__, url_prefix="/api/v1/verifications", tag="Verification")
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [PART],
                "properties": {PART: {"type": "string", "contentMediaType": "application/pdf"}},
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
