# SPDX-License-Identifier: Apache-2.0
"""Two hold a licence together: each own page shows what is done with it, and of the other a masked name."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from granting import grant
from identity import choose, demo_provider
from license_library import BUSINESS, CLIENT, ITEM_OF, held_together, license_data, on_case
from license_library import PERSON as APPLICANT
from sqlalchemy import delete

from cases.models import Case, Holder
from cases.services import Announcement
from licenses.events import Grounds, new_event
from licenses.lifecycle import EventKind
from licenses.models import License, LicenseHolder, LicenseUsage
from portal.demo.holders import demo_persons
from portal.demo.script import Script
from storage.identity import system_identity

from .conftest import House, form_token
from .signing_in import PUBLIC_URL, begin, house_at

PERSONS = {one.title: one for one in demo_persons(Script.load())}
FIRM, PERSON = PERSONS["浙江演示甲餐饮管理有限公司"], PERSONS["吴样例"]
FIRM_PARTY = ("001", "91339999MADEM0011X", FIRM.title)
PERSON_PARTY = ("111", str(PERSON.claims["identity_code"]), PERSON.title)
FILING = system_identity("archive")


@dataclass
class Two:
    """A house in which a firm and a person hold a licence together and have signed in."""

    house: House
    licence: License
    firm: FlaskClient
    person: FlaskClient

    def object(self, browser: FlaskClient, about: str, of: str, words: str) -> None:
        address = f"/mine/objection?about={about}&of={of}"
        token = form_token(browser.get(address).text)
        assert browser.post(address, data={"form_token": token, "words": words}).status_code == 303


def announced(house: House, number: str, party: tuple[str, str, str], *, closed: bool = False) -> Case:
    now, item = house.clock.now(), ITEM_OF[BUSINESS if closed else "11339999DEM0010178001"]
    case = Announcement("ycsl", number, item, "2026-03", *party, "scjg", now, now if closed else None)
    with house.rooms.database.writing() as uow:
        return house.rooms.cases.announce(uow, FILING, case)[0]


def issued(house: House) -> License:
    rooms, (scheme, code, name) = house.rooms, PERSON_PARTY
    rooms.license_types.adopt([held_together(rooms.license_types.get(BUSINESS))], 1)
    case = announced(house, "CLOSED-1", FIRM_PARTY, closed=True)
    also = [{"scheme": scheme, "code": code, "name": name, "share": "1/2"}]
    with rooms.database.writing() as uow:
        item = rooms.items.get(case.item_code, case.item_edition)
        data = license_data(BUSINESS, share="1/2", co_holders=also)
        owner = uow.session.get_one(Holder, case.holder_id)
        made = rooms.licenses.reserve(uow, FILING, case, item, owner, data)
        made.issued_at, made.object_sha256, made.seal_id = house.clock.now(), "0" * 64, "seal"
        grounds = Grounds("签发", "许可决定")
        uow.session.add(new_event(uow, FILING, made, (), EventKind.ISSUED, grounds))
    return made


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    clock = HandClock()
    with demo_provider(PUBLIC_URL, list(PERSONS.values()), clock) as issuer:
        house = house_at(tmp_path, issuer, clock=clock)
        licence, browsers = issued(house), []
        for one in (FIRM, PERSON):
            browser = house.app.test_client()
            back = choose(begin(browser), one)
            assert browser.get(f"/mine/back?{back.partition('?')[2]}").status_code == 303
            browsers.append(browser)
        yield Two(house, licence, *browsers)


def test_what_is_done_with_it_stands_on_both_pages(two: Two) -> None:
    house, case = two.house, announced(two.house, "PERSONS-CASE", PERSON_PARTY)
    with house.rooms.database.writing() as uow:
        grant(uow)
        house.rooms.license_reader.read(uow, on_case(CLIENT, case), two.licence.identifier)
    token = form_token(two.person.get(f"/mine/licences/{two.licence.id}").text)
    sent = {"form_token": token, "purpose": "hand-in", "minutes": "15"}
    assert two.person.post(f"/mine/licences/{two.licence.id}/codes", data=sent).status_code == 201
    firm, person = two.firm.get("/mine").text, two.person.get("/mine").text
    for page in (firm, person):
        assert page.count('data-label="结果"') == 2
        assert "食品经营许可" in page
    assert "共有人 吴*" in firm
    assert ">您本人<" in person
    assert "PERSONS-CASE" in person
    for hidden in ("PERSONS-CASE", PERSON.title, PERSON_PARTY[1], ">您本人<"):
        assert hidden not in firm, hidden
    assert "由共有人生成" in firm
    assert "1/2" in two.firm.get(f"/mine/licences/{two.licence.id}").text


def test_a_use_for_a_relative_is_told_without_the_matter_on_page_and_form(two: Two) -> None:
    house = two.house
    case = announced(house, "RELATIVES-CASE", APPLICANT)
    with house.rooms.database.writing() as uow:
        lent = uow.session.get_one(License, two.licence.id)
        uow.session.execute(delete(LicenseHolder))
        use = LicenseUsage(id=uow.ids.new_id(), at=uow.clock.now(), action="ask", holder_id=case.holder_id)
        use.license_id, use.case_id, use.item_code, use.purpose = lent.id, case.id, case.item_code, "accept"
        use.basis, use.actor_id, use.operator, use.organisation = "case", "clerk-1", "clerk-1", "scjg"
        use.asked, use.result, use.reason = "R1 scope contains", "MET", "R.ESTABLISHED"
        uow.session.add(use)
    page = two.firm.get("/mine").text
    form = two.firm.get(f"/mine/objection?about=use&of={use.id}").text
    for shown in (page, form):
        assert "依法不予告知" in shown
        for hidden in ("RELATIVES-CASE", "食品经营许可", APPLICANT[2]):
            assert hidden not in shown
    assert "法律要求保密的用证，会延后显示" in page
    assert "法律要求保密的用证，会延后显示" in two.person.get("/mine").text, "whoever looks reads the same"
    assert use.id not in two.person.get("/mine").text


def test_an_objection_of_one_is_seen_by_the_other_without_its_words(two: Two) -> None:
    two.object(two.person, "licence", two.licence.id, "份额写错了")
    firm = two.firm.get("/mine").text
    assert "共有人的异议" in firm
    assert "份额写错了" not in firm
    assert "份额写错了" in two.person.get("/mine").text
    two.object(two.firm, "licence", two.licence.id, "我们另有意见")
    assert two.house.acts().count("objection.opened") == 2


def test_a_code_of_one_is_revoked_by_the_other(two: Two) -> None:
    token = form_token(two.person.get(f"/mine/licences/{two.licence.id}").text)
    sent = {"form_token": token, "purpose": "hand-in", "minutes": "15"}
    two.person.post(f"/mine/licences/{two.licence.id}/codes", data=sent)
    page = two.firm.get("/mine").text
    address = page.partition('/revocation"')[0].rpartition('action="')[2] + "/revocation"
    assert two.firm.post(address, data={"form_token": form_token(page)}).status_code == 303
    assert two.house.acts()[-1] == "code.revoked"
    assert "由共有人生成" not in two.firm.get("/mine").text
