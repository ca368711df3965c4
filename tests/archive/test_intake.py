# SPDX-License-Identifier: Apache-2.0
"""Intake: durable bytes before a receipt, the same set the same receipt, another set a named conflict."""

import dataclasses
import json
import threading
from typing import Any

import pytest
from archive_world import ARCHIVIST, CLIENT, CODES, NAMED, World
from sqlalchemy import func, select, update

from archive.errors import ClassifiedMaterialError, FilingConflictError, FilingIncompleteError
from archive.models import Filing, FilingMaterial, FilingReceipt, FilingState
from archive.staging import read_arrival, read_folder
from archive.submission import SubmissionError
from cases.errors import CaseConflictError, HolderCodeError
from cases.models import Case
from storage.errors import ConflictError, NotPermittedError
from storage.identity import Role
from storage.ledger.models import LedgerAct
from storage.steps import StepRow


def count(world: World, table: Any) -> int:
    with world.database.reading() as uow:
        return uow.session.scalar(select(func.count()).select_from(table)) or 0


def end(world: World, state: FilingState) -> None:
    with world.database.writing() as uow:
        uow.session.execute(update(Filing).values(state=str(state)))


def test_a_receipt_names_every_file_and_holds_the_promise(world: World) -> None:
    arrival = world.arrival()
    received = world.file(arrival)
    receipt = json.loads(received.receipt)
    assert received.created
    assert receipt["attempt"] == 1
    assert receipt["set_sha256"] == arrival.set_sha256
    assert [one["code"] for one in receipt["materials"]] == [code for code, _ in CODES]
    assert [one["file_name"] for one in receipt["materials"]] == [f"{NAMED}-{code}.pdf" for code, _ in CODES]
    with world.database.reading() as uow:
        act = uow.session.get_one(LedgerAct, receipt["promise"]["core_sha256"])
    assert (act.kind, act.object_id) == ("filing.received", received.filing_id)


def test_bytes_are_stored_under_both_digests_before_the_receipt(world: World) -> None:
    receipt = json.loads(world.file(world.arrival()).receipt)
    for entry in [receipt["metadata"], *receipt["materials"]]:
        assert len(world.objects.read(entry["sha256"])) == entry["size"]
        assert len(entry["sm3"]) == 64


def test_an_unannounced_case_is_created_and_closed(world: World) -> None:
    world.file(world.arrival())
    with world.database.reading() as uow:
        case = uow.session.scalars(select(Case)).one()
        step = uow.session.scalars(select(StepRow)).one()
    assert case.closed_at is not None
    assert step.kind == "archive.accept"


def test_the_same_set_gives_the_same_receipt_whatever_its_layout(world: World) -> None:
    arrival = world.arrival()
    first = world.file(arrival)
    loose = json.dumps(json.loads(arrival.metadata), indent=4, sort_keys=True).encode()
    again = world.file(read_arrival(loose, list(arrival.files.values())))
    assert (again.receipt, again.created) == (first.receipt, False)
    assert count(world, Filing) == 1


def test_another_set_while_in_progress_is_a_conflict_that_names_the_difference(world: World) -> None:
    world.file(world.arrival())
    content = {code: f"%PDF- {code}".encode() for code, _ in CODES[1:]}
    content["layout"] = b"%PDF- other"
    content["health-certificate"] = b"%PDF- new"
    content["unheard-of"] = b"%PDF- unknown"
    with pytest.raises(FilingConflictError) as conflict:
        world.file(world.arrival(content))
    difference = conflict.value.difference
    assert difference.added == ("health-certificate", "outside-scope")
    assert difference.removed == ("application-form",)
    assert difference.changed == ("layout",)
    assert difference.metadata
    assert NAMED not in str(conflict.value)
    assert (count(world, Filing), count(world, FilingMaterial)) == (1, len(CODES))


def test_a_filed_case_takes_no_other_set(world: World) -> None:
    world.file(world.arrival())
    end(world, FilingState.FILED)
    with pytest.raises(FilingConflictError):
        world.file(world.arrival(decided_at="2026-11-14T10:00:00+08:00"))


