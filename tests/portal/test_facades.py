# SPDX-License-Identifier: Apache-2.0
"""One suite for every dialect: the core decides, the profile only says how things are called."""

import base64
import json
from typing import Any

import pytest
from facade_world import RIGHT, Speaker, body_of, path_of
from granting import grant
from inserted import rowid
from license_library import BUSINESS, COMPANY, FOOD, GROUNDS, MANAGER, OTHER, WORKER, license_data
from sqlalchemy import func, select

from cases.models import Holder
from cases.services import Announcement
from licenses.copies.models import LicenseCopy
from licenses.events import new_event
from licenses.facades.profiles import DEMANDED, Element, Facade, Result, Service, facades
from licenses.grants.models import LicenseGrant, LicenseGrantUse
from licenses.grants.terms import Ceiling
from licenses.lifecycle import EventKind
from licenses.models import License, LicenseUsage
from storage.ledger.models import LedgerAct

from .conftest import House

DATA, BY_HOLDER, FILE, VERIFY = (
    Service.DATA_BY_IDENTIFIER,
    Service.DATA_BY_HOLDER,
    Service.FILE_BY_IDENTIFIER,
    Service.VERIFY_INFORMATION,
)
ON_CASE = (DATA, BY_HOLDER, FILE)


@pytest.fixture(params=facades(), ids=lambda facade: facade.id)
def facade(request: pytest.FixtureRequest) -> Facade:
    found: Facade = request.param
    return found


@pytest.fixture
def speaker(house: House, facade: Facade) -> Speaker:
    return Speaker(facade, house.app.test_client(), house.client_key("read"))


def announced(
    house: House,
    number: str,
    holder: tuple[str, str, str],
    *,
    closed: bool = False,
    source: str = "ycsl",
) -> Any:
    now = house.clock.now()
    announcement = Announcement(
        source, number, "339999010002", "2026-03", *holder, "scjg", now, now if closed else None
    )
    with house.rooms.database.writing() as uow:
        return house.rooms.cases.announce(uow, WORKER, announcement)[0]


def issued(house: House, holder: tuple[str, str, str] = COMPANY, number: str = "CLOSED-1") -> License:
    rooms, now = house.rooms, house.clock.now()
    case = announced(house, number, holder, closed=True)
    with rooms.database.writing() as uow:
        item = rooms.items.get(case.item_code, case.item_edition)
        owner = uow.session.get_one(Holder, case.holder_id)
        made = rooms.licenses.reserve(
            uow, WORKER, case, item, owner, license_data(FOOD, number=number.replace("-", ""))
        )
        made.issued_at, made.object_sha256, made.seal_id = now, number.encode().hex().ljust(64, "0"), "seal"
        uow.session.add(new_event(uow, WORKER, made, (), EventKind.ISSUED, GROUNDS))
    return made


@pytest.fixture
def licence(house: House) -> License:
    announced(house, "OPEN-1", COMPANY)
    return issued(house)


def reasons(house: House) -> list[str]:
    """Give why the last act was refused, as the ledger tells everybody."""
    with house.rooms.database.reading() as uow:
        core = uow.session.scalars(select(LedgerAct.core).order_by(LedgerAct.recorded_at, rowid)).all()[-1]
    return list(json.loads(core)["reasons"])


def refusals(house: House) -> list[str]:
    """Give why uses were refused, as the holder and supervision see it."""
    with house.rooms.database.reading() as uow:
        found = uow.session.scalars(select(LicenseUsage).where(LicenseUsage.result == "REFUSED"))
        return [str(use.reason) for use in found]


