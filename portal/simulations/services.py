# SPDX-License-Identifier: Apache-2.0
"""Simulations of proposed rules: before the second person decides, both see what the draft would have asked.

A simulation of many cases takes a while, so a worker does it, and the page tells how far it came.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select

from cases.models import Case
from cases.services import visible_to
from licenses.rule_edition import read_rules
from portal.accounts.rights import ADMINISTRATORS
from portal.accounts.second_person import DecisionState
from portal.editions.approved import EditionKind
from portal.editions.errors import EditionClosedError, EditionUnknownError
from portal.editions.models import CatalogueEdition
from portal.simulations.models import RuleSimulation
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.steps import UNFINISHED, StepRow

STEP: Final = "rule.simulate"
READERS: Final = (*ADMINISTRATORS, Role.SUPERVISOR)
"""Who sees the figures; the cases behind them are for supervision."""


def begin(uow: UnitOfWork, identity: Identity, edition_id: str) -> Sequence[RuleSimulation]:
    """Have every rule of a proposed edition simulated, unless that is under way already.

    Raises:
        NotPermittedError: The caller does not administer the system.
        EditionUnknownError: There is none, or it is none of rules.
        EditionClosedError: It does not wait for a decision any more.
    """
    identity.demand(Role.SYSTEM_ADMIN)
    edition = edition_of(uow, identity, edition_id)
    if edition.state != DecisionState.OPEN:
        raise EditionClosedError
    running = select(StepRow.id).where(
        StepRow.id == RuleSimulation.step_id, RuleSimulation.edition_id == edition_id, UNFINISHED
    )
    if uow.session.scalar(running.limit(1)) is not None:
        return simulations_of(uow, identity, edition_id)
    before = {row.rule_id: row.id for row in simulations_of(uow, identity, edition_id)}
    # Only the newest is ever shown, and it can be run again.
    done = RuleSimulation.edition_id == edition_id, RuleSimulation.finished_at.is_not(None)
    uow.session.execute(delete(RuleSimulation).where(*done))
    rows = []
    for rule in read_rules(edition.body):
        row_id = _id_after(edition_id, rule.body.rule_id, before.get(rule.body.rule_id, ""))
        rows.append(
            RuleSimulation(
                id=row_id,
                edition_id=edition_id,
                rule_id=rule.body.rule_id,
                rule_version=rule.body.version,
                digest=rule.digest,
                step_id=uow.add_step(STEP, row_id),
                asked_by=identity.id,
                asked_at=uow.clock.now(),
                done=0,
            )
        )
    uow.session.add_all(rows)
    return rows


def _id_after(edition_id: str, rule_id: str, before: str) -> str:
    """Give the id of what follows a simulation: two that begin at once have the same, and one is too late."""
    return hashlib.sha256(f"{edition_id}\n{rule_id}\n{before}".encode()).hexdigest()[:26]


def edition_of(uow: UnitOfWork, identity: Identity, edition_id: str) -> CatalogueEdition:
    """Give a proposed or decided edition of rules.

    Raises:
        NotPermittedError: The caller neither administers nor supervises.
        EditionUnknownError: There is none, or it is none of rules.
    """
    identity.demand(*READERS)
    edition = uow.session.get(CatalogueEdition, edition_id)
    if edition is None or edition.kind != EditionKind.RULES:
        raise EditionUnknownError
    return edition


def cases_behind(
    uow: UnitOfWork, identity: Identity, row: RuleSimulation
) -> Sequence[tuple[str, str, str | None, str | None, str]]:
    """Give the cases that differ, of the departments that a supervisor covers; nobody else sees any.

    What a rule asks can be chosen so that its outcome tells of a person: figures are enough to decide by.

    Returns:
        Source and number, requirement, outcome in force, outcome by the draft, item with its edition.
    """
    if not identity.has(Role.SUPERVISOR):
        return ()
    found = row.differences or []
    of = select(Case).where(Case.id.in_([one[0] for one in found]), visible_to(identity))
    seen = {case.id: case for case in uow.session.scalars(of)}
    return [
        (f"{case.source}/{case.number}", name, before, after, f"{case.item_code} {case.item_edition}")
        for case_id, name, before, after in found
        if (case := seen.get(case_id)) is not None
    ]


def simulations_of(uow: UnitOfWork, identity: Identity, edition_id: str) -> Sequence[RuleSimulation]:
    """Give the newest simulation of each rule of an edition, in the order of their names.

    Raises:
        NotPermittedError: The caller neither administers nor supervises.
    """
    identity.demand(*READERS)
    order = (RuleSimulation.asked_at, RuleSimulation.id)
    query = select(RuleSimulation).where(RuleSimulation.edition_id == edition_id).order_by(*order)
    newest = {row.rule_id: row for row in uow.session.scalars(query)}
    return [newest[name] for name in sorted(newest)]
