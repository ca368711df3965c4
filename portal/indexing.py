# SPDX-License-Identifier: Apache-2.0
"""The step that keeps the search index up with the records; it never holds filing up.

Found are titles, catalogues and the faces of licences, without what a page would mask: the text of
materials is not in the index, for it is full of personal data.
"""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import func, select

from archive.models import Dossier, DossierMember, Filing
from cases.models import Case
from indexer.document import IndexDocument
from indexer.errors import IndexUnavailableError
from indexer.ports import Index
from licenses.holdings import Holdings
from licenses.issuing import index_document
from licenses.stock.runs import STOCK_INDEX_STEP
from storage.clock import parse_rfc3339, rfc3339
from storage.database import UnitOfWork
from storage.ledger.canonical import Json
from storage.steps import UNFINISHED, Job, Staging, StepRow, mapping_of

KIND = "index.put"


class IndexStep:
    """Puts one dossier or licence into the index; the subject is ``dossier:ID`` or ``licence:ID``.

    Args:
        index: The search index.
        holdings: Faces of licences.
    """

    kind = KIND

    def __init__(self, index: Index, holdings: Holdings) -> None:
        self._index = index
        self._holdings = holdings

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Give the document as it is to stand in the index."""
        document = document_of(uow, self._holdings, job.subject)
        return None if document is None else _as_json(document)

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - nothing is staged: a put can be repeated
        """Put it; an older version changes nothing.

        One that was planned before documents said when a licence is valid is left out: the index of that time
        is gone, and whoever fills the new one puts it as it is now.
        """
        if "since" in mapping_of(plan):
            self._index.put(_from_json(plan))
        return None

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the put has served
        """Note how far the index is: up to the oldest change that still waits."""
        up_to = oldest_waiting(uow, but=job.id) or uow.clock.now()
        uow.on_commit(partial(self._note, up_to))

    def _note(self, up_to: dt.datetime) -> None:
        # The document is held; how far the index has come, the next one tells.
        with suppress(IndexUnavailableError):
            self._index.advance(up_to)

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice."""


def oldest_waiting(uow: UnitOfWork, *, but: str | None = None) -> dt.datetime | None:
    """Give when the oldest change was made that the index lacks, one step left out; ``None``: none."""
    kinds = (KIND, STOCK_INDEX_STEP)
    waiting = select(func.min(StepRow.created_at)).where(StepRow.kind.in_(kinds), UNFINISHED)
    return uow.session.scalar(waiting if but is None else waiting.where(StepRow.id != but))


def document_of(uow: UnitOfWork, holdings: Holdings, subject: str) -> IndexDocument | None:
    """Give what the index holds of a dossier or licence; ``None`` while it is not filed or issued."""
    kind, _, one = subject.partition(":")
    return index_document(uow, holdings, one) if kind == "licence" else _dossier(uow, one)


def _dossier(uow: UnitOfWork, dossier_id: str) -> IndexDocument | None:
    dossier = uow.session.get(Dossier, dossier_id)
    if dossier is None or dossier.filed_at is None:
        return None
    case = uow.session.get_one(Case, dossier.case_id)
    filing = uow.session.get(Filing, dossier.filing_id)
    titles = uow.session.scalars(
        select(DossierMember.title)
        .where(DossierMember.dossier_id == dossier.id)
        .order_by(DossierMember.position)
    ).all()
    added = "" if dossier.supplement is None else f"（补充归档{dossier.supplement}）"
    return IndexDocument(
        id=dossier.id,
        kind="dossier",
        title=f"{dossier.title}{added}",
        text="\n".join([*dict.fromkeys(titles), case.number]),
        organisation=dossier.organisation,
        number=dossier.archival_number,
        at=dossier.filed_at,
        version=dossier.version,
        item=case.item_code,
        state="original-only" if filing is not None and filing.original_only else "filed",
    )


def _as_json(document: IndexDocument) -> dict[str, Json]:
    return {
        "id": document.id,
        "kind": document.kind,
        "title": document.title,
        "text": document.text,
        "organisation": document.organisation,
        "number": document.number,
        "at": rfc3339(document.at),
        "version": document.version,
        "item": document.item,
        "type": document.type,
        "state": document.state,
        "trust": document.trust,
        "since": None if document.since is None else rfc3339(document.since),
        "until": None if document.until is None else rfc3339(document.until),
        "seal": document.seal,
    }


def _from_json(plan: Json) -> IndexDocument:
    if not isinstance(plan, Mapping):
        raise TypeError(type(plan).__name__)
    values: dict[str, Any] = dict(plan)
    at: dt.datetime = parse_rfc3339(values.pop("at"))
    since, until = (values.pop(name, None) for name in ("since", "until"))
    return IndexDocument(
        at=at,
        since=None if since is None else parse_rfc3339(since),
        until=None if until is None else parse_rfc3339(until),
        **values,
    )
