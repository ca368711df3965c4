# SPDX-License-Identifier: Apache-2.0
"""Who looks up the own file, a relative or a colleague is named, to be explained; a stranger's is not."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kin import CHILD, COLLEAGUE, FIRM, OFFICIAL, SPOUSE, STRANGER, Someone, bear, marry, represent
from license_library import CLERK, CLIENT, FOOD, Library, on_case
from sqlalchemy import select

from archive.unusual import CLOSE, Pattern, Unusual
from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.models import LicenseUsage
from licenses.questions import ProofQuestion
from licenses.related import RelatedHolders
from licenses.relations import Relations
from portal.accounts.changes import RightChanges
from portal.accounts.documents import coverage
from portal.accounts.models import Account, AccountDocument
from portal.accounts.rights import NewAccount, add_account, end_account
from portal.patterns.explaining import explain as explain_it
from portal.patterns.explaining import explanations
from portal.patterns.models import UnusualQuery
from portal.patterns.services import PatternWatch, count_by_pattern, found_patterns
from storage.identity import AccessBasis, Basis, Identity, Role, system_identity
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

from .conftest import House
from .test_operation import figures
from .test_patterns import explain

TEST = system_identity("test")
ASKS = Identity("person", "asks", "office", frozenset({Role.SYSTEM_ADMIN}))
DECIDES = Identity("person", "decides", "office", frozenset({Role.SECURITY_ADMIN}))
AUDITS = Identity("person", "audits", "office", frozenset({Role.AUDIT_ADMIN}))


class Office:
    """A library, officials with accounts, and the watch that looks at what they looked up."""

    def __init__(self, folder: Path) -> None:
        self.library = Library(folder)
        self.database, self.clock = self.library.database, self.library.clock
        related = RelatedHolders(
            Relations(self.library.holdings, self.library.holders), self.library.holdings
        )
        self.watch = PatternWatch(self.database, self.clock, WorkingCalendar.load(), related)
        self.cases: dict[str, Case] = {}

    def official(self, document: Someone | None = None, organisation: str = "scjg") -> Identity:
        """Add somebody with an account, and their document by two persons."""
        new = NewAccount(name="演示同事", organisation=organisation, roles=frozenset({Role.CLERK}))
        account = self.database.write(lambda uow: add_account(uow, TEST, new).id)
        who = replace(CLERK, id=account, organisation=organisation)
        if document is not None:
            self.register(who, document)
        return who

    def register(self, who: Identity, document: Someone) -> None:
        rights, stated = RightChanges(), document[:2]
        change = self.database.write(
            lambda uow: rights.state_document(uow, ASKS, who.id, *stated, "入职登记").id
        )
        self.database.write(lambda uow: rights.approve(uow, DECIDES, change, "与人事档案相符"))

    def remove(self, who: Identity) -> None:
        rights = RightChanges()
        change = self.database.write(lambda uow: rights.end_document(uow, ASKS, who.id, "调离").id)
        self.database.write(lambda uow: rights.approve(uow, DECIDES, change, "同意"))

    def look_up(self, who: Identity, holder: Someone) -> str:
        """Let somebody find a holder's licences for an open case of theirs; give the act."""
        if holder[1] not in self.cases:
            self.cases[holder[1]] = self.library.announce(FOOD, holder)
        case = self.cases[holder[1]]
        with self.database.writing() as uow:
            self.library.reader.find_for_holder(uow, on_case(who, case))
        self.clock.advance(60)
        with self.database.reading() as uow:
            read = select(LedgerAct.act_id).where(LedgerAct.kind == ActKind.LICENSE_READ)
            return uow.session.scalars(read.order_by(LedgerAct.recorded_at.desc())).first() or ""

    def found(self) -> dict[Pattern, Unusual]:
        self.clock.advance(120)
        assert self.watch.look()
        with self.database.reading() as uow:
            found = found_patterns(uow.session, AUDITS)
        return {one.pattern: one for one in found if one.pattern in CLOSE}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()


def test_the_own_file_is_named_with_its_act_and_case(office: Office) -> None:
    who = office.official(OFFICIAL)
    office.look_up(who, STRANGER)
    act = office.look_up(who, OFFICIAL)
    found = office.found()
    assert set(found) == {Pattern.OWN_FILE}
    own = found[Pattern.OWN_FILE]
    assert (own.actor, own.operator, own.count, own.total) == (who.id, None, 1, 2)
    assert (own.act, own.cases) == (act, (office.cases[OFFICIAL[1]].id,))


