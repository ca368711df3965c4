# SPDX-License-Identifier: Apache-2.0
"""The step that simulates a proposed rule; it reads for as long as it takes, and nobody waits for it."""

from typing import Any, cast

from sqlalchemy import update

from licenses.rule_edition import read_rules
from licenses.rules import Rule
from licenses.simulation import CaseDifference, SimulationService
from portal.accounts.models import ADMINISTRATION
from portal.editions.models import CatalogueEdition
from portal.simulations.models import RuleSimulation
from portal.simulations.services import STEP
from storage.database import Database, UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.canonical import Json
from storage.steps import Job, Staging, mapping_of


class SimulateStep:
    """Simulates; the subject is the simulation.

    Args:
        database: Where cases are read and the progress is told.
        simulations: Simulates.
    """

    kind = STEP

    def __init__(self, database: Database, simulations: SimulationService) -> None:
        self._database = database
        self._simulations = simulations

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Count what is to be done."""
        row = uow.session.get_one(RuleSimulation, job.subject)
        row.total, row.done = self._simulations.count(uow, _rule_of(uow, row), _rules_of(uow, row)), 0
        return job.subject

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - nothing is staged
        """Simulate; a repetition gives the same."""
        with self._database.reading() as uow:
            row = uow.session.get_one(RuleSimulation, str(plan))
            rule, who = _rule_of(uow, row), _asker(row)
            beside = _rules_of(uow, row)
            found = self._simulations.simulate(
                uow, who, rule, lambda done: self._tell(str(plan), done), beside
            )
        return {
            "figures": found.as_json(),
            "differences": [_written(one) for one in found.differences],
        }

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the row says it
        """Keep the figures, and record that there are some."""
        row = uow.session.get_one(RuleSimulation, job.subject)
        given = mapping_of(result)
        row.figures = cast("dict[str, Any]", given["figures"])
        row.differences = cast("list[list[Any]]", given["differences"])
        row.done, row.finished_at = row.figures["cases"] + row.figures["erased"], uow.clock.now()
        self._simulations.record(uow, _asker(row), _rule_of(uow, row), row.figures)

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice."""

    def _tell(self, simulation: str, done: int) -> None:
        told = update(RuleSimulation).where(RuleSimulation.id == simulation).values(done=done)
        self._database.write(lambda uow: uow.session.execute(told))


def _rules_of(uow: UnitOfWork, row: RuleSimulation) -> tuple[Rule, ...]:
    return read_rules(uow.session.get_one(CatalogueEdition, row.edition_id).body)


def _rule_of(uow: UnitOfWork, row: RuleSimulation) -> Rule:
    return next(one for one in _rules_of(uow, row) if one.digest == row.digest)


def _asker(row: RuleSimulation) -> Identity:
    return Identity("person", row.asked_by, ADMINISTRATION, frozenset({Role.SYSTEM_ADMIN}))


def _written(one: CaseDifference) -> Json:
    before, after = (None if each is None else str(each) for each in (one.before, one.after))
    return [one.case_id, one.requirement, before, after]
