# SPDX-License-Identifier: Apache-2.0
"""What subscriptions are told, whatever they are about: one order, that of the ledger."""

from collections.abc import Mapping, Sequence

from sqlalchemy import or_

from licenses.sharing.envelope import Told
from licenses.sharing.feed import Place, Stretch, changes_by_event, read_feed, told_from
from licenses.sharing.models import About, Subscription
from licenses.sharing.proofs import proofs_by_event, read_proofs
from licenses.sharing.questions import questions_by_event, read_questions
from storage.database import UnitOfWork


def read_told(uow: UnitOfWork, rows: Sequence[Subscription], after: Place, limit: int) -> Stretch:
    """Read on from a place what subscriptions of one client are about, together.

    Args:
        uow: Any unit of work.
        rows: The subscriptions, one at least.
        after: Where the stretch before ended.
        limit: Events at most.
    """
    proofs = [one for one in rows if one.about == About.PROOFS]
    questions = [one for one in rows if one.about == About.QUESTIONS]
    licences = [one for one in rows if one.about == About.LICENCES]
    found: list[Stretch] = []
    if licences:
        found.append(read_feed(uow, or_(*(told_from(one) for one in licences)), after, limit))
    if proofs:
        start = min(one.start or 0 for one in proofs)
        found.append(read_proofs(uow, proofs[0].client_id, start, after, limit))
    if questions:
        start = min(one.start or 0 for one in questions)
        found.append(read_questions(uow, questions[0].organisation, start, after, limit))
    if not found:
        # About what only a later release tells: nothing, and least of all about every licence.
        return Stretch((), after, more=False)
    return found[0] if len(found) == 1 else _merged(found, limit)


def told_by_event(uow: UnitOfWork, row: Subscription, events: Sequence[str]) -> Mapping[str, Told]:
    """Give what a subscription is told by the id of the event."""
    if row.about == About.PROOFS:
        return proofs_by_event(uow, row.client_id, events)
    if row.about == About.QUESTIONS:
        return questions_by_event(uow, row.organisation, events)
    return changes_by_event(uow, events) if row.about == About.LICENCES else {}


def _merged(stretches: Sequence[Stretch], limit: int) -> Stretch:
    """Merge stretches that began at one place: no further than the shortest of them goes."""
    until = min(one.until for one in stretches)
    changes = sorted(
        (one for stretch in stretches for one in stretch.changes if one[0] <= until), key=lambda one: one[0]
    )
    if len(changes) > limit:
        changes = changes[:limit]
        until = changes[-1][0]
    more = any(one.more or one.until > until for one in stretches)
    return Stretch(tuple(changes), until, more)
