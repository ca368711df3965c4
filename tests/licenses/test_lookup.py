# SPDX-License-Identifier: Apache-2.0
"""Relations are proven by licences or unknown; only proven ones are followed, and who is found sees it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from license_library import (
    BUSINESS,
    CLERK,
    CLIENT,
    COMPANY,
    FACES,
    FOOD,
    GROUNDS,
    MANAGER,
    OTHER,
    PERSON,
    Library,
    on_case,
)
from sqlalchemy import select

from cases.errors import HolderCodeError
from cases.models import Case, Holder
from licenses.catalogue import TypeCatalogue
from licenses.definition import FaceField, LicenseType
from licenses.errors import LicenseHiddenError, RelationUnknownError
from licenses.lookup import Found, LookupService, Wanted
from licenses.models import License, LicenseHolder, LicenseUsage
from licenses.relation_table import RelationBook, RelationTable, relation_table
from licenses.relations import Proof, Relations, exact_code
from storage.clock import rfc3339
from storage.errors import InvalidInputError
from storage.identity import Identity

SECOND = ("111", "339999199002020029", "李演示")
LEGAL, SPOUSE = "legal-representative", "spouse"


def with_code(kind: LicenseType) -> LicenseType:
    """Give a version of a type whose face states the legal representative's code as well."""
    stated = FaceField(
        name="legal_code", zh="证件号码", en="Code", pinyin="FRZJH", required=False, sensitive=True
    )
    return kind.model_copy(update={"version": "2026-12", "fields": (*kind.fields, stated)})


def table(**changes: Any) -> RelationTable:
    shipped = relation_table().model_dump()
    statements = [one for one in shipped["statements"] if one["type"] != BUSINESS]
    stated = {
        "type": BUSINESS,
        "relation": LEGAL,
        "name": "legal_representative",
        "code": "legal_code",
        "scheme": "111",
    }
    together = {"type": FOOD, "relation": SPOUSE, "holders": True}
    lookups = [{"item": "339999010002", "relations": [LEGAL, SPOUSE]}]
    made = shipped | {"statements": [*statements, stated, together], "lookups": lookups} | changes
    return RelationTable.model_validate(made)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    anybody = made.types.get(FOOD).model_copy(update={"version": "2026-12", "holder_kind": "both"})
    made.types.adopt([with_code(made.types.get(BUSINESS)), anybody])
    yield made
    made.database.close()


def service(library: Library, relations: RelationTable | None = None) -> LookupService:
    return LookupService(
        library.reader,
        Relations(library.holdings, library.holders, RelationBook(relations or table())),
        library.holders,
    )


def business(library: Library, code: str | None, name: str = "张演示", **changes: Any) -> License:
    face = FACES[BUSINESS] | {"legal_representative": name} | ({"legal_code": code} if code else {})
    return library.issue(BUSINESS, face=face, **changes)


def find(library: Library, case: Case, who: Identity = CLIENT, **wanted: Any) -> Found:
    with library.database.writing() as uow:
        return service(library).find(uow, on_case(who, case), Wanted(**wanted))


def uses_of(library: Library, holder: tuple[str, str, str]) -> list[LicenseUsage]:
    with library.database.reading() as uow:
        found = library.holders.find(uow, *holder[:2])
        assert found is not None
        return list(uow.session.scalars(select(LicenseUsage).where(LicenseUsage.holder_id == found.id)))


@pytest.fixture
def case(library: Library) -> Case:
    return library.announce(FOOD)


def test_what_is_not_valid_is_history_that_one_asks_for(library: Library, case: Case) -> None:
    good, ended = library.issue(FOOD), library.issue(BUSINESS)
    with library.database.writing() as uow:
        library.service.cancel(uow, MANAGER, ended.identifier, GROUNDS)
    assert [one.id for one in find(library, case).licenses] == [good.id]
    assert {one.id for one in find(library, case, history=True).licenses} == {good.id, ended.id}


def test_as_of_an_earlier_instant_tells_what_was_valid_then(library: Library, case: Case) -> None:
    before = library.clock.now()
    library.clock.advance(60)
    ended = library.issue(FOOD)
    library.clock.advance(60)
    decided = library.clock.now()
    library.clock.advance(60)
    with library.database.writing() as uow:
        library.service.revoke(uow, MANAGER, ended.identifier, GROUNDS)
    later = library.issue(BUSINESS)
    assert [one.id for one in find(library, case).licenses] == [later.id]
    found = find(library, case, at=decided).licenses
    assert [(one.id, str(one.status.code), one.as_of) for one in found] == [(ended.id, "valid", decided)]
    assert find(library, case, at=before, history=True).licenses == []
    with library.database.writing() as uow:
        who = on_case(CLIENT, case)
        read = [library.reader.read(uow, who, ended.identifier, at).status.code for at in (decided, None)]
    assert read == ["valid", "revoked"]
    assert f"at={rfc3339(decided)}" in {one.asked for one in uses_of(library, COMPANY)}


