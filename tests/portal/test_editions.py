# SPDX-License-Identifier: Apache-2.0
"""Editions of items and number templates: one proposes, another decides, and it takes effect at once."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from editions import new_edition, new_numbering
from sqlalchemy import select, update

from archive.numbering import NumberTemplates
from cases.errors import ItemUnknownError
from portal.accounts.errors import SecondPersonError
from portal.editions.approved import ApprovedEditions
from portal.editions.errors import EditionClosedError, EditionFaultyError, EditionUnknownError
from portal.editions.models import CatalogueEdition
from portal.editions.services import EditionView
from storage.errors import CunzhengError, InvalidInputError, NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.canonical import canonical
from storage.ledger.models import LedgerAct

from .conftest import House, make_house, run

FOOD = "339999010002"
SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
AUDIT = Identity("person", "audit-1", "office", frozenset({Role.AUDIT_ADMIN}))


@pytest.fixture
def other(house: House, tmp_path: Path) -> Iterator[House]:
    """A second process of the same installation."""
    made = make_house(tmp_path, clock=house.clock)
    yield made
    made.rooms.database.close()


def propose(house: House, data: bytes, who: Identity = SYSTEM) -> str:
    return house.rooms.database.write(lambda uow: house.rooms.editions.propose(uow, who, data, "新版指南").id)


def decide(house: House, decision: str, edition: str, who: Identity = SECURITY) -> None:
    carry = getattr(house.rooms.editions, decision)
    house.rooms.database.write(lambda uow: carry(uow, who, edition, "已核对"))


def seen(house: House, edition: str, who: Identity = AUDIT) -> EditionView:
    with house.rooms.database.reading() as uow:
        return house.rooms.editions.get(uow, who, edition)


def test_an_edition_takes_effect_when_a_second_person_approves(house: House) -> None:
    edition = propose(house, new_edition(filing_days=7))
    with pytest.raises(ItemUnknownError):
        house.rooms.items.get(FOOD, "2027-01")
    decide(house, "approve", edition)
    assert house.rooms.items.get(FOOD, "2027-01").filing_days == 7
    assert house.rooms.items.get(FOOD, "2026-03").filing_days == 5
    assert house.acts()[-2:] == ["edition.proposed", "edition.approved"]


def test_a_process_that_never_saw_the_edition_takes_it_when_it_is_asked_for(
    house: House, other: House
) -> None:
    assert len(other.rooms.items.current()) == len(other.rooms.items.items)
    decide(house, "approve", propose(house, new_edition(filing_days=7)))
    assert other.rooms.items.get(FOOD, "2027-01").filing_days == 7
    assert ("2027-01", FOOD) in {(one.edition, one.code) for one in other.rooms.items.items}


def test_the_list_of_the_process_that_approved_is_new_at_once(house: House) -> None:
    house.rooms.items.current()
    decide(house, "approve", propose(house, new_edition()))
    assert "2027-01" in {one.edition for one in house.rooms.items.current()}


def test_new_numbers_follow_the_approved_templates_and_old_ones_are_read(house: House) -> None:
    templates = NumberTemplates.load(look_up=ApprovedEditions(house.rooms.database).templates)
    old = templates.of("Z901").compose(2026, "D30", 1)
    decide(house, "approve", propose(house, new_numbering("{fonds}-SC·{year}·{retention}-{serial}")))
    assert templates.of("Z901").compose(2027, "D30", 1) == "Z901-SC·2027·D30-00001"
    assert templates.parse(old).year == 2026


def test_the_acts_hold_the_digest_of_the_canonical_form_and_no_reason_in_clear(house: House) -> None:
    data = new_edition()
    edition = propose(house, data)
    decide(house, "approve", edition)
    digest = hashlib.sha256(canonical(json.loads(data))).hexdigest()
    assert seen(house, edition).row.digest == digest
    with house.rooms.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.object_id == edition)).all()
        details = [uow.secrets.decrypt(act.detail) for act in acts]
    assert [act.kind for act in acts] == ["edition.proposed", "edition.approved"]
    assert all(digest.encode() in detail for detail in details)
    assert not house.some_core_holds("新版指南".encode())


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM_ADMIN}))
def test_nobody_but_a_system_administrator_proposes(house: House, role: Role) -> None:
    with pytest.raises(NotPermittedError):
        propose(house, new_edition(), replace(SYSTEM, roles=frozenset({role})))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SECURITY_ADMIN}))
@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_nobody_but_a_security_administrator_decides(house: House, role: Role, decision: str) -> None:
    edition = propose(house, new_edition())
    with pytest.raises(NotPermittedError):
        decide(house, decision, edition, replace(SECURITY, roles=frozenset({role})))


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_who_proposed_does_not_decide(house: House, decision: str) -> None:
    edition = propose(house, new_edition())
    with pytest.raises(SecondPersonError):
        decide(house, decision, edition, replace(SYSTEM, roles=frozenset({Role.SECURITY_ADMIN})))
    assert seen(house, edition).row.state == "open"


@pytest.mark.parametrize(
    "role", sorted(set(Role) - {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
)
def test_only_the_three_administrators_see_editions(house: House, role: Role) -> None:
    edition = propose(house, new_edition())
    other = replace(AUDIT, roles=frozenset({role}))
    with house.rooms.database.reading() as uow:
        for look in (house.rooms.editions.open, house.rooms.editions.past):
            with pytest.raises(NotPermittedError):
                look(uow, other)
    with pytest.raises(NotPermittedError):
        seen(house, edition, other)


@pytest.mark.parametrize("first", ["approve", "refuse"])
@pytest.mark.parametrize("second", ["approve", "refuse"])
def test_an_edition_is_decided_once(house: House, first: str, second: str) -> None:
    edition = propose(house, new_edition())
    decide(house, first, edition)
    with pytest.raises(EditionClosedError):
        decide(house, second, edition)
    with pytest.raises(EditionClosedError):
        decide(house, "withdraw", edition, SYSTEM)


def test_only_who_proposed_withdraws_and_nothing_takes_effect(house: House) -> None:
    edition = propose(house, new_edition())
    with pytest.raises(EditionUnknownError):
        decide(house, "withdraw", edition, replace(SYSTEM, id="system-2"))
    decide(house, "withdraw", edition, SYSTEM)
    with pytest.raises(EditionClosedError):
        decide(house, "approve", edition)
    with pytest.raises(ItemUnknownError):
        house.rooms.items.get(FOOD, "2027-01")
    assert house.acts()[-1] == "edition.withdrawn"


def test_after_seven_days_nobody_decides_any_more(house: House) -> None:
    edition = propose(house, new_edition())
    house.clock.advance(7 * 86_400)
    with pytest.raises(EditionClosedError):
        decide(house, "approve", edition)
    with house.rooms.database.reading() as uow:
        assert house.rooms.editions.open(uow, AUDIT) == []
        (past,) = house.rooms.editions.past(uow, AUDIT)
    assert (past.row.id, past.late, past.checked) == (edition, True, None)


def test_the_lint_is_asked_again_at_approval(house: House) -> None:
    # Both are sound when they are proposed; the second would alter what the first brought.
    first = propose(house, new_edition(filing_days=7))
    second = propose(house, new_edition(filing_days=8, version="2027-02"))
    decide(house, "approve", first)
    with pytest.raises(EditionFaultyError) as refused:
        decide(house, "approve", second)
    assert refused.value.facts == {"findings": "item-altered nothing-new"}
    assert seen(house, second).row.state == "open"
    assert house.rooms.items.get(FOOD, "2027-01").filing_days == 7


def test_of_two_approvals_at_once_the_second_is_linted_against_the_first(house: House) -> None:
    waiting = [
        propose(house, new_edition(filing_days=10 + place, version=f"2027-{place}")) for place in range(6)
    ]
    together, lost = threading.Barrier(len(waiting)), []

    def approve(edition: str) -> None:
        together.wait()
        try:
            decide(house, "approve", edition)
        except EditionFaultyError:
            lost.append(edition)

    threads = [threading.Thread(target=approve, args=(edition,)) for edition in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = set(waiting) - set(lost)
    assert len(lost) == len(waiting) - 1
    assert house.rooms.items.get(FOOD, "2027-01").filing_days == 10 + waiting.index(won)
    assert seen(house, won).row.number == 1


def test_what_waits_is_shown_with_findings_and_what_it_would_change(house: House) -> None:
    edition = propose(house, new_edition(edition="2025-01", filing_days=7))
    checked = seen(house, edition).checked
    assert checked is not None
    assert [(one.code, one.blocks) for one in checked.findings] == [("edition-backwards", False)]
    (change,) = checked.differences
    assert (change.name, change.against) == (f"{FOOD} 2025-01", "2026-03")
    assert [(row.place, row.before, row.after) for row in change.rows] == [("filing_days", "5", "7")]


def test_the_code_that_an_item_has_at_every_level_is_shown_and_kept(house: House) -> None:
    edition = propose(house, new_edition(basic_code="000131010002"))
    checked = seen(house, edition).checked
    assert checked is not None
    (change,) = checked.differences
    assert [(row.place, row.before, row.after) for row in change.rows] == [("basic_code", "", "000131010002")]
    decide(house, "approve", edition)
    assert house.rooms.items.get(FOOD, "2027-01").common_code == "000131010002"
    assert house.rooms.items.get(FOOD, "2026-03").common_code == FOOD


def test_a_change_of_a_number_template_is_shown_with_an_example(house: House) -> None:
    edition = propose(house, new_numbering("{fonds}-SC·{year}·{retention}-{serial}"))
    checked = seen(house, edition).checked
    assert checked is not None
    (change,) = checked.differences
    assert change.name == "Z901"
    assert {row.place: row.after for row in change.rows}["example"] == "Z901-SC·2027·D30-00001"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version": "x"}',
        b'{"version": "x", "items": [], "templates": []}',
        b'{"version": "x", "items": [], "items": []}',
        new_edition(department="nobody"),
        new_edition(edition="2026-03"),
        new_edition(zh="食品\u202e经营"),
        new_numbering("{fonds}-{year}-{serial}"),
        new_numbering("{fonds.__class__}·{year}·{retention}-{serial}"),
    ],
)
def test_what_the_lint_refuses_is_not_even_kept(house: House, data: bytes) -> None:
    with pytest.raises(EditionFaultyError):
        propose(house, data)
    with house.rooms.database.reading() as uow:
        assert uow.session.scalars(select(CatalogueEdition)).all() == []


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "x\u202e"])
def test_a_reason_is_a_short_text_that_is_seen(house: House, reason: str) -> None:
    with pytest.raises(InvalidInputError), house.rooms.database.writing() as uow:
        house.rooms.editions.propose(uow, SYSTEM, new_edition(), reason)


def test_a_body_that_is_not_what_was_approved_is_not_used(
    house: House, other: House, caplog: pytest.LogCaptureFixture
) -> None:
    edition = propose(house, new_edition())
    decide(house, "approve", edition)
    altered = json.loads(new_edition(filing_days=90))
    with house.rooms.database.writing() as uow:
        uow.session.execute(
            update(CatalogueEdition).where(CatalogueEdition.id == edition).values(body=altered)
        )
    with pytest.raises(ItemUnknownError):
        other.rooms.items.get(FOOD, "2027-01")
    assert edition in caplog.text


def test_nothing_is_decided_about_an_edition_that_is_not_there(house: House) -> None:
    for decision, who in (("approve", SECURITY), ("refuse", SECURITY), ("withdraw", SYSTEM)):
        with pytest.raises(EditionUnknownError):
            decide(house, decision, "nothing", who)
    with pytest.raises(EditionUnknownError):
        seen(house, "nothing")


def test_the_commands_check_propose_show_and_decide(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "edition.json"
    file.write_bytes(new_edition(filing_days=7))
    code, said = run("edition", "check", str(file), capsys=capsys)
    assert (code, "filing_days: 5 → 7" in said) == (0, True)
    assert run("edition", "propose", str(file), "--reason", "新版指南", capsys=capsys)[0] == 0
    code, said = run("edition", "list", "--json", capsys=capsys)
    (listed,) = json.loads(said)
    assert (listed["kind"], listed["version"], listed["state"]) == ("items", "2027-01", "open")
    code, said = run("edition", "show", listed["id"], capsys=capsys)
    assert (code, "filing_days: 5 → 7" in said, "新版指南" in said) == (0, True, True)
    code, said = run("edition", "withdraw", listed["id"], "--reason", "有误", capsys=capsys)
    assert code == 0
    assert run("edition", "propose", str(file), "--reason", "新版指南", capsys=capsys)[0] == 0
    waiting = next(
        one["id"]
        for one in json.loads(run("edition", "list", "--json", capsys=capsys)[1])
        if one["state"] == "open"
    )
    assert run("edition", "approve", waiting, "--reason", "已核对", capsys=capsys)[0] == 0
    code, said = run("edition", "refuse", waiting, "--reason", "已核对", capsys=capsys)
    assert (code, "edition-closed" in said) == (3, True)
    code, said = run("edition", "check", str(file), capsys=capsys)
    assert (code, "version-taken" in said, "nothing-new" in said) == (1, True, True)


def test_an_error_carries_the_codes_of_findings_and_no_value(house: House) -> None:
    with pytest.raises(CunzhengError) as refused:
        propose(house, new_edition(department="zzmark"))
    assert refused.value.facts == {"findings": "department-unknown"}
