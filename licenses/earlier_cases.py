# SPDX-License-Identifier: Apache-2.0
"""Which earlier cases of the archive an answer rests on, for whoever may see those cases anyway.

The signed answer names item and department only: it is the same whoever reads it, and the number of a case
that another department handled is that department's to tell.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from cases.models import Case
from cases.services import visible_to
from licenses.models import DecisionReliance
from storage.database import UnitOfWork
from storage.identity import Identity


def earlier_cases(uow: UnitOfWork, identity: Identity, decision_id: str) -> Mapping[str, Sequence[Case]]:
    """Give the earlier cases by the requirement that rests on them; those that the reader may see.

    Whether the reader may see the answer itself is for the caller to ask.
    """
    query = (
        select(DecisionReliance.requirement, Case)
        .join(Case, Case.id == DecisionReliance.object_id)
        .where(
            DecisionReliance.decision_id == decision_id,
            DecisionReliance.kind == "case",
            visible_to(identity),
        )
        .order_by(DecisionReliance.requirement, Case.accepted_at, Case.id)
    )
    found: dict[str, list[Case]] = {}
    for requirement, case in uow.session.execute(query):
        found.setdefault(requirement, []).append(case)
    return found