def test_as_of_what_has_not_come_is_refused_before_anything_is_looked_at(
    library: Library, case: Case
) -> None:
    licence, soon = library.issue(FOOD), library.clock.now() + dt.timedelta(seconds=1)
    with pytest.raises(InvalidInputError):
        find(library, case, at=soon)
    with library.database.writing() as uow, pytest.raises(InvalidInputError):
        library.reader.read(uow, on_case(CLIENT, case), licence.identifier, soon)
    assert uses_of(library, COMPANY) == []


def test_pages_go_on_where_the_one_before_ended(library: Library, case: Case) -> None:
    made = []
    for number in range(5):
        made.append(library.issue(FOOD, number=f"N{number}"))
        library.clock.advance(60)
    seen: list[str] = []
    after: str | None = None
    while True:
        page = find(library, case, limit=2, after=after)
        seen += [one.id for one in page.licenses]
        after = page.next_cursor
        if after is None:
            break
    assert seen == [one.id for one in reversed(made)]


def test_a_relation_with_the_exact_code_is_proven_and_followed(library: Library, case: Case) -> None:
    library.issue(FOOD, PERSON)
    source = business(library, PERSON[1])
    library.clock.advance(3 * 86400)
    found = find(library, case, relation=LEGAL)
    (relation,) = found.relations
    assert (relation.proof, relation.reason, str(relation.direction)) == (Proof.PROVEN, None, "from-holder")
    assert (relation.source.id, str(relation.status.code)) == (source.id, "valid")
    assert relation.age_days > 3
    assert found.holder is not None
    assert found.holder.name == "张*"
    assert [one.kind.code for one in found.licenses] == [FOOD]
    use = next(one for one in uses_of(library, PERSON) if one.action == "find")
    assert (use.asked, use.basis, use.case_id) == (f"relation={LEGAL}", "case", case.id)


@pytest.mark.parametrize(
    ("code", "name", "reason"),
    [
        (None, "张演示", "name-only"),
        (None, "张*", "name-masked"),
        ("339999190001010013", "张演示", "code-invalid"),
        ("3399**********0012", "张演示", "code-invalid"),
    ],
)
def test_a_name_or_half_a_code_proves_nothing(
    library: Library, case: Case, code: str | None, name: str, reason: str
) -> None:
    library.issue(FOOD, PERSON)
    business(library, code, name)
    found = find(library, case, relation=LEGAL)
    assert [(one.proof, one.reason) for one in found.relations] == [(Proof.UNKNOWN, reason)]
    assert (found.holder, list(found.licenses)) == (None, [])


def test_a_licence_that_holds_no_more_proves_nothing(library: Library, case: Case) -> None:
    library.issue(FOOD, PERSON)
    source = business(library, PERSON[1])
    with library.database.writing() as uow:
        library.service.suspend(uow, MANAGER, source.identifier, GROUNDS)
    found = find(library, case, relation=LEGAL)
    assert [one.reason for one in found.relations] == ["licence-not-valid"]
    assert not found.licenses
    with library.database.writing() as uow:
        library.service.resume(uow, MANAGER, source.identifier, GROUNDS)
    assert find(library, case, relation=LEGAL).licenses


def test_stock_of_low_trust_proves_nothing(library: Library, case: Case) -> None:
    source = business(library, PERSON[1])
    with library.database.writing() as uow:
        uow.session.get_one(License, source.id).trust = "D"
    assert [one.reason for one in find(library, case, relation=LEGAL).relations] == ["trust-too-low"]


def test_two_licences_that_contradict_each_other_prove_nothing(library: Library, case: Case) -> None:
    library.issue(FOOD, PERSON)
    library.issue(FOOD, SECOND, number="N2")
    business(library, PERSON[1])
    business(library, SECOND[1], number="M2")
    found = find(library, case, relation=LEGAL)
    assert [one.reason for one in found.relations] == ["contradicted"] * 2
    assert not found.licenses


