# SPDX-License-Identifier: Apache-2.0
"""Delay and mask: what a holder sees of uses and from when on, and that nothing stays hidden."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from license_library import BUSINESS, CLERK, CLIENT, COMPANY, FOOD, OTHER, Library, on_case
from sqlalchemy import delete, select

from archive import tracing
from cases.calendar import WorkingCalendar
from cases.items import ItemCatalogue
from cases.organisations import organisations
from licenses.codes.services import CodeService, CodeWish, Mode
from licenses.errors import CatalogueError, ObjectionSubjectError
from licenses.looks import concerns, for_somebody_else, uses_of
from licenses.models import License, LicenseUsage
from licenses.objections import About, ObjectionService
from licenses.own import OwnRecords, OwnRecordsService
from licenses.purposes import purposes
from licenses.questions import ProofQuestion
from licenses.rules import RuleBook
from licenses.visibility import LONGEST_DELAY, Part, Visibility, visibility
from storage.identity import AccessBasis, Basis, Identity, Role

CALENDAR = WorkingCalendar.load()
DAY = dt.timedelta(days=1)
ITEM, OTHER_ITEM = "339999010002", "339999010001"
SECRET: dict[str, Any] = {
    "code": "inquiry",
    "zh": "依法延后告知",
    "en": "Told later by law",
    "item": [ITEM],
    "delay_days": 30,
    "legal_basis": "某法第一条",
    "effective": ["2026-01-01", None],
}


def rules(*stated: dict[str, Any]) -> Visibility:
    return Visibility.read(json.dumps({"version": "1", "rules": stated}).encode())


class Eyes:
    """What a holder sees under some rules."""

    def __init__(self, library: Library, made: Visibility, of: tuple[str, str, str] = COMPANY) -> None:
        self.library = library
        objections = ObjectionService(CALENDAR, rules=made)
        self.objections = objections
        self.service = OwnRecordsService(
            library.reader, library.proofs, library.holdings, library.holders, objections, made
        )
        with library.database.writing() as uow:
            found = library.holders.find_or_add(uow, *of)
        basis = AccessBasis(Basis.HOLDER)
        self.who = Identity("holder", found.id, "", frozenset({Role.HOLDER}), basis, session="session-1")

    def look(self) -> OwnRecords:
        with self.library.database.writing() as uow:
            return self.service.look(uow, self.who)

    def object_to(self, use_id: str) -> None:
        with self.library.database.writing() as uow:
            self.service.subject(uow, self.who, About.USE, use_id)
            self.objections.open(uow, self.who, About.USE, use_id, "我不认可")


def ask(library: Library, holder: tuple[str, str, str] = COMPANY) -> list[LicenseUsage]:
    case = library.announce(FOOD, holder)
    with library.database.writing() as uow:
        answered = library.proofs.ask(uow, CLIENT, ProofQuestion(case.source, case.number, ITEM, "accept"))
    with library.database.reading() as uow:
        of = LicenseUsage.decision_id == answered.decision.id
        return list(uow.session.scalars(select(LicenseUsage).where(of)))


def lend(
    library: Library, lent: License, to: tuple[str, str, str], *, looked_at: bool = False
) -> LicenseUsage:
    """Record that the licence of one served the case of another; a look is kept at who holds it."""
    case = library.announce(FOOD, to)
    with library.database.writing() as uow:
        use = LicenseUsage(
            id=uow.ids.new_id(),
            at=uow.clock.now(),
            action="ask",
            holder_id=lent.holder_id if looked_at else case.holder_id,
            license_id=lent.id,
            case_id=case.id,
            item_code=ITEM,
            purpose="accept",
            basis="case",
            actor_id=CLERK.id,
            operator=CLERK.id,
            organisation="scjg",
            asked="R1 scope contains",
            result="MET",
            reason="R.ESTABLISHED",
        )
        uow.session.add(use)
    return use


@pytest.mark.parametrize(
    "change",
    [
        {"legal_basis": ""},
        {"legal_basis": "    "},
        {"legal_basis": None},
        {"delay_days": LONGEST_DELAY + 1},
        {"delay_days": 0},
        {"delay_days": None},
        {"item": []},
        {"mask": ["item", "item"]},
        {"mask": ["time"]},
        {"effective": ["2026-02-01", "2026-01-31"]},
        {"forever": True},
    ],
    ids=lambda change: f"{next(iter(change))}={next(iter(change.values()))!r:.12}",
)
def test_a_rule_that_no_law_would_allow_is_not_read(change: dict[str, Any]) -> None:
    rules(SECRET)
    with pytest.raises(CatalogueError):
        rules(SECRET | change)


def test_a_code_stands_once() -> None:
    with pytest.raises(CatalogueError):
        rules(SECRET, SECRET)


def test_what_is_shipped_names_what_there_is_and_delays_nothing() -> None:
    known = {item.code for item in ItemCatalogue.load().current()}
    shipped = visibility()
    assert list(shipped.lint(known, purposes(), lambda code: organisations().get(code) is not None)) == []
    assert [rule.delay_days for rule in shipped.rules] == [None]
    wrong = rules(SECRET | {"item": ["nothing"], "purpose": ["none"], "organisation": ["nobody"]})
    unknown = wrong.lint(known, purposes(), lambda code: organisations().get(code) is not None)
    assert list(unknown) == ["nothing", "none", "nobody"]


def test_a_delayed_use_appears_by_itself_at_its_instant(library: Library) -> None:
    library.issue(BUSINESS)
    eyes = Eyes(library, rules(SECRET))
    delayed = ask(library)
    assert eyes.look().uses == []
    library.clock.advance((30 * DAY).total_seconds() - 1)
    assert eyes.look().uses == []
    library.clock.advance(1)
    assert {use.row.id for use in eyes.look().uses} == {use.id for use in delayed}


def test_supervision_sees_a_delayed_use_at_once(library: Library) -> None:
    library.issue(BUSINESS)
    eyes = Eyes(library, rules(SECRET))
    delayed = ask(library)
    assert eyes.look().uses == []
    with library.database.reading() as uow:
        traced = tracing.uses_of(uow, str(delayed[0].case_id))
    assert {one.row.id for one in traced} == {use.id for use in delayed}


def test_nobody_objects_to_what_is_not_shown_yet(library: Library) -> None:
    library.issue(BUSINESS)
    eyes = Eyes(library, rules(SECRET))
    (use, *_) = ask(library)
    with pytest.raises(ObjectionSubjectError):
        eyes.object_to(use.id)
    library.clock.advance((30 * DAY).total_seconds())
    eyes.object_to(use.id)
    (said,) = eyes.look().objections
    assert said.use is not None


def test_a_rule_concerns_uses_of_its_days_only(library: Library) -> None:
    eyes = Eyes(library, rules(SECRET | {"effective": ["2026-01-01", "2026-11-23"]}))
    ask(library)
    assert eyes.look().uses != [], "the clock of the tests stands on the day after"


def test_of_two_rules_the_longer_delay_counts_and_both_masks(library: Library) -> None:
    hidden = {
        "code": "other",
        "organisation": ["scjg"],
        "item": [],
        "delay_days": 60,
        "mask": ["organisation"],
    }
    eyes = Eyes(library, rules(SECRET | {"mask": ["item"]}, SECRET | hidden))
    ask(library)
    library.clock.advance((59 * DAY).total_seconds())
    assert eyes.look().uses == []
    library.clock.advance(DAY.total_seconds())
    for use in eyes.look().uses:
        assert use.masked == {Part.ITEM, Part.ORGANISATION}
        assert (use.case, use.requirement) == (None, None)
        row = use.row
        assert (row.organisation, row.operator, row.item_code, row.case_id, row.asked) == (
            "",
            None,
            None,
            None,
            "",
        )


def test_a_relative_sees_the_use_without_the_matter_and_the_applicant_sees_it_whole(library: Library) -> None:
    lent = library.issue(BUSINESS)
    lend(library, lent, OTHER)
    (mine,) = Eyes(library, visibility()).look().uses
    assert mine.masked == {Part.ITEM, Part.PURPOSE}
    assert (mine.case, mine.row.item_code, mine.row.purpose, mine.row.decision_id) == (None,) * 4
    assert (mine.row.organisation, mine.row.result) == ("scjg", "MET")
    assert mine.kind is not None
    (theirs,) = Eyes(library, visibility(), OTHER).look().uses
    assert (theirs.masked, theirs.own_case) == (frozenset(), True)
    assert theirs.row.item_code == ITEM


def test_a_look_at_a_relatives_licence_tells_no_more_of_the_matter(library: Library) -> None:
    lent = library.issue(BUSINESS)
    lend(library, lent, OTHER, looked_at=True)
    (mine,) = Eyes(library, visibility()).look().uses
    assert mine.masked == {Part.ITEM, Part.PURPOSE}
    assert (mine.case, mine.row.item_code, mine.row.purpose) == (None,) * 3
    assert Eyes(library, rules(SECRET | {"item": [], "relative": True})).look().uses == []


def test_a_rule_for_relatives_does_not_touch_the_own_list(library: Library) -> None:
    lent = library.issue(BUSINESS)
    made = rules(SECRET | {"item": [], "relative": True})
    lend(library, lent, OTHER)
    assert Eyes(library, made).look().uses == []
    assert len(Eyes(library, made, OTHER).look().uses) == 1


CODES = st.sampled_from([ITEM, OTHER_ITEM])
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "item": st.lists(CODES, max_size=1),
            "purpose": st.lists(st.sampled_from(["accept", "decide"]), max_size=1),
            "organisation": st.lists(st.sampled_from(["scjg", "jtys"]), max_size=1),
            "relative": st.booleans(),
            "delay_days": st.integers(1, LONGEST_DELAY),
            "effective": st.sampled_from(
                [["2026-01-01", None], ["2026-11-20", None], ["2026-01-01", "2026-11-22"]]
            ),
        }
    ).filter(lambda one: one["item"] or one["purpose"] or one["organisation"] or one["relative"]),
    max_size=3,
).map(lambda many: rules(*(SECRET | one | {"code": f"rule-{place}"} for place, one in enumerate(many))))
USES = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.none() | CODES,
        st.sampled_from(["accept", None]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=40)
@given(RULES, USES)
def test_what_is_shown_and_what_is_delayed_is_everything_and_after_a_year_all_is_shown(
    library: Library, made: Visibility, drawn: list[tuple[int, str | None, str | None, bool, bool]]
) -> None:
    with library.database.writing() as uow:
        uow.session.execute(delete(LicenseUsage))
        me = library.holders.find_or_add(uow, *COMPANY).id
        lent = uow.session.scalars(select(License).where(License.holder_id == me)).first()
    license_id = lent.id if lent is not None else library.issue(BUSINESS).id
    now = library.clock.now()
    with library.database.writing() as uow:
        every = [
            LicenseUsage(
                id=f"{place:026d}",
                at=now - DAY * days,
                action="read",
                holder_id="somebody else" if for_other else me,
                license_id=license_id if for_other else None,
                item_code=item,
                purpose=purpose,
                basis="case",
                actor_id="clerk-1",
                organisation="scjg" if ours else "jtys",
                asked="",
                result="READ",
            )
            for place, (days, item, purpose, for_other, ours) in enumerate(drawn)
        ]
        uow.session.add_all(every)
        uow.session.flush()
        shown = set(uow.session.scalars(select(LicenseUsage.id).where(uses_of(uow, me, made))))
        relative = {use.id: for_somebody_else(uow, me, use) for use in every}
        due = {use.id: made.appears(use, relative=relative[use.id]) for use in every}
        assert shown == {use_id for use_id, at in due.items() if at <= now}
        assert all(concerns(uow, me, use, made) is (use.id in shown) for use in every)
        assert all(due[use.id] <= use.at + DAY * LONGEST_DELAY for use in every)
        assert not any(concerns(uow, "a stranger", use, made) for use in every)


def codes_shown(library: Library, made: Visibility, licence: License) -> list[str | None]:
    """Give the purposes of the codes that the holder of a licence sees."""
    service = CodeService(library.reader, library.holdings, RuleBook.load(), made)
    who = Identity("holder", licence.holder_id, "", frozenset({Role.HOLDER}), AccessBasis(Basis.HOLDER))
    with library.database.reading() as uow:
        return [one.purpose for one in service.own(uow, who)]


def test_a_code_that_somebody_else_made_is_delayed_and_masked_like_any_use(library: Library) -> None:
    licence = library.issue(BUSINESS)
    case = library.announce(FOOD)
    service = CodeService(library.reader, library.holdings, RuleBook.load())
    holder = Identity("holder", licence.holder_id, "", frozenset({Role.HOLDER}), AccessBasis(Basis.HOLDER))
    with library.database.writing() as uow:
        service.make(uow, on_case(CLERK, case), CodeWish(licence.identifier, Mode.FUNCTION))
        library.clock.advance(1)
        service.make(uow, holder, CodeWish(licence.identifier, Mode.OWN, "hand-in"))
    of_all = SECRET | {"item": [], "organisation": ["scjg"]}
    delayed = rules(of_all)
    masked = rules(
        {name: value for name, value in of_all.items() if name != "delay_days"} | {"mask": ["purpose"]}
    )
    assert codes_shown(library, visibility(), licence) == ["hand-in", "accept"]
    assert codes_shown(library, masked, licence) == ["hand-in", None]
    assert codes_shown(library, delayed, licence) == ["hand-in"]
