# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/cases/…/filings``: a closed case arrives as one multipart request, streamed and hashed."""

from dataclasses import replace
from typing import Any, Final

from apiflask import APIBlueprint
from flask import Response, request, url_for

from archive.errors import FilingIncompleteError
from archive.intake import Received
from archive.staging import Arrival, StagedFile, read_arrival
from archive.submission import METADATA_LIMIT, SubmissionError
from portal.errors import UnsupportedMediaError
from portal.web import context, uploads
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import RECEIPT, SUPPLEMENT_RECEIPT
from storage.errors import InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("filings", __name__, url_prefix="/api/v1/cases", tag="Filings")
METADATA_PART: Final = "metadata"
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [METADATA_PART],
                "properties": {METADATA_PART: {"$ref": "#/components/schemas/Submission"}},
                "additionalProperties": {"type": "string", "contentMediaType": "application/octet-stream"},
            },
            "encoding": {METADATA_PART: {"contentType": "application/json"}},
        }
    },
}


@blueprint.post("/<source>/<number>/filings")
@blueprint.doc(
    summary="File a closed case: a file part `metadata` and one file part per material",
    security="key",
    responses=by_status(
        {
            200: answers("The receipt of this very set, filed before", RECEIPT),
            202: answers("Received; the receipt", RECEIPT),
        }
    ),
    extensions={"x-body": _BODY},
)
@allow(Role.ARCHIVIST, scopes=("file",), records=("filing.received", "filing.refused"), upload="intake")
def file(source: str, number: str) -> Response:
    """Receive a filing; the receipt leaves after the bytes are durable and were read back."""
    return _filed(source, number, supplement=False)


@blueprint.post("/<source>/<number>/supplements")
@blueprint.doc(
    summary="Supplement a filed case: the same parts as of a filing, with the further materials only",
    security="key",
    responses=by_status(
        {
            200: answers("The receipt of this very set, received before", SUPPLEMENT_RECEIPT),
            202: answers("Received; the receipt", SUPPLEMENT_RECEIPT),
        }
    ),
    extensions={"x-body": _BODY},
)
@allow(Role.ARCHIVIST, scopes=("file",), records=("filing.received", "filing.refused"), upload="intake")
def supplement(source: str, number: str) -> Response:
    """Receive further material for a case whose dossier is filed; that dossier stays as it was sealed."""
    return _filed(source, number, supplement=True)


def _filed(source: str, number: str, *, supplement: bool) -> Response:
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaError
    # Before the body is read: nobody should send hundreds of megabytes into a full or absent store.
    context.rooms().intake.require_store()
    arrival = replace(_arrival(), supplement=supplement)
    if (arrival.submission.source, arrival.submission.number) != (source, number):
        raise InvalidInputError(field="source, number", rule="same as in the path")
    received = receive(arrival)
    answer = Response(received.receipt, 202 if received.created else 200, mimetype="application/json")
    answer.headers["Location"] = url_for("cases.show", source=source, number=number)
    return answer


def receive(arrival: Arrival) -> Received:
    """Take an arrival in: refuse early, make the bytes durable with no transaction open, then register."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        standing = rooms.intake.admit(uow, context.identity(), arrival)
    if standing is not None:
        return standing
    stored = rooms.intake.store(arrival)
    with rooms.database.writing() as uow:
        return rooms.intake.receive(uow, context.identity(), stored)


def _arrival() -> Arrival:
    metadata = uploads.staged_file(METADATA_PART)
    if metadata is None:
        raise SubmissionError(problems=1, first="no-metadata-part")
    twice = len(request.files.getlist(METADATA_PART)) - 1
    if twice:
        # Which of them counts would be anybody's guess.
        raise FilingIncompleteError(missing=0, unexpected=0, twice=twice)
    files = [
        StagedFile(part, staged.path, staged.sha256, staged.size)
        for part, staged in uploads.staged_files()
        if part != METADATA_PART
    ]
    return read_arrival(metadata.read(METADATA_LIMIT + 1), files)
