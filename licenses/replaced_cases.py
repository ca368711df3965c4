# SPDX-License-Identifier: Apache-2.0
"""Closed cases that a draft rule is tried on: of its item edition, or of those that this edition replaces.

A new edition of an item has no closed case before it is in force, and just then its rule is drafted. An
edition replaces the earlier ones of its code, and every edition of the items that were replaced by it, split
into it or merged into it, over any number of steps.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select

from cases.models import Case
from licenses.rules import Rule, counted
from storage.database import UnitOfWork

_BATCH: Final = 500


def editions_tried(uow: UnitOfWork, draft: Rule, rules: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
    """Give code and edition of the items whose closed cases a draft is tried on.

    Args:
        uow: Any unit of work.
        draft: The draft.
        rules: Rules that say which items replace which: those in force, and those proposed with the draft.

    Returns:
        The draft's own edition if a case of it was closed, else those that it replaces and that have closed
        cases; without any, none.
    """
    item = draft.body.item
    own = (item.code, item.edition)
    if uow.session.scalar(select(Case.id).where(_closed([own])).limit(1)) is not None:
        return (own,)
    codes = counted((*rules, draft))[item.code]
    of = select(Case.item_code, Case.item_edition).where(
        Case.item_code.in_(sorted(codes)), Case.closed_at.is_not(None)
    )
    found = ((code, edition) for code, edition in uow.session.execute(of.distinct()))
    return tuple(sorted(one for one in found if one[0] != item.code or one[1] < item.edition))


def closed_cases(uow: UnitOfWork, editions: Iterable[tuple[str, str]]) -> Iterator[Case]:
    """Give the closed cases of some item editions, in the order in which they were announced."""
    query = select(Case).where(_closed(editions)).order_by(Case.announced_at, Case.id)
    yield from uow.session.scalars(query.execution_options(yield_per=_BATCH))


def closed_count(uow: UnitOfWork, editions: Iterable[tuple[str, str]]) -> int:
    """Count the closed cases of some item editions."""
    return uow.session.scalar(select(func.count()).select_from(Case).where(_closed(editions))) or 0


def _closed(editions: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    each = (and_(Case.item_code == code, Case.item_edition == edition) for code, edition in editions)
    return and_(
        or_(False, *each),
        Case.closed_at.is_not(None),
    )