@pytest.mark.parametrize("state", [FilingState.RETURNED, FilingState.QUARANTINED])
def test_after_a_return_another_set_is_the_next_attempt(world: World, state: FilingState) -> None:
    first = world.file(world.arrival())
    end(world, state)
    second = world.file(world.arrival(decided_at="2026-11-14T10:00:00+08:00"))
    assert (second.attempt, second.created) == (2, True)
    assert world.file(world.arrival()).receipt == first.receipt


def test_the_first_digest_that_lies_is_found_before_anything_is_promised(world: World) -> None:
    arrival = world.arrival()
    arrival.files["m0"].path.write_bytes(b"swapped after hashing")
    with pytest.raises(ConflictError):
        world.intake.store(arrival)
    assert count(world, Filing) == 0


def test_classified_material_is_refused_and_the_refusal_stands_in_the_ledger(world: World) -> None:
    arrival = world.arrival(secrecy="机密★10年")
    with pytest.raises(ClassifiedMaterialError) as refusal:
        world.file(arrival)
    assert not world.objects.has(arrival.files["m0"].sha256)
    with world.database.writing() as uow:
        refusal.value.record(uow)
    with world.database.reading() as uow:
        act = uow.session.scalars(select(LedgerAct)).one()
    assert (act.kind, act.outcome) == ("filing.refused", "refused")


@pytest.mark.parametrize(
    "identity",
    [
        dataclasses.replace(CLIENT, sources=frozenset({"other"})),
        dataclasses.replace(CLIENT, scopes=frozenset({"announce"})),
        dataclasses.replace(ARCHIVIST, organisation="jtys"),
        dataclasses.replace(ARCHIVIST, roles=frozenset({Role.SUPERVISOR})),
    ],
)
def test_who_may_not_file_learns_nothing(world: World, identity: Any) -> None:
    world.file(world.arrival())
    with pytest.raises(NotPermittedError):
        world.file(world.arrival(), identity)


def test_an_archivist_files_for_the_own_department(world: World) -> None:
    assert world.file(world.arrival(), ARCHIVIST).created


def test_files_and_metadata_belong_together(world: World) -> None:
    arrival = world.arrival()
    with pytest.raises(FilingIncompleteError) as refusal:
        read_arrival(arrival.metadata, list(arrival.files.values())[1:])
    assert refusal.value.facts == {"missing": 1, "unexpected": 0, "twice": 0}
    twice = [*arrival.files.values(), arrival.files["m0"]]
    with pytest.raises(FilingIncompleteError):
        read_arrival(arrival.metadata, twice)


def test_a_case_that_cannot_be_created_is_refused(world: World) -> None:
    wrong = {"scheme": "001", "code": "91339999MADEM0012X", "name": "演示"}
    with pytest.raises(HolderCodeError):
        world.file(world.arrival(holder=wrong))
    assert count(world, Filing) == 0


def test_an_announced_case_receives_even_what_contradicts_it(world: World) -> None:
    world.file(world.arrival())
    end(world, FilingState.RETURNED)
    other = {"scheme": "001", "code": "91339999MADEM0012X", "name": "演示"}
    try:
        received = world.file(world.arrival(holder=other))
    except CaseConflictError:  # pragma: no cover - the closure check returns it instead
        pytest.fail("a contradiction is returned with reasons, not refused")
    assert received.attempt == 2


def test_a_folder_is_read_like_an_upload(world: World) -> None:
    arrival = world.arrival()
    folder = world.folder / "case"
    folder.mkdir()
    (folder / "case.json").write_bytes(arrival.metadata)
    for material in arrival.submission.materials:
        data = arrival.files[material.part].path.read_bytes()
        (folder / material.file_name).write_bytes(data)
    assert read_folder(folder).set_sha256 == arrival.set_sha256
    layout = folder / f"{NAMED}-layout.pdf"
    layout.unlink()
    layout.symlink_to(folder / f"{NAMED}-decision.pdf")
    with pytest.raises(FilingIncompleteError):
        read_folder(folder)
    (folder / "case.json").unlink()
    with pytest.raises(SubmissionError):
        read_folder(folder)


def test_eight_senders_of_one_set_get_one_receipt(world: World) -> None:
    arrival = world.arrival()
    receipts: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: receipts.append(world.file(arrival).receipt)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 8
    assert len(set(receipts)) == 1
    assert count(world, FilingReceipt) == 1