def test_a_relative_is_named_with_the_kind_of_relation_and_a_stranger_is_not(office: Office) -> None:
    who = office.official(OFFICIAL)
    marry(office.library, OFFICIAL, SPOUSE)
    bear(office.library, CHILD, OFFICIAL)
    for holder in (STRANGER, SPOUSE, CHILD):
        office.look_up(who, holder)
    found = office.found()
    assert set(found) == {Pattern.RELATIVE}
    assert (found[Pattern.RELATIVE].count, found[Pattern.RELATIVE].total) == (2, 3)
    assert found[Pattern.RELATIVE].relations == ("of:parent", "spouse")


def test_a_question_counts_once_however_many_requirements_it_names(office: Office) -> None:
    who = office.official(OFFICIAL)
    marry(office.library, OFFICIAL, SPOUSE)
    case = office.library.announce(FOOD, SPOUSE)
    question = ProofQuestion(case.source, case.number, case.item_code, "accept")
    with office.database.writing() as uow:
        answers = office.library.proofs.ask(uow, who, question).body["requirements"]
    assert isinstance(answers, list)
    assert len(answers) > 1
    found = office.found()[Pattern.RELATIVE]
    assert (found.count, found.total) == (1, 1)


def test_a_firm_that_the_official_represents_is_a_related_party(office: Office) -> None:
    who = office.official(OFFICIAL)
    represent(office.library, FIRM, OFFICIAL)
    office.look_up(who, FIRM)
    assert office.found()[Pattern.RELATIVE].relations == ("of:legal-representative",)


def test_a_colleague_is_an_official_of_the_same_organisation(office: Office) -> None:
    who = office.official()
    office.official(COLLEAGUE)
    office.official(STRANGER, organisation="jtys")
    office.look_up(who, STRANGER)
    assert office.found() == {}
    office.look_up(who, COLLEAGUE)
    found = office.found()
    assert set(found) == {Pattern.COLLEAGUE}
    assert (found[Pattern.COLLEAGUE].actor, found[Pattern.COLLEAGUE].count) == (who.id, 1)


def test_a_further_post_makes_a_colleague_too(office: Office) -> None:
    who, other = office.official(), office.official(COLLEAGUE, organisation="jtys")
    with office.database.writing() as uow:
        uow.session.get_one(Account, other.id).posts = {"scjg": ["inspector"]}
    office.look_up(who, COLLEAGUE)
    assert set(office.found()) == {Pattern.COLLEAGUE}


def test_a_spouse_in_the_same_office_is_both(office: Office) -> None:
    who = office.official(OFFICIAL)
    office.official(SPOUSE)
    marry(office.library, OFFICIAL, SPOUSE)
    office.look_up(who, SPOUSE)
    found = office.found()
    assert set(found) == {Pattern.RELATIVE, Pattern.COLLEAGUE}
    assert found[Pattern.COLLEAGUE].relations == ()


def test_the_operator_whom_a_system_names_is_who_looks(office: Office) -> None:
    who = office.official(OFFICIAL)
    client = replace(CLIENT, operator=who.id)
    act = office.look_up(client, OFFICIAL)
    own = office.found()[Pattern.OWN_FILE]
    assert (own.actor, own.operator, own.act) == (client.id, who.id, act)


def test_another_account_of_the_same_person_is_no_colleague(office: Office) -> None:
    first, second = office.official(OFFICIAL), office.official(OFFICIAL)
    office.look_up(first, OFFICIAL)
    assert set(office.found()) == {Pattern.OWN_FILE}
    office.look_up(second, OFFICIAL)
    with office.database.reading() as uow:
        assert coverage(uow).without == 0


def test_who_looks_as_a_holder_looks_at_the_own_rightly(office: Office) -> None:
    office.look_up(office.official(OFFICIAL), OFFICIAL)
    with office.database.writing() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage))
        use.basis, use.operator = str(Basis.HOLDER), None
    assert office.found() == {}


@pytest.mark.parametrize("gone", ["document", "account", "never"])
def test_without_a_document_nothing_is_found_and_that_is_counted(office: Office, gone: str) -> None:
    who = office.official(OFFICIAL if gone != "never" else None)
    marry(office.library, OFFICIAL, SPOUSE)
    other = office.official()
    for holder in (OFFICIAL, SPOUSE):
        office.look_up(who, holder)
    office.look_up(other, OFFICIAL)
    if gone == "document":
        office.remove(who)
    if gone == "account":
        with office.database.writing() as uow:
            end_account(uow, TEST, uow.session.get_one(Account, who.id))
    assert office.found() == {}
    with office.database.reading() as uow:
        counted = coverage(uow)
        kept = uow.session.get(AccountDocument, who.id)
    assert (counted.officials, counted.without) == ((1, 1) if gone == "account" else (2, 2))
    assert kept is None or (kept.scheme, kept.code_hash) == (None, None)