def test_a_licence_of_the_open_cases_holder_is_told_in_the_dialects_words(
    house: House, speaker: Speaker, licence: License
) -> None:
    code, told = speaker.result(speaker.call(DATA, identifier=licence.identifier))
    names = speaker.facade.data.spelled()
    assert code == speaker.code(Result.OK)
    assert told[names["identifier"]] == licence.identifier
    assert told[names["issuer_code"]] == licence.issuer_code
    assert told[names["pending"]] is False
    assert COMPANY[1] not in json.dumps(told[names["holder_code"]]), "codes are masked"
    assert "张演示" not in json.dumps(told, ensure_ascii=False), "sensitive values are masked"
    assert house.acts()[-1] == "license.read"
    with house.rooms.database.reading() as uow:
        use = uow.session.scalars(select(LicenseUsage)).all()[-1]
    assert (use.operator, use.item_code, use.purpose, use.basis) == ("op-1", "339999010002", "accept", "case")


def test_the_holders_licences_of_a_type_are_told(speaker: Speaker, licence: License) -> None:
    code, told = speaker.result(speaker.call(BY_HOLDER))
    number = speaker.facade.data.spelled()["number"]
    assert (code, [one[number] for one in told]) == (speaker.code(Result.OK), [licence.number])
    code, told = speaker.result(speaker.call(BY_HOLDER, number="another"))
    assert (code, told) == (speaker.code(Result.NO_MATCH), [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"organisation_name": "演示市交通运输局"}, "organisation-differs"),
        ({"item_code": "339999010001"}, "item-not-granted"),
        ({"item_code": "000000000000"}, "item-not-granted"),
        ({"item_name": "企业设立登记"}, "item-name-differs"),
        ({"case": "CLOSED-1"}, "case-closed"),
        ({"case": "nowhere"}, "case-unknown"),
        ({"case": "elsewhere/OPEN-1"}, "case-unknown"),
        ({"identifier": "1.2.3"}, None),
    ],
)
def test_the_five_elements_are_checked_and_never_believed(
    house: House, speaker: Speaker, licence: License, changes: dict[str, str], reason: str | None
) -> None:
    answer = speaker.call(DATA, **({"identifier": licence.identifier} | changes))
    assert (answer.status_code, *speaker.result(answer)) == (200, speaker.code(Result.NO_MATCH), {})
    assert house.acts()[-1] == "access.refused"
    assert reasons(house) == ([reason] if reason else [])
    if reason not in {None, "case-unknown"}:
        assert refusals(house) == [reason]


@pytest.mark.parametrize("service", [DATA, BY_HOLDER, FILE])
def test_an_item_of_the_client_that_is_not_the_cases_is_refused(
    house: House, facade: Facade, licence: License, service: Service
) -> None:
    """A client that may act for two items gets no licence for one of them on a case of the other."""
    key = house.client_key("read", items=("339999010002", "339999010001"))
    speaker = Speaker(facade, house.app.test_client(), key)
    said = {"identifier": licence.identifier, "item_code": "339999010001", "item_name": "企业设立登记"}
    assert speaker.result(speaker.call(service, **said))[0] == speaker.code(Result.NO_MATCH)
    assert (reasons(house), refusals(house)) == (["item-of-another-case"], ["item-of-another-case"])
    assert "copy.ordered" not in house.acts()


def test_a_number_that_two_sources_of_a_client_use_names_no_case(
    house: House, facade: Facade, licence: License
) -> None:
    announced(house, "OPEN-1", COMPANY, source="hall")
    speaker = Speaker(facade, house.app.test_client(), house.client_key("read", sources=("ycsl", "hall")))
    for case, result in (("OPEN-1", Result.NO_MATCH), ("hall/OPEN-1", Result.OK)):
        told = speaker.result(speaker.call(DATA, identifier=licence.identifier, case=case))
        assert told[0] == speaker.code(result), case


def test_a_case_of_a_source_that_is_not_the_clients_is_unknown(
    house: House, speaker: Speaker, licence: License
) -> None:
    announced(house, "OPEN-9", COMPANY, source="hall")
    for case in ("OPEN-9", "hall/OPEN-9"):
        told = speaker.result(speaker.call(DATA, identifier=licence.identifier, case=case))
        assert told == (speaker.code(Result.NO_MATCH), {})
        assert reasons(house) == ["case-unknown"]


