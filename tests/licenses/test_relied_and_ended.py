# SPDX-License-Identifier: Apache-2.0
"""What happens between two steps is not lost: between answer and copy, between intent and effect."""

import pytest
from copy_desk import Desk
from license_house import House
from license_library import CLIENT, SUPERVISOR

from archive.supervision import INTENT_WITHIN, TraceService
from cases.calendar import WorkingCalendar
from cases.items import ItemCatalogue
from licenses.copies import making
from licenses.copies.errors import CopyRefusedError
from licenses.questions import ProofQuestion
from licenses.recall import RecallService

from .test_copies import KilledError, dying


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def test_a_licence_revoked_between_decision_and_copy_gives_no_copy_and_recalls_the_decision(
    desk: Desk,
) -> None:
    case, library = desk.case, desk.house.library
    library.clock.advance(1)
    with desk.database.writing() as uow:
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        answered = library.proofs.ask(uow, CLIENT, question)
    results = {one["id"]: one["result"] for one in answered.body["requirements"]}  # type: ignore[union-attr,index,call-overload] # JSON of an answer
    assert results["R1"] == "MET"
    library.clock.advance(1)
    desk.revoke()
    library.clock.advance(1)
    with pytest.raises(CopyRefusedError) as refused:
        desk.order()
    with desk.database.writing() as uow:
        refused.value.record(uow)
    assert desk.uses()[-1] == ("copy", "REFUSED", "licence-revoked")
    with desk.database.reading() as uow:
        (recalled,) = RecallService().recalled(uow, CLIENT, None, 50).rows
    assert (recalled.decision_id, recalled.license_id) == (answered.id, desk.licence.id)
    assert recalled.event == "revoked"


def test_who_is_killed_between_intent_and_effect_is_named_to_supervision_until_it_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = TraceService(ItemCatalogue.load(), WorkingCalendar.load())

    def open_intents() -> list[str]:
        with desk.database.reading() as uow:
            return sorted(one.kind for one in traces.open_intents(uow, SUPERVISOR))

    with monkeypatch.context() as until_it_goes_on:
        until_it_goes_on.setattr(making, "failpoint", dying("license.copy.after-seal"))
        desk.order()
        with pytest.raises(KilledError):
            desk.house.work()
    assert open_intents() == []
    desk.house.library.clock.advance(INTENT_WITHIN.total_seconds() + 1)
    assert open_intents() == ["copy.intended", "sealing.intended"]
    with desk.database.reading() as uow:
        gaps = traces.trace(uow, SUPERVISOR, desk.case).gaps
    assert "intent-without-outcome" in {one.code for one in gaps}
    desk.house.worker.recover()
    desk.house.work()
    assert open_intents() == []
