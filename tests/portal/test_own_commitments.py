# SPDX-License-Identifier: Apache-2.0
"""A holder reads and makes a commitment on the own page, by the machine and with the form of the window."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from identity import choose, demo_provider
from inserted import rowid
from sqlalchemy import select

from cases.services import Announcement
from licenses.ladder.forms import FORM_STEP
from licenses.ladder.models import LadderEvent, LadderRung
from portal.demo.holders import demo_persons
from portal.demo.script import Script
from portal.web.codes import reason_title
from storage.identity import Role, system_identity
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

from .conftest import House, form_token
from .signing_in import PUBLIC_URL, begin, house_at
from .test_ladder import happen, take
from .test_window import ask

PERSONS = {one.title: one for one in demo_persons(Script.load())}
FIRM, OTHER = PERSONS["浙江演示甲餐饮管理有限公司"], next(n for t, n in PERSONS.items() if "甲" not in t)
CODE, NUMBER, PLACE = "91339999MADEM0011X", "YC-2026-000777", "/mine/commitments"
SECOND = "YC-2026-000778"


@dataclass
class Counter:
    """A window that offered the firm a commitment, and the firm at home."""

    house: House
    clerk: FlaskClient
    holder: FlaskClient
    rung: str

    def page(self) -> str:
        return self.holder.get(f"{PLACE}/{self.rung}").text

    def say(self, browser: FlaskClient | None = None, **form: str) -> int:
        who = browser or self.holder
        data = {"form_token": form_token(who.get(PLACE).text)} | form
        return who.post(f"{PLACE}/{self.rung}", data=data).status_code

    def state(self) -> str:
        with self.house.rooms.database.reading() as uow:
            return uow.session.get_one(LadderRung, self.rung).state


def signed_in(house: House, person: object) -> FlaskClient:
    browser = house.app.test_client()
    chosen = choose(begin(browser), person)  # type: ignore[arg-type] # a person of the demonstration
    assert browser.get(f"/mine/back?{chosen.partition('?')[2]}").status_code == 303
    return browser


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    clock = HandClock()
    with demo_provider(PUBLIC_URL, list(PERSONS.values()), clock) as issuer:
        house = house_at(tmp_path, issuer, clock=clock)
        firm = ("001", CODE, FIRM.title, "scjg", clock.now())
        told = Announcement("ycsl", NUMBER, "339999010002", "2026-03", *firm)
        with house.rooms.database.writing() as uow:
            house.rooms.cases.announce(uow, system_identity("archive"), told)
        clerk = house.browser(Role.CLERK)
        answer = str(ask(clerk, NUMBER).headers["Location"])
        rung = take(clerk, answer, "R2", "commitment").headers["Location"].rpartition("/")[2]
        yield Counter(house, clerk, signed_in(house, FIRM), rung)


def test_the_holder_finds_reads_and_makes_the_commitment(counter: Counter) -> None:
    assert "我的告知承诺" in counter.holder.get("/mine").text
    listed = counter.holder.get(PLACE).text
    assert f"{PLACE}/{counter.rung}" in listed
    assert NUMBER in listed
    page = counter.page()
    for told in ("场地使用证明", "书面核查", "不再适用告知承诺", ["可以不作承诺", "改为提交证明"][1]):
        assert told in page
    assert counter.say(event="commit", read="yes") == 303
    assert counter.state() == "committed"
    assert "您已承诺" in counter.page()


def test_nobody_commits_without_having_read(counter: Counter) -> None:
    assert counter.say(event="commit") == 422
    assert counter.state() == "told"


def test_the_act_is_the_holders_and_the_form_follows_the_acceptance(counter: Counter) -> None:
    counter.say(event="commit", read="yes")
    with counter.house.rooms.database.reading() as uow:
        event = uow.session.scalars(select(LadderEvent).order_by(LadderEvent.position.desc())).first()
        holder = uow.session.get_one(LadderRung, counter.rung).holder_id
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "rung.changed")).all()
    assert event is not None
    assert (event.kind, event.actor_id, event.organisation) == ("committed", holder, "")
    (act,) = acts
    assert json.loads(act.core)["actor"]["kind"] == "holder"
    assert "申请人本人" in counter.clerk.get(f"/ladder/{counter.rung}").text
    assert happen(counter.clerk, f"/ladder/{counter.rung}", "accepted").status_code == 303
    with counter.house.rooms.database.reading() as uow:
        forms = uow.session.scalars(select(StepRow.subject).where(StepRow.kind == FORM_STEP)).all()
    assert list(forms) == [counter.rung]


def test_the_holder_may_bring_the_proof_instead(counter: Counter) -> None:
    assert counter.say(event="drop") == 303
    assert counter.state() == "dropped"
    assert counter.say(event="commit", read="yes") == 409


def test_who_is_barred_since_the_offer_neither_declares_nor_is_accepted(counter: Counter) -> None:
    """Another commitment of the firm is found false while this one lies before it."""
    with counter.house.rooms.database.writing() as uow:
        row = uow.session.get_one(LadderRung, counter.rung)
        told = Announcement(
            "ycsl", SECOND, "339999010002", "2026-03", "001", CODE, FIRM.title, "scjg", uow.clock.now()
        )
        counter.house.rooms.cases.announce(uow, system_identity("archive"), told)
    answer = str(ask(counter.clerk, SECOND).headers["Location"])
    other = take(counter.clerk, answer, "R2", "commitment").headers["Location"]
    for event in ("committed", "accepted", "found-false"):
        assert happen(counter.clerk, other, event, words="现场与承诺不符").status_code == 303
    refused = counter.holder.post(
        f"{PLACE}/{row.id}",
        data={"form_token": form_token(counter.holder.get(PLACE).text), "event": "commit", "read": "yes"},
    )
    assert refused.status_code == 403
    assert "目前不适用告知承诺" in refused.text
    assert "整改完毕后可再行承诺" in refused.text
    assert happen(counter.clerk, f"/ladder/{row.id}", "committed").status_code == 403
    assert counter.state() == "told"
    with counter.house.rooms.database.reading() as uow:
        refused_acts = select(LedgerAct).where(LedgerAct.outcome == "refused").order_by(rowid)
        acts = uow.session.scalars(refused_acts).all()
    cores = [json.loads(one.core) for one in acts]
    assert {(one["kind"], one["object"]["id"], *one["reasons"]) for one in cores} == {
        ("access.refused", row.id, "commitment-untrue")
    }
    assert [one["actor"]["kind"] for one in cores] == ["holder", "person"]
    with counter.house.app.test_request_context():
        titles = [reason_title(one) for one in ("commitment-untrue", "commitment-excluded")]
    assert titles == ["此前的承诺不实且未整改", "该事项不适用告知承诺"]
    assert counter.say(event="drop") == 303, "the proof can still be brought"


def test_the_holder_does_not_accept_what_the_office_accepts(counter: Counter) -> None:
    counter.say(event="commit", read="yes")
    assert counter.say(event="accepted") == 422
    assert counter.state() == "committed"


def test_somebody_else_finds_nothing(counter: Counter) -> None:
    stranger = signed_in(counter.house, OTHER)
    assert counter.rung not in stranger.get(PLACE).text
    assert stranger.get(f"{PLACE}/{counter.rung}").status_code == 404
    assert counter.say(stranger, event="commit", read="yes") == 404
    assert counter.state() == "told"
    assert counter.clerk.get(PLACE).status_code in {303, 403}, "an official is no holder"