def test_another_holder_than_the_cases_is_refused_and_its_holder_sees_it(
    house: House, speaker: Speaker, licence: License
) -> None:
    issued(house, OTHER, "CLOSED-2")
    code, _ = speaker.result(speaker.call(BY_HOLDER, holder_code=OTHER[1]))
    assert code == speaker.code(Result.NO_MATCH)
    assert refusals(house) == ["holder-of-another-case"]


def test_permission_comes_before_existence(house: House, speaker: Speaker, licence: License) -> None:
    """Unknown, another holder's, and another holder's cancelled licence look alike."""
    foreign, cancelled = issued(house, OTHER, "CLOSED-2"), issued(house, OTHER, "CLOSED-3")
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.cancel(uow, MANAGER, cancelled.identifier, GROUNDS)
    told = [
        speaker.result(speaker.call(DATA, identifier=one))
        for one in ("1.2.3", foreign.identifier, cancelled.identifier)
    ]
    assert told == [(speaker.code(Result.NO_MATCH), {})] * 3


@pytest.mark.parametrize(
    ("event", "result"), [("suspend", Result.RESTRICTED), ("cancel", Result.ENDED), ("revoke", Result.ENDED)]
)
def test_who_may_see_it_is_told_that_it_holds_no_more(
    house: House, speaker: Speaker, licence: License, event: str, result: Result
) -> None:
    with house.rooms.database.writing() as uow:
        getattr(house.rooms.licenses, event)(uow, MANAGER, licence.identifier, GROUNDS)
    assert speaker.result(speaker.call(DATA, identifier=licence.identifier)) == (speaker.code(result), {})
    assert speaker.result(speaker.call(BY_HOLDER)) == (speaker.code(result), [])


def test_expiry_is_judged_by_the_clock(house: House, speaker: Speaker, licence: License) -> None:
    key = house.client_key("read")
    house.clock.advance(20 * 86400)
    assert speaker.result(speaker.call(DATA, identifier=licence.identifier))[0] == speaker.code(Result.OK)
    with house.rooms.database.writing() as uow:
        row = uow.session.get_one(License, licence.id)
        row.valid_until = house.clock.now().date().replace(day=1)
    late = Speaker(speaker.facade, house.app.test_client(), key)
    assert late.result(late.call(DATA, identifier=licence.identifier))[0] == late.code(Result.EXPIRED)


def test_files_leave_as_annotated_copies_only_made_at_the_first_call(
    house: House, speaker: Speaker, licence: License
) -> None:
    answer = speaker.call(FILE, identifier=licence.identifier)
    assert speaker.result(answer) == (speaker.code(Result.BEING_MADE), {})
    assert house.acts()[-1] == "copy.ordered"
    speaker.call(FILE, identifier=licence.identifier)
    assert house.acts().count("copy.ordered") == 1, "one is being made"
    stored = house.rooms.objects.put(b"%PDF-1.7 a copy", "application/pdf")
    with house.rooms.database.writing() as uow:
        copy = uow.session.scalars(select(LicenseCopy)).one()
        copy.state, copy.made_at, copy.object_sha256 = "made", house.clock.now(), stored.sha256
    code, told = speaker.result(speaker.call(FILE, identifier=licence.identifier))
    assert code == speaker.code(Result.OK)
    assert base64.b64decode(told[speaker.facade.data.file]) == b"%PDF-1.7 a copy"
    assert stored.sha256 != licence.object_sha256, "never the original"
    assert house.acts()[-1] == "copy.handed-out"
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.suspend(uow, MANAGER, licence.identifier, GROUNDS)
    answer = speaker.call(FILE, identifier=licence.identifier)
    assert speaker.result(answer) == (speaker.code(Result.RESTRICTED), {})
    forbidden = speaker.call(FILE, identifier=licence.identifier, case="nowhere")
    assert speaker.result(forbidden)[0] == speaker.code(Result.NO_MATCH), "who has no right learns nothing"