def test_somebody_of_whom_the_library_holds_nothing_is_proven_and_has_no_licences(
    library: Library, case: Case
) -> None:
    business(library, PERSON[1])
    found = find(library, case, relation=LEGAL)
    assert [(one.proof, one.other_id) for one in found.relations] == [(Proof.PROVEN, None)]
    assert not found.licenses


def test_holders_of_one_licence_are_shown_with_shares_and_found_both_ways(library: Library) -> None:
    made = library.issue(FOOD, PERSON)
    library.issue(FOOD, SECOND, number="N2")
    with library.database.writing() as uow:
        second = library.holders.find(uow, *SECOND[:2])
        assert second is not None
        uow.session.add(LicenseHolder(license_id=made.id, position=1, holder_id=made.holder_id, share="1/3"))
        uow.session.add(LicenseHolder(license_id=made.id, position=2, holder_id=second.id, share="2/3"))
    first_case, second_case = library.announce(FOOD, PERSON), library.announce(FOOD, SECOND)
    shown = next(one for one in find(library, first_case).licenses if one.together)
    assert [(one.holder.name, one.share) for one in shown.together] == [("张*", "1/3"), ("李*", "2/3")]
    for case, other in ((first_case, "李*"), (second_case, "张*")):
        found = find(library, case, relation=SPOUSE)
        assert [(str(one.direction), one.other.name) for one in found.relations] == [("mutual", other)]
        assert found.holder is not None


def test_an_item_follows_only_the_relations_that_it_names(library: Library, case: Case) -> None:
    business(library, PERSON[1])
    with library.database.writing() as uow, pytest.raises(LicenseHiddenError) as refused:
        service(library, table(lookups=[])).find(uow, on_case(CLIENT, case), Wanted(relation=LEGAL))
    assert refused.value.act.reasons == ["relation-not-granted"]
    with pytest.raises(RelationUnknownError):
        find(library, case, relation="cousin")


def test_a_licence_over_a_relation_is_read_with_its_face_and_no_other(library: Library, case: Case) -> None:
    related, foreign = library.issue(FOOD, PERSON), library.issue(FOOD, OTHER, number="N2")
    business(library, PERSON[1])
    with library.database.writing() as uow:
        view = service(library).read(uow, on_case(CLIENT, case), related.identifier, LEGAL)
    assert view.face
    for identifier in (foreign.identifier, "1.2.3"):
        with library.database.writing() as uow, pytest.raises(LicenseHiddenError):
            service(library).read(uow, on_case(CLIENT, case), identifier, LEGAL)


def test_a_closed_case_and_a_foreign_item_open_nothing(library: Library, case: Case) -> None:
    closed = library.announce(FOOD, closed=True)
    for who, on in ((CLIENT, closed), (CLERK, closed)):
        with pytest.raises(LicenseHiddenError):
            find(library, on, who)
    with library.database.writing() as uow, pytest.raises(LicenseHiddenError):
        service(library).find(uow, on_case(CLIENT, case, item="339999010001"), Wanted())


def test_a_sole_trader_under_the_scheme_of_organisations_is_the_person() -> None:
    assert exact_code("001", " 339999190001010012 ") == ("111", "339999190001010012")
    assert exact_code("001", COMPANY[1].lower()) == ("001", COMPANY[1])
    with pytest.raises(HolderCodeError):
        exact_code("001", "339999190001010013")


def test_the_shipped_table_names_types_and_items_that_there_are() -> None:
    shipped, types = relation_table(), TypeCatalogue.load()
    for one in shipped.statements:
        kind = types.get(one.type)
        for name in filter(None, (one.name, one.code)):
            assert kind.field(name) is not None, (one.type, name)
    with_codes = [one for one in shipped.statements if one.code is not None]
    assert with_codes, "at least one type states a code and not only a name"


@pytest.mark.parametrize(
    "statement",
    [
        {"type": BUSINESS, "relation": "cousin", "name": "a"},
        {"type": BUSINESS, "relation": LEGAL},
        {"type": BUSINESS, "relation": LEGAL, "name": "a", "code": "b"},
        {"type": BUSINESS, "relation": LEGAL, "name": "a", "holders": True},
        {"type": BUSINESS, "relation": LEGAL, "name": "a", "code": "b", "scheme": "000"},
    ],
)
def test_a_statement_that_says_nothing_clear_is_not_read(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        table(statements=[statement])


def test_holders_are_rows_of_their_own(library: Library) -> None:
    business(library, PERSON[1])
    with library.database.reading() as uow:
        assert uow.session.scalars(select(Holder)).all(), "a code on a face adds no holder"
        assert library.holders.find(uow, *PERSON[:2]) is None
