# SPDX-License-Identifier: Apache-2.0
"""Further material after closing: a sealed unit of its own, and the dossier stays byte for byte."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from archive_line import Canned, Line, picture
from archive_world import ARCHIVIST, CLIENT, World
from pdf_text import text_of
from sqlalchemy import select

from archive.errors import FilingConflictError, SupplementTooEarlyError
from archive.intake import Received
from archive.manifests import acts_of, read
from archive.models import Dossier, DossierMember, Filing, FilingState, Role
from archive.numbering import report
from archive.queries import FilingQueries
from archive.staging import Arrival
from archive.supervision import TraceService
from cases.calendar import WorkingCalendar
from seals.verdicts import State
from seals.verification import verify_detached
from storage.errors import NotPermittedError
from storage.identity import AccessBasis, Basis, Identity
from storage.identity import Role as Post
from storage.ledger.models import LedgerAct

NUMBER = "ZJ-2026-000131"


def supplement(world: World, content: Mapping[str, bytes] | None = None, **changes: Any) -> Arrival:
    content = content or {"layout": picture(123)}
    kept = {"result": "approved", "opinions": []}
    arrival = world.arrival(content, dict.fromkeys(content, "image/png"), **(kept | changes))
    return dataclasses.replace(arrival, supplement=True)


def filed(line: Line) -> Dossier:
    line.file(line.granted())
    line.run()
    return dossiers(line)[0]


def dossiers(line: Line) -> list[Dossier]:
    with line.database.reading() as uow:
        found = list(uow.session.scalars(select(Dossier).order_by(Dossier.assembled_at)))
        uow.session.expunge_all()
        return found


def filing(line: World, received: Received) -> Filing:
    with line.database.reading() as uow:
        found = uow.session.get_one(Filing, received.filing_id)
        uow.session.expunge_all()
        return found


def members(line: Line, dossier: Dossier) -> list[DossierMember]:
    with line.database.reading() as uow:
        query = select(DossierMember).where(DossierMember.dossier_id == dossier.id)
        found = list(uow.session.scalars(query.order_by(DossierMember.position)))
        uow.session.expunge_all()
        return found


def state_of(row: Dossier) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in Dossier.__table__.columns}


@pytest.fixture
def quick(tmp_path: Path, authority_folder: Path, page: bytes) -> Line:
    """Real seals and typesetting, canned conversion."""
    return Line(tmp_path, authority_folder, Canned(page))


def test_a_supplement_has_its_own_number_catalogue_seal_and_manifest(quick: Line) -> None:
    main = filed(quick)
    quick.clock.advance(60)
    received = quick.file(supplement(quick), CLIENT)
    assert json.loads(received.receipt)["supplement"] == 1
    quick.run()
    assert filing(quick, received).state == FilingState.FILED
    added = dossiers(quick)[1]
    assert (added.supplement, added.archival_number) == (1, f"{main.archival_number}-B1")
    assert (added.retention, added.title, added.year) == (main.retention, main.title, main.year)
    once = (Role.CATALOGUE, Role.METADATA, Role.CHECKS, Role.ORIGINAL, Role.RENDITION)
    assert Counter(one.role for one in members(quick, added)) == dict.fromkeys(once, 1)
    catalogue = text_of(quick.objects.read(str(added.catalogue_sha256)))
    assert f"次，补充案卷 {main.archival_number}（该案卷" in catalogue
    data = quick.objects.read_named(str(added.manifest_key))
    manifest = read(data)
    assert manifest["supplement"] == {
        "number": 1,
        "dossier": main.id,
        "manifest_sha256": main.manifest_sha256,
    }
    seal = quick.objects.read(str(added.manifest_seal_sha256))
    assert verify_detached(data, seal, quick.trust(), at=quick.clock.now()).state is State.VALID
    assert "dossier.filed" in {act.kind for act in acts_of(data)}, "it names the acts of what it adds to"


def test_what_it_adds_to_is_not_altered(quick: Line) -> None:
    main = filed(quick)
    before = state_of(main), [one.sha256 for one in members(quick, main)]
    bytes_before = quick.objects.read_named(str(main.manifest_key))
    quick.file(supplement(quick))
    quick.run()
    again = dossiers(quick)[0]
    assert (state_of(again), [one.sha256 for one in members(quick, again)]) == before
    assert quick.objects.read_named(str(again.manifest_key)) == bytes_before
    with quick.database.reading() as uow:
        assert [(one.last, one.gaps) for one in report(uow)] == [(1, ())]
        kinds = Counter(uow.session.scalars(select(LedgerAct.kind)))
    assert (kinds["dossier.filed"], kinds["dossier.supplemented"]) == (1, 1)
    assert kinds["license.reserved"] == 1


def test_the_same_set_gives_the_same_receipt_and_another_is_the_next_supplement(quick: Line) -> None:
    filed(quick)
    first = quick.file(supplement(quick))
    assert quick.file(supplement(quick)) == dataclasses.replace(first, created=False)
    second = quick.file(supplement(quick, {"layout": picture(7)}))
    quick.run()
    assert [filing(quick, one).supplement for one in (first, second)] == [1, 2]
    assert [one.supplement for one in dossiers(quick)] == [None, 1, 2]
    assert quick.file(supplement(quick)).receipt == first.receipt


def test_what_is_returned_is_corrected_as_the_same_supplement(quick: Line) -> None:
    filed(quick)
    empty = quick.file(supplement(quick, {"layout": b""}))
    quick.run()
    returned = filing(quick, empty)
    assert (returned.state, returned.supplement) == (FilingState.RETURNED, 1)
    assert {one["code"] for one in returned.findings} >= {"M05"}  # type: ignore[index,call-overload]
    corrected = quick.file(supplement(quick))
    quick.run()
    assert [one.archival_number[-3:] for one in dossiers(quick)[1:]] == ["-B1"]
    assert filing(quick, corrected).attempt == 3


def test_it_brings_no_licence_and_must_be_of_the_same_case(quick: Line) -> None:
    filed(quick)
    data = quick.granted().submission.license
    assert data is not None
    brings = quick.file(supplement(quick, license=data.model_dump(mode="json")))
    another = supplement(quick, {"layout": picture(9)}, item={"code": "339999010001", "edition": "2026-03"})
    elsewhere = quick.file(another)
    quick.run()
    codes = [{one["code"] for one in filing(quick, one_).findings} for one_ in (brings, elsewhere)]  # type: ignore[index,call-overload]
    assert "C07" in codes[0]
    assert "C01" in codes[1]


def test_a_case_that_is_not_filed_takes_no_supplement(world: World) -> None:
    with pytest.raises(SupplementTooEarlyError):
        world.file(supplement(world))
    world.file(world.arrival())
    with pytest.raises(SupplementTooEarlyError):
        world.file(supplement(world))
    with world.database.reading() as uow:
        assert len(uow.session.scalars(select(Filing)).all()) == 1


def test_permission_comes_before_the_state_of_the_case(world: World) -> None:
    stranger = dataclasses.replace(ARCHIVIST, organisation="jtys")
    world.file(world.arrival())
    for known in (NUMBER, "unknown"):
        with pytest.raises(NotPermittedError):
            world.file(supplement(world, number=known), stranger)


def test_a_filed_case_takes_no_second_filing_beside_its_supplements(quick: Line) -> None:
    filed(quick)
    quick.file(supplement(quick))
    quick.run()
    with pytest.raises(FilingConflictError):
        quick.file(dataclasses.replace(supplement(quick, {"layout": picture(8)}), supplement=False))


def test_case_trace_and_dossier_show_each_other(quick: Line) -> None:
    main = filed(quick)
    received = quick.file(supplement(quick))
    queries = FilingQueries(quick.cases, quick.holders, quick.items, WorkingCalendar.load())
    with quick.database.reading() as uow:
        view = queries.case_state(uow, ARCHIVIST, "yctb", NUMBER)
        assert (view.state, view.dossier_id, view.supplements) == ("filed", main.id, ())
        assert view.attempts[-1].supplement == 1
    quick.run()
    added = dossiers(quick)[1]
    with quick.database.reading() as uow:
        view = queries.case_state(uow, ARCHIVIST, "yctb", NUMBER)
        assert [one.id for one in view.supplements] == [added.id]
        traces = TraceService(quick.items, WorkingCalendar.load())
        supervisor = Identity("person", "s", "dsj", frozenset({Post.SUPERVISOR}))
        for key in (NUMBER, main.archival_number, added.archival_number, added.id):
            (case,) = traces.find(uow, supervisor, key)
            trace = traces.trace(uow, supervisor, case)
            assert trace.dossier is not None
            assert (trace.dossier.id, [one.id for one in trace.supplements]) == (main.id, [added.id])
        assert received.filing_id in {act.object_id for act in trace.acts}
        assert "dossier.supplemented" in {act.kind for act in trace.acts}
    reader = ARCHIVIST.on(AccessBasis(Basis.FILING))
    with quick.database.writing() as uow:
        assert [one.id for one in queries.dossier(uow, reader, main.id).family] == [added.id]
        assert [one.id for one in queries.dossier(uow, reader, added.archival_number).family] == [main.id]