@pytest.mark.parametrize("service", ON_CASE)
def test_each_demanded_element_is_demanded(speaker: Speaker, licence: License, service: Service) -> None:
    for element in DEMANDED[service]:
        answer = speaker.call(service, **({"identifier": licence.identifier} | {str(element): None}))
        assert speaker.result(answer)[0] == speaker.code(Result.EMPTY), element
        blank = speaker.call(service, **({"identifier": licence.identifier} | {str(element): ""}))
        assert speaker.result(blank)[0] == speaker.code(Result.EMPTY), element


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"purpose": "curiosity"}, Result.VALUE_WRONG),
        ({"purpose": "a" * 201}, Result.VALUE_WRONG),
        ({"holder_scheme": "777"}, Result.HOLDER_SCHEME_WRONG),
        ({"holder_code": "91339999MADEM0012X"}, Result.VALUE_WRONG),
        ({"type_code": "000000000000000000000"}, Result.TYPE_MISSING),
        ({"item_code": 1}, Result.VALUE_WRONG),
        ({"case": ["OPEN-1"]}, Result.VALUE_WRONG),
    ],
)
def test_what_is_wrong_in_itself_is_said_to_be_wrong(
    house: House, speaker: Speaker, licence: License, changes: dict[str, Any], result: Result
) -> None:
    before = house.acts()
    assert speaker.result(speaker.call(BY_HOLDER, **changes))[0] == speaker.code(result)
    assert house.acts() == before


def test_purposes_are_the_published_ones_in_the_dialects_words(speaker: Speaker, licence: License) -> None:
    said = ["收件受理", "examine", "审查核验：核对经营场所", *speaker.facade.purposes]
    for words in said:
        answer = speaker.call(DATA, identifier=licence.identifier, purpose=words)
        assert speaker.result(answer)[0] == speaker.code(Result.OK), words


def test_schemes_of_holders_are_taken_in_the_dialects_codes(speaker: Speaker, licence: License) -> None:
    for written, scheme in speaker.facade.holder_schemes.items():
        if scheme == COMPANY[0]:
            answer = speaker.call(BY_HOLDER, holder_scheme=written)
            assert speaker.result(answer)[0] == speaker.code(Result.OK)


def test_who_calls_without_key_or_right_is_told_in_the_dialect(
    house: House, facade: Facade, licence: License
) -> None:
    right = Speaker(facade, house.app.test_client(), "no-such-key")
    wrong_scope = Speaker(facade, house.app.test_client(), house.client_key("ask"))
    answer = right.call(DATA, identifier=licence.identifier)
    assert (answer.status_code, right.result(answer)[0]) == (401, right.code(Result.NOT_AUTHENTICATED))
    answer = wrong_scope.call(DATA, identifier=licence.identifier)
    assert (answer.status_code, right.result(answer)[0]) == (403, right.code(Result.NOT_PERMITTED))


def test_an_operator_who_is_not_registered_is_refused(speaker: Speaker, licence: License) -> None:
    answer = speaker.call(DATA, identifier=licence.identifier, operator="op-2")
    assert (answer.status_code, speaker.result(answer)[0]) == (401, speaker.code(Result.NOT_AUTHENTICATED))
    body = body_of(speaker.facade, DATA, dict(RIGHT) | {Element.IDENTIFIER: licence.identifier})
    answer = speaker.send(DATA, body, **{"Access-Operator": "op-2"})
    assert answer.status_code == 401, "neither by the body nor by the header"


@pytest.mark.parametrize("name", ["AccessToken", "accessToken", "PasswdDigest", "app_secret", "token"])
def test_a_key_in_a_body_is_refused_unread(speaker: Speaker, licence: License, name: str) -> None:
    for place in ("head", "data"):
        body = body_of(speaker.facade, DATA, dict(RIGHT) | {Element.IDENTIFIER: licence.identifier})
        body[place][name] = "0f" * 16
        answer = speaker.send(DATA, body)
        assert speaker.result(answer)[0] == speaker.code(Result.NOT_AUTHENTICATED)
        assert "0f0f" not in answer.text


