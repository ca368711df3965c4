# SPDX-License-Identifier: Apache-2.0
"""Pages of a dossier's documents as pictures: drawn here, marked with who looks and when, kept nowhere."""

from dataclasses import dataclass
from typing import Final

from apiflask import APIBlueprint
from flask import Response, render_template

from archive.models import Dossier, DossierMember
from documents.pages import JPEG, PageWidth
from portal.i18n import choose, exact_moment
from portal.web import context
from portal.web.access import allow
from portal.web.pages_dossiers import english_title, on_reading_basis
from portal.web.render import organisation_title
from storage.errors import NotFoundError
from storage.identity import Role

blueprint = APIBlueprint("leaves", __name__, url_prefix="/dossiers", enable_openapi=False)
_RECORDS: Final = ("dossier.pages-read", "access.refused")
_WIDTHS: Final = {"small": PageWidth.SMALL, "large": PageWidth.LARGE}


@dataclass(frozen=True, slots=True)
class _Document:
    """A document whose pages are shown, ``title`` in the language of the page."""

    dossier: Dossier
    member: DossierMember
    title: str
    pages: int


@blueprint.get("/<dossier>/members/<member>/pages")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=_RECORDS)
def overview(dossier: str, member: str) -> str:
    """Show all pages of a document small, each leading to its larger view."""
    return render_template("leaves.html", document=_readable(dossier, member))


@blueprint.get("/<dossier>/members/<member>/pages/<int:page>")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=_RECORDS)
def show(dossier: str, member: str, page: int) -> str:
    """Show one page large, with the ways to the pages beside it."""
    return render_template("leaf.html", document=_readable(dossier, member, page), page=page)


@blueprint.get("/<dossier>/members/<member>/pages/<int:page>/<any(small, large):size>.jpg")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=_RECORDS)
def picture(dossier: str, member: str, page: int, size: str) -> Response:
    """Give the picture of a page; no cache may keep it, neither on the way nor in the browser."""
    rooms, found = context.rooms(), _readable(dossier, member, page)
    bytes_ = rooms.objects.read(found.member.sha256)
    answer = Response(rooms.page_images.draw(bytes_, page, _WIDTHS[size], _mark()), mimetype=JPEG)
    answer.headers["Cache-Control"] = "no-store, private"
    return answer


def _readable(dossier: str, member: str, page: int = 1) -> _Document:
    rooms, who = context.rooms(), on_reading_basis(context.identity())
    with rooms.database.reading() as uow:
        # A document is many pictures: they must not queue for the one writer of the embedded database.
        known = rooms.filings.pages_again(uow, who, dossier, member)
    if known is None:
        with rooms.database.writing() as uow:
            known = rooms.filings.pages(uow, who, dossier, member)
    found, document = known
    pages = document.pages or 0
    if not 1 <= page <= pages:
        raise NotFoundError
    item = rooms.items.get(found.item_code, found.item_edition)
    return _Document(found, document, choose(document.title, english_title(document, item)), pages)


def _mark() -> tuple[str, str]:
    """Say who looks: person and organisation, account and instant."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        name = rooms.accounts.name(uow, who.id)
    return (
        f"{name} · {organisation_title(who.organisation)}",
        f"{who.id} · {exact_moment(rooms.clock.now())}",
    )