def test_an_erased_holder_is_found_no_more(office: Office) -> None:
    who = office.official(OFFICIAL)
    office.official(COLLEAGUE)
    marry(office.library, OFFICIAL, SPOUSE)
    for holder in (OFFICIAL, SPOUSE, COLLEAGUE):
        office.look_up(who, holder)
    assert set(office.found()) == set(CLOSE)
    with office.database.writing() as uow:
        for holder in (SPOUSE, COLLEAGUE):
            row = office.library.holders.find(uow, *holder[:2])
            assert row is not None
            uow.secrets.destroy(row.id)
    assert set(office.found()) == {Pattern.OWN_FILE}


def test_an_older_week_is_forgotten(office: Office) -> None:
    office.look_up(office.official(OFFICIAL), OFFICIAL)
    assert office.found()
    office.clock.advance(dt.timedelta(days=7).total_seconds())
    assert office.found() == {}


def test_a_refused_look_up_counts_and_one_of_a_stranger_does_not(office: Office) -> None:
    who = office.official(OFFICIAL)
    office.look_up(who, OFFICIAL)
    with office.database.writing() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage))
        use.result = "REFUSED"
    assert set(office.found()) == {Pattern.OWN_FILE}


def test_the_page_names_the_kind_of_relation_and_nothing_else_until_it_is_explained(house: House) -> None:
    """And the table of figures and the figures for machines count what nobody explained."""
    at = house.clock.now()
    with house.rooms.database.writing() as uow:
        told = {"organisation": "scjg", "total": 9, "first_at": at, "last_at": at, "cases": []}
        found = UnusualQuery(place=0, pattern="relative", actor="clerk-1", count=2, **told)
        found.relations = ["of:parent", "spouse", "unheard-of"]
        uow.session.add(found)
    browser = house.browser(Role.SUPERVISOR)
    page = browser.get("/supervision/patterns").text
    assert "查询亲属或关系人" in page
    assert "<small>父母（即行为人）、配偶、unheard-of · 待说明</small>" in page
    told_to_machines = figures(house)
    relative = {"pattern": "relative"}
    assert told_to_machines.get_sample_value("cunzheng_unusual_queries", relative) == 1
    assert told_to_machines.get_sample_value("cunzheng_unusual_queries", {"pattern": "own-file"}) == 0
    assert told_to_machines.get_sample_value("cunzheng_officials_without_document") == 2
    said = {"pattern": "relative", "actor": "clerk-1", "operator": "", "reason": "窗口只有一人当班"}
    assert explain(browser, **said).status_code == 303
    page = browser.get("/supervision/patterns").text
    assert "<small>父母（即行为人）、配偶、unheard-of</small>" in page
    assert "窗口只有一人当班" in page
    counted = list(csv.reader(io.StringIO(browser.get("/supervision/effect/patterns.csv").text)))
    assert ["查询亲属或关系人", "1", "1"] in counted
    assert told_to_machines.get_sample_value("cunzheng_unusual_queries", relative) == 0
    assert (
        "<small>Parent (the official), Spouse, unheard-of</small>"
        in browser.get("/supervision/patterns?lang=en").text
    )


def open_dossier(office: Office, who: Identity, holder: Someone, kind: ActKind) -> str:
    """Record that somebody opened a dossier, as :mod:`archive.queries` does; give the act."""
    if holder[1] not in office.cases:
        office.cases[holder[1]] = office.library.announce(FOOD, holder)
    case = office.cases[holder[1]]
    with office.database.writing() as uow:
        act = Act(
            kind=kind,
            actor=replace(who, basis=AccessBasis(Basis.FILING)),
            object_type="dossier",
            object_id="d1",
            case=case.id,
            subject=case.holder_id,
        )
        promise = uow.record(act)
    office.clock.advance(60)
    return promise.core_sha256


