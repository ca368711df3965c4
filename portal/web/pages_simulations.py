# SPDX-License-Identifier: Apache-2.0
"""The page on which both persons see what a proposed edition of rules would have asked of closed cases."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from licenses.simulation import Outcome
from portal.accounts.second_person import DecisionState
from portal.i18n import gettext
from portal.i18n import mark as _
from portal.simulations.models import RuleSimulation
from portal.simulations.services import READERS, begin, cases_behind, edition_of, simulations_of
from portal.spreadsheet import spreadsheet
from portal.web import context
from portal.web.access import allow
from storage.identity import Role

blueprint = APIBlueprint("simulations", __name__, url_prefix="/editions", enable_openapi=False)
_SHOWN: Final = 50
_FEW: Final = 3
_DATA: Final = "shows shares of closed cases, and supervision their numbers; nothing of persons"
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.MET: _("Established"),
    Outcome.PROVISIONAL: _("Commitment or later supply"),
    Outcome.PENDING: _("Department is asked"),
    Outcome.NOT_MET: _("Denied"),
    Outcome.UPLOAD: _("Collected from the applicant"),
}
"""Outcomes with the words of the page, what is best for the citizen first."""
NO_LONGER: Final = _("No longer asked")


@blueprint.get("/<edition>/simulation")
@allow(*READERS, unrecorded=_DATA)
def show(edition: str) -> str:
    """Show how far the simulation is, and what came of it."""
    rooms, who = context.rooms(), context.identity()
    supervises = who.has(Role.SUPERVISOR)
    with rooms.database.reading() as uow:
        found = edition_of(uow, who, edition)
        rows = simulations_of(uow, who, edition)
        return render_template(
            "simulation.html",
            edition=found,
            rows=[(row, _shares(row, whole=supervises), cases_behind(uow, who, row)) for row in rows],
            supervises=supervises,
            running=any(row.finished_at is None for row in rows),
            outcomes=OUTCOMES,
            no_longer=NO_LONGER,
            titles=_titles(found.body),
            begins=who.has(Role.SYSTEM_ADMIN)
            and found.state == DecisionState.OPEN
            and found.expires_at > rooms.clock.now(),
            shown=_SHOWN,
            now=rooms.clock.now(),
        )


@blueprint.post("/<edition>/simulation")
@allow(Role.SYSTEM_ADMIN, unrecorded="has closed cases evaluated; what came of it is recorded at the end")
def start(edition: str) -> Response:
    """Have the rules of a proposed edition simulated."""
    rooms, who = context.rooms(), context.identity()
    rooms.database.write(lambda uow: len(begin(uow, who, edition)))
    return redirect(url_for("simulations.show", edition=edition), 303)


@blueprint.get("/<edition>/simulation.csv")
@allow(Role.SUPERVISOR, unrecorded=_DATA)
def differences(edition: str) -> Response:
    """Give the cases that differ as a file."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        edition_of(uow, who, edition)
        found = [
            [
                f"{row.rule_id} v{row.rule_version}",
                case,
                requirement,
                "" if before is None else _title(before),
                gettext(NO_LONGER) if after is None else _title(after),
                item,
            ]
            for row in simulations_of(uow, who, edition)
            for case, requirement, before, after, item in cases_behind(uow, who, row)
        ]
    head = [
        gettext(one)
        for one in (
            _("Rule"),
            _("Case"),
            _("Requirement"),
            _("In force"),
            _("Draft"),
            _("Edition of the item"),
        )
    ]
    answer = make_response(spreadsheet([head, *found]))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="simulation.csv"'
    return answer


def _titles(body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Give the requirements of each rule by id; they bear their titles."""
    return {rule["rule_id"]: {one["id"]: one for one in rule["requirements"]} for rule in body["rules"]}


def _title(outcome: str) -> str:
    return gettext(OUTCOMES[Outcome(outcome)])


def _shares(
    row: RuleSimulation, *, whole: bool
) -> Sequence[tuple[str, Sequence[tuple[Outcome, int | None, int | None]]]]:
    """Give for each requirement how often each outcome came, by the draft and by what is in force.

    A number that could point to a person is ``None`` for who does not supervise.
    """
    figures: Mapping[str, Any] = row.figures or {"draft": {}, "in_force": {}}

    def shown(count: int) -> int | None:
        return count if whole or not 0 < count < _FEW else None

    return [
        (
            name,
            [
                (one, shown(counts.get(one, 0)), shown(figures["in_force"].get(name, {}).get(one, 0)))
                for one in OUTCOMES
            ],
        )
        # A simulation of an earlier release does not say what the draft drops.
        for name in sorted({*figures["draft"], *figures.get("dropped", {})})
        for counts in [figures["draft"].get(name, {})]
    ]
