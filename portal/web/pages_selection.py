# SPDX-License-Identifier: Apache-2.0
"""Several cases of the archivist's list at once: what is done for each, or why it is not.

What a selection allows is what the page of each case allows; a record is made for each dossier, never one for
all of them.
"""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from apiflask import APIBlueprint
from flask import Response, render_template, request, send_file

from archive.members import sizes_of
from archive.models import FilingState
from archive.views import DossierView, WorkRow
from portal.i18n import gettext, mark
from portal.package import Package, compose, entry_time, package_name
from portal.spreadsheet import spreadsheet
from portal.web import context
from portal.web.access import allow
from portal.web.pages_archivist import LIST_QUERY, slip_of
from portal.web.pages_dossiers import on_reading_basis, write_package
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("selection", __name__, url_prefix="/archive/selection", enable_openapi=False)
MOST: Final = 50
"""Cases of one selection: as many as a page of the list."""
MOST_BYTES: Final = 2 << 30
"""Bytes of the files of all dossiers in one download; what is beyond is left out and named."""
RESULT: Final = "RESULT.csv"
PACKAGES, SLIPS = "packages", "slips"
_NOT_FILED: Final = mark("not filed: there is no dossier yet")
_NOT_RETURNED: Final = mark("not returned: there is no slip")
_HEADS: Final = (
    *(mark("Case number"), mark("Source"), mark("Attempt"), mark("Archival number")),
    *(mark("Result"), mark("Why not"), mark("Act"), mark("File"), "SHA-256"),
)
_DONE, _LEFT_OUT = mark("done"), mark("not done")
_TOO_MUCH: Final = mark("left out: the download would become too large; select fewer cases")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selected case and whether the action is done for it.

    Attributes:
        row: As the list shows it.
        why_not: Why nothing is done for it, in the language of the page; empty when it is.
        act: Of the download, once it has been recorded.
        file: Its name in the download.
        sha256: Digest of that file.
    """

    row: WorkRow
    why_not: str = ""
    act: str = ""
    file: str = ""
    sha256: str = ""


@blueprint.get("")
@allow(
    Role.ARCHIVIST,
    unrecorded="shows the own department's list and why cases were returned: holders masked, no content",
)
def look() -> tuple[str, int]:
    """Show for each selected case what the action does, or why it does nothing."""
    rooms, action, picked = context.rooms(), request.args.get("action", ""), request.args.getlist("pick")
    if action not in {PACKAGES, SLIPS}:
        raise InvalidInputError(field="action", rule=f"{PACKAGES}, {SLIPS}")
    with rooms.database.reading() as uow:
        chosen = _chosen(uow, picked, action) if picked else []
        done = [one.row for one in chosen if not one.why_not]
        slips = [slip_of(uow, row.source, row.number, row.filing.attempt) for row in done if action == SLIPS]
    items = {(one.code, one.edition): one for one in rooms.items.current()}
    page = render_template(
        "selection.html",
        action=action,
        chosen=chosen,
        done=done,
        slips=slips,
        items=items,
        now=rooms.clock.now(),
        list_query={name: request.args[name] for name in LIST_QUERY if name in request.args},
    )
    return page, 200 if picked else InvalidInputError.status


@blueprint.post("/packages")
@allow(Role.ARCHIVIST, records=("dossier.read", "access.refused"))
def packages() -> Response:
    """Give the selected dossiers in one ZIP, each as a ZIP of its own, with a table of what was done."""
    rooms, settings = context.rooms(), context.settings()
    with rooms.database.reading() as uow:
        chosen = _chosen(uow, request.form.getlist("pick"), PACKAGES)
    with ExitStack() as kept:
        file = kept.enter_context(tempfile.TemporaryFile(dir=settings.staging))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            done = [one if one.why_not else _packed(archive, one.row) for one in chosen]
            archive.writestr(zipfile.ZipInfo(RESULT, entry_time(rooms.clock.now())), _table(done))
        file.seek(0)
        answer = send_file(file, "application/zip", as_attachment=True, download_name="dossiers.zip")
        answer.call_on_close(kept.pop_all().close)
    return answer


def _chosen(uow: UnitOfWork, picked: Sequence[str], action: str) -> list[Chosen]:
    """Give the selected cases in the order of the list.

    Raises:
        InvalidInputError: None is selected, or too many.
        FilingNotFoundError: One of them may not be seen here.
    """
    ids = set(picked)
    if not 1 <= len(ids) <= MOST:
        raise InvalidInputError(field="pick", rule=f"1 to {MOST}")
    rows = context.rooms().filings.selected(uow, context.identity(), ids)
    if action == SLIPS:
        returned = FilingState.RETURNED
        return [Chosen(row, "" if row.filing.state is returned else gettext(_NOT_RETURNED)) for row in rows]
    sizes, left, chosen = sizes_of(uow, {row.dossier_id or "" for row in rows}), MOST_BYTES, []
    for row in rows:
        size = sizes.get(row.dossier_id or "", 0)
        why_not = gettext(_NOT_FILED) if row.dossier_id is None else gettext(_TOO_MUCH) if size > left else ""
        left -= 0 if why_not else size
        chosen.append(Chosen(row, why_not))
    return chosen


def _packed(archive: zipfile.ZipFile, row: WorkRow) -> Chosen:
    """Open one dossier, which is recorded, and write its package into the ZIP."""
    rooms, who = context.rooms(), on_reading_basis(context.identity())

    def opened(uow: UnitOfWork) -> tuple[DossierView, Package]:
        view = rooms.filings.dossier(uow, who, str(row.dossier_id))
        return view, compose(uow, view, rooms.objects)

    view, package = rooms.database.write(opened)
    name = package_name(view.dossier)
    with tempfile.TemporaryFile(dir=context.settings().staging) as file:
        write_package(file, view, package)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        entry = zipfile.ZipInfo(name, entry_time(package.filed_at))
        with archive.open(entry, "w", force_zip64=True) as target:
            shutil.copyfileobj(file, target, 1 << 20)
    return Chosen(row, act=view.look.core_sha256, file=name, sha256=sha256)


def _table(done: Sequence[Chosen]) -> bytes:
    rows: list[Sequence[object]] = [[gettext(head) for head in _HEADS]]
    for one in done:
        row, result = one.row, gettext(_LEFT_OUT if one.why_not else _DONE)
        about = (row.number, row.source, row.filing.attempt, row.archival_number or "")
        rows.append([*about, result, one.why_not, one.act, one.file, one.sha256])
    return spreadsheet(rows)
