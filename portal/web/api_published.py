# SPDX-License-Identifier: Apache-2.0
"""What strangers rely on without asking again: the signed directory and the signed status list.

Both answer a conditional request with 304, hold for some time, and can be carried to where there is no
network; ``cunzheng verify FILE --offline FOLDER`` needs nothing else.
"""

import datetime as dt
from typing import Final

from apiflask import APIBlueprint
from flask import Response, request

from licenses.status_list import TTL
from portal.publications import DIRECTORY_EVERY, Published
from portal.web import context
from portal.web.access import public
from portal.web.checks import check_limit
from portal.web.documented import Described, by_status, text
from portal.web.schemas import TimeQuery

blueprint = APIBlueprint("published", __name__, tag="Verification")
_UNRECORDED: Final = "tells nothing about anybody: an entry says how a licence stands and not which one it is"
_UNCHANGED: Final[Described] = {"description": "The copy that the caller has is the newest one"}


@blueprint.get("/api/v1/directory")
@blueprint.doc(
    summary="Issuers, licence types, certificates and keys, as a JWS (ES256)",
    responses=by_status(
        {200: text("The directory", "application/jose", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"), 304: _UNCHANGED}
    ),
)
@public("verifiers of other provinces need it", unrecorded="names offices, types and public keys")
def directory() -> Response:
    """Give the directory."""
    return _answer(context.publications().directory(), "application/jose", DIRECTORY_EVERY)


@blueprint.get("/api/v1/status-lists/licences")
@blueprint.input(TimeQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="How every licence stands, two bits each, as a status list token",
    responses=by_status(
        {
            200: text("The list", "application/statuslist+jwt", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
            304: _UNCHANGED,
        }
    ),
)
@public("verifiers of other provinces need it", unrecorded=_UNRECORDED)
def status_list(query: TimeQuery) -> Response:
    """Give the status list, now or as it was in the minute of ``time``; such a look counts as a check."""
    at = None
    if query.time is not None:
        check_limit()
        at = dt.datetime.fromtimestamp(query.time, dt.UTC)
    return _answer(context.publications().status_list(at), "application/statuslist+jwt", TTL)


def _answer(published: Published, mimetype: str, fresh: dt.timedelta) -> Response:
    answer = Response(published.token, mimetype=mimetype)
    answer.set_etag(published.etag)
    answer.headers["Cache-Control"] = f"public, max-age={int(fresh.total_seconds())}"
    answer.make_conditional(request)
    return answer