@pytest.mark.parametrize("kind", [ActKind.DOSSIER_READ, ActKind.DOSSIER_PAGES_READ])
def test_opening_a_dossier_is_a_look_up(office: Office, kind: ActKind) -> None:
    who, other = office.official(OFFICIAL), office.official(COLLEAGUE)
    marry(office.library, OFFICIAL, SPOUSE)
    acts = {one: open_dossier(office, who, one, kind) for one in (STRANGER, OFFICIAL, SPOUSE, COLLEAGUE)}
    open_dossier(office, other, STRANGER, kind)
    open_dossier(office, system_identity("index"), OFFICIAL, kind)
    found = office.found()
    expected = {Pattern.OWN_FILE: OFFICIAL, Pattern.RELATIVE: SPOUSE, Pattern.COLLEAGUE: COLLEAGUE}
    assert {pattern: one.act for pattern, one in found.items()} == {
        pattern: acts[holder] for pattern, holder in expected.items()
    }
    for pattern, holder in expected.items():
        one = found[pattern]
        assert (one.actor, one.count, one.total) == (who.id, 1, 4)
        assert one.cases == (office.cases[holder[1]].id,)


def test_dossiers_and_licences_of_the_same_one_are_counted_together(office: Office) -> None:
    who = office.official(OFFICIAL)
    last = open_dossier(office, who, OFFICIAL, ActKind.DOSSIER_READ)
    assert office.found()[Pattern.OWN_FILE].act == last
    last = office.look_up(who, OFFICIAL)
    own = office.found()[Pattern.OWN_FILE]
    assert (own.count, own.act) == (2, last)


def test_a_relation_that_is_proven_later_stands_unexplained(office: Office) -> None:
    """Of look-ups that were there before: what was explained was not all that is known now."""
    who = office.official(OFFICIAL)
    marry(office.library, OFFICIAL, SPOUSE)
    office.look_up(who, CHILD)
    office.look_up(who, SPOUSE)
    first = office.found()[Pattern.RELATIVE]
    watcher = replace(AUDITS, id="watcher", roles=frozenset({Role.SUPERVISOR}), organisation="scjg")
    with office.database.writing() as uow:
        explain_it(uow, watcher, "relative", who.id, None, "窗口只有一人当班")
    assert office.found()
    assert unexplained(office) == []
    bear(office.library, CHILD, OFFICIAL)
    second = office.found()[Pattern.RELATIVE]
    assert (first.count, second.count) == (1, 2)
    assert first.last_at == second.last_at
    assert unexplained(office) == ["relative"]
    with office.database.writing() as uow:
        explain_it(uow, watcher, "relative", who.id, None, "本人子女，已回避")
    assert unexplained(office) == []


def unexplained(office: Office) -> list[str]:
    """Give the close patterns that nobody explained; the page and the figures agree."""
    with office.database.reading() as uow:
        found = [one for one in found_patterns(uow.session, AUDITS) if one.pattern in CLOSE]
        said = explanations(uow, found)
        counted = count_by_pattern(uow.session)
    left = [str(one.pattern) for one in found if (one.pattern, one.actor, one.operator) not in said]
    assert left == [str(one) for one in CLOSE if counted[one]]
    return left


PEOPLE = (OFFICIAL, SPOUSE, COLLEAGUE, STRANGER)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(st.tuples(st.sampled_from(range(4)), st.sampled_from(range(4))), max_size=8))
def test_whoever_looks_up_whom_exactly_the_close_ones_are_named(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int]]
) -> None:
    office = Office(tmp_path_factory.mktemp("office"))
    organisations = ("scjg", "jtys", "scjg", "wjw")
    who = [office.official(one, at) for one, at in zip(PEOPLE, organisations, strict=True)]
    marry(office.library, OFFICIAL, SPOUSE)
    expected: dict[tuple[str, Pattern], int] = {}
    for looks, looked in drawn:
        basis = AccessBasis(Basis.CASE)
        with office.database.writing() as uow:
            holder = office.library.holders.find_or_add(uow, *PEOPLE[looked])
            use = {"action": "read", "basis": str(basis.kind), "asked": "", "result": "READ"}
            use |= {"actor_id": who[looks].id, "operator": who[looks].id, "holder_id": holder.id}
            use |= {"organisation": organisations[looks], "id": uow.ids.new_id(), "at": uow.clock.now()}
            uow.session.add(LicenseUsage(**use))
        way = Pattern.OWN_FILE if looks == looked else None
        way = Pattern.RELATIVE if {looks, looked} == {0, 1} else way
        way = Pattern.COLLEAGUE if {looks, looked} == {0, 2} else way
        if way is not None:
            expected[who[looks].id, way] = expected.get((who[looks].id, way), 0) + 1
    office.clock.advance(120)
    assert office.watch.look()
    with office.database.reading() as uow:
        found = found_patterns(uow.session, AUDITS)
    assert {(one.actor, one.pattern): one.count for one in found if one.pattern in CLOSE} == expected
    office.database.close()