def test_nothing_is_taken_from_the_address(house: House, facade: Facade, licence: License) -> None:
    key = house.client_key("read")
    path = path_of(facade, DATA)
    body = body_of(facade, DATA, dict(RIGHT) | {Element.IDENTIFIER: licence.identifier})
    answer = house.app.test_client().post(f"{path}?access_token={key}", json=body)
    assert answer.status_code == 401
    headers = {"Authorization": f"Bearer {key}"}
    answer = house.app.test_client().post(f"{path}?access_token={key}", json=body, headers=headers)
    assert answer.json["head"][facade.head.code] == facade.codes[Result.VALUE_WRONG].code


@pytest.mark.parametrize(
    "body",
    [[], "text", None, {"head": []}, {"body": {}}, {"head": {}, "data": {"unknown": "1"}}],
    ids=repr,
)
def test_a_body_of_another_form_is_refused(speaker: Speaker, body: Any) -> None:
    answer = speaker.send(DATA, body)
    assert speaker.result(answer)[0] in {
        speaker.code(one) for one in (Result.VALUE_WRONG, Result.EMPTY, Result.OTHER)
    }


def test_the_catalogue_of_types_is_told(house: House) -> None:
    facade = next(one for one in facades() if path_of(one, Service.TYPES))
    speaker = Speaker(facade, house.app.test_client(), house.client_key("read"))
    code, told = speaker.result(speaker.call(Service.TYPES))
    name = facade.data.spelled()["type_code"]
    assert code == speaker.code(Result.OK)
    assert {one[name] for one in told} == {kind.code for kind in house.rooms.license_types.all()}
    assert [one[name] for one in speaker.result(speaker.call(Service.TYPES, type_code=BUSINESS))[1]] == [
        BUSINESS
    ]


def only(house: House, **terms: Any) -> None:
    with house.rooms.database.writing() as uow:
        for one in uow.session.scalars(select(LicenseGrant)):
            one.ended_at = uow.clock.now()
        grant(uow, **terms)


def used(house: House) -> int:
    with house.rooms.database.reading() as uow:
        return uow.session.scalar(select(func.sum(LicenseGrantUse.used))) or 0


def test_a_dialect_gives_nothing_above_the_ceiling_of_the_grant(
    house: House, speaker: Speaker, licence: License
) -> None:
    services = {DATA: "identifier", FILE: "identifier", BY_HOLDER: ""}
    for ceiling, given in (
        (Ceiling.PREDICATE, set[Service]()),
        (Ceiling.FIELDS, {DATA, BY_HOLDER}),
        (Ceiling.DOCUMENT, {DATA, BY_HOLDER, FILE}),
    ):
        only(house, ceiling=ceiling)
        before = used(house)
        for service, named in services.items():
            if path_of(speaker.facade, service) is None:
                given.discard(service)
                continue
            code, _ = speaker.result(speaker.call(service, **{named: licence.identifier} if named else {}))
            if service in given:
                assert code in {speaker.code(Result.OK), speaker.code(Result.BEING_MADE)}
            else:
                assert code == speaker.code(Result.NO_MATCH)
                assert reasons(house) == ["not-granted"]
                assert refusals(house)[-1] == "not-granted"
        assert used(house) - before == len(given), "each call counts once, whatever it looks at"


def test_a_dialect_tells_of_a_used_up_quota(house: House, speaker: Speaker, licence: License) -> None:
    only(house, quota=1)
    assert speaker.call(DATA, identifier=licence.identifier).status_code == 200
    refused = speaker.call(DATA, identifier=licence.identifier)
    assert (refused.status_code, reasons(house)) == (429, ["quota-exhausted"])
    assert int(refused.headers["Retry-After"]) > 3600
    assert speaker.result(refused)[0] == speaker.code(Result.OTHER)
