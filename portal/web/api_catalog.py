# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/catalog``: the published catalogue of licence types, signed, for everybody.

Whoever keeps a copy asks with ``If-None-Match`` whether anything changed. The signature is a JWS with
detached content over the very bytes of the body; its key stands in ``/.well-known/jwks.json``.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from licenses.catalogue import TypeCatalogue
from licenses.definition import LicenseType
from licenses.errors import UnknownTypeError
from licenses.type_publication import SIGNATURE_TYPE, described, is_public, listed
from portal.web import context
from portal.web.access import public
from portal.web.checks import check_limit
from portal.web.documented import Described, answers, by_status
from storage.errors import NotFoundError
from storage.ledger.canonical import Json, canonical

blueprint = APIBlueprint("catalog_api", __name__, url_prefix="/api/v1/catalog", tag="Catalogue")
SIGNATURE: Final = "Catalogue-Signature"
"""Header with the detached signature."""
_WHY: Final = "the catalogue is published"
_UNRECORDED: Final = "shows data of the installation, nothing of persons"
_CACHING: Final = "public, max-age=60"
_SAMPLE: Final = "11100000000013661B006"
_NULLABLE: Final = ("max_years", "source")
_FREE: Final = ("division_templates",)


def published_as(
    description: str,
    example: Mapping[str, Json],
    nullable: Collection[str] = _NULLABLE,
    free: Collection[str] = (),
) -> dict[int | str, Described]:
    """Describe the answers that :func:`published` gives."""
    unchanged: Described = {"description": "Nothing changed since the answer with this ETag"}
    return by_status({200: answers(description, dict(example), nullable, free), 304: unchanged})


def _example() -> tuple[dict[str, Json], dict[str, Json]]:
    kind = TypeCatalogue.load().get(_SAMPLE)
    return listed([kind]), described(kind, [kind])


_LIST, _TYPE = _example()


@blueprint.get("/licence-types")
@blueprint.doc(summary="The licence types, without their items", responses=published_as("The list", _LIST))
@public(_WHY, unrecorded=_UNRECORDED)
def licence_types() -> BaseResponse:
    """Give the list."""
    check_limit()
    return published(listed(context.rooms().license_types.all()))


@blueprint.get("/licence-types/<code>")
@blueprint.doc(
    summary="A licence type in its newest version: items, validity, templates, covered types",
    responses=published_as("The type", _TYPE),
)
@public(_WHY, unrecorded=_UNRECORDED)
def licence_type(code: str) -> BaseResponse:
    """Give the newest version of a type."""
    check_limit()
    return _one(public_type(code))


@blueprint.get("/licence-types/<code>/versions/<version>")
@blueprint.doc(
    summary="A licence type as it was when a licence was issued under this version",
    responses=published_as("The type", _TYPE),
)
@public(_WHY, unrecorded=_UNRECORDED)
def licence_type_version(code: str, version: str) -> BaseResponse:
    """Give a version of a type."""
    check_limit()
    return _one(public_type(code, version))


def public_type(code: str, version: str | None = None) -> LicenseType:
    """Give a type that strangers may know.

    Raises:
        NotFoundError: There is none, or it is not published; both look the same.
    """
    try:
        kind = context.rooms().license_types.get(code, version)
    except UnknownTypeError:
        raise NotFoundError from None
    if not is_public(kind):
        raise NotFoundError
    return kind


def _one(kind: LicenseType) -> BaseResponse:
    return published(described(kind, context.rooms().license_types.versions(kind.code)))


def published(document: Mapping[str, Json], signed_as: str = SIGNATURE_TYPE) -> BaseResponse:
    """Give a published document with its signature and ETag; unchanged ones are not sent again."""
    body = canonical(document)
    answer = Response(body, content_type="application/json")
    answer.headers["Cache-Control"] = _CACHING
    answer.headers[SIGNATURE] = context.rooms().proofs.keys.sign_detached(document, signed_as)
    answer.set_etag(hashlib.sha256(body).hexdigest())
    return answer.make_conditional(request)
