# SPDX-License-Identifier: Apache-2.0
"""Annotated copies over the interface, from the order to the file in an office's hands, with real parts."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from calling import Caller, SigningClient, known_token
from license_library import BUSINESS, COMPANY, FOOD, GROUNDS, ITEM_OF, MANAGER, license_data
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from cases.models import Case, Holder
from cases.services import Announcement
from licenses.models import LicenseUsage
from portal.bootstrap import make_worker, open_rooms
from portal.settings import Settings
from portal.web.examples import COPY, COPY_LINK
from portal.web.factory import create_app
from storage.database import UnitOfWork
from storage.identity import Role, system_identity

from .conftest import House, form_token

FILING = system_identity("archive")


@dataclass
class Office:
    """An installation with a sealed business licence, an open case of its holder, and a calling system."""

    house: House
    settings: Settings
    identifier: str = ""
    caller: Caller | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def system(self) -> Caller:
        assert self.caller is not None
        return self.caller

    def work(self) -> None:
        worker, database, _ = make_worker(self.settings, "test", tuple)
        while worker.run_one():
            pass
        database.close()

    def announce(self, uow: UnitOfWork, type_code: str, number: str, *, closed: bool) -> Case:
        item = self.house.rooms.items.get(ITEM_OF[type_code], "2026-03")
        now = uow.clock.now()
        told = Announcement(
            "ycsl",
            number,
            item.code,
            item.edition,
            *COMPANY,
            item.department,
            now,
            now if closed else None,
        )
        return self.house.rooms.cases.announce(uow, FILING, told)[0]

    def begin(self) -> None:
        rooms = self.house.rooms
        with rooms.database.writing() as uow:
            case = self.announce(uow, BUSINESS, "B-1", closed=True)
            item = rooms.items.get(case.item_code, case.item_edition)
            holder = uow.session.get_one(Holder, case.holder_id)
            made = rooms.licenses.reserve(uow, FILING, case, item, holder, license_data(BUSINESS))
            self.identifier = made.identifier
            self.announce(uow, FOOD, "F-1", closed=False)
        self.work()
        self.caller = self.house.caller("read")
        self.headers = {
            "Authorization": f"Bearer {known_token(self.system)}",
            "Access-Operator": "op-1",
            "Access-Case": "ycsl/F-1",
            "Access-Item": ITEM_OF[FOOD],
            "Access-Purpose": "accept",
        }

    def post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        sent = self.headers if headers is None else headers
        return self.house.app.test_client().post(f"/api/v1/{path}", json=body, headers=sent)

    def made(self) -> dict[str, Any]:
        ordered = self.post(f"licences/{self.identifier}/copies", {})
        assert ordered.status_code == 202, ordered.text
        self.work()
        shown = self.house.app.test_client().get(ordered.headers["Location"], headers=self.headers)
        assert shown.status_code == 200
        told: dict[str, Any] = shown.json
        return told

    def file(self) -> bytes:
        copy = self.made()
        link = self.post(f"copies/{copy['id']}/links", {})
        return self.post(f"copies/{copy['id']}/download", {"token": link.json["token"]}, {}).data


@pytest.fixture
def office(installation: Path) -> Iterator[Office]:
    settings = Settings(data=installation)
    rooms = open_rooms(settings)
    app = create_app(rooms, settings)
    app.test_client_class = SigningClient
    house = House(rooms, app, rooms.clock, settings.staging)  # type: ignore[arg-type] # the real clock
    made = Office(house, settings)
    made.begin()
    yield made
    rooms.close()


def test_a_copy_is_ordered_made_and_handed_out_once(office: Office) -> None:
    ordered = office.post(f"licences/{office.identifier}/copies", {"days": 7})
    assert (ordered.status_code, ordered.json["state"]) == (202, "ordered")
    assert set(ordered.json) == set(COPY)
    assert office.post(f"copies/{ordered.json['id']}/links", {}).json["code"] == "copy-not-ready"
    office.work()
    shown = office.house.app.test_client().get(ordered.headers["Location"], headers=office.headers)
    assert (shown.json["state"], shown.json["licence_status"]) == ("made", "valid")
    link = office.post(f"copies/{shown.json['id']}/links", {})
    assert (link.status_code, set(link.json)) == (201, set(COPY_LINK))
    token = {"token": link.json["token"]}
    given = office.post(f"copies/{shown.json['id']}/download", token, {})
    assert (given.status_code, given.mimetype) == (200, "application/pdf")
    assert given.headers["Cache-Control"] == "no-store"
    assert len(given.data) == shown.json["size"]
    again = office.post(f"copies/{shown.json['id']}/download", token, {})
    assert (again.status_code, again.json["code"]) == (404, "copy-link")
    assert [kind for kind in office.house.acts() if kind.startswith("copy.")] == [
        "copy.ordered",
        "copy.intended",
        "copy.made",
        "copy.handed-out",
    ]


def test_the_secret_of_a_link_stands_in_no_address_and_no_act(office: Office) -> None:
    """Ends tokens in addresses: it travels in bodies alone."""
    copy = office.made()
    token = office.post(f"copies/{copy['id']}/links", {}).json["token"]
    office.post(f"copies/{copy['id']}/download", {"token": token}, {})
    assert not office.house.some_core_holds(token.encode())
    by_address = office.house.app.test_client().get(f"/api/v1/copies/{copy['id']}/download?token={token}")
    assert by_address.status_code in {404, 405}


def test_without_a_purpose_nothing_is_ordered_and_the_bare_original_is_nowhere(office: Office) -> None:
    bare = {name: value for name, value in office.headers.items() if name != "Access-Purpose"}
    refused = office.post(f"licences/{office.identifier}/copies", {}, bare)
    assert (refused.status_code, refused.json["code"]) == (404, "license-not-found")
    assert office.house.acts()[-1] == "access.refused"


def test_a_cancelled_licence_is_refused_with_a_reason_and_the_refusal_is_recorded(office: Office) -> None:
    rooms = office.house.rooms
    with rooms.database.writing() as uow:
        rooms.licenses.revoke(uow, MANAGER, office.identifier, GROUNDS)
    refused = office.post(f"licences/{office.identifier}/copies", {})
    assert (refused.status_code, refused.json["code"]) == (409, "copy-refused")
    assert office.house.acts()[-1] == "copy.refused"


def test_somebody_else_s_copy_looks_like_none(office: Office) -> None:
    copy = office.made()
    other = office.headers | {"Authorization": f"Bearer {office.house.client_key('read', pair=True)}"}
    for answer in (
        office.house.app.test_client().get(f"/api/v1/copies/{copy['id']}", headers=other),
        office.house.app.test_client().get("/api/v1/copies/none", headers=other),
        office.post(f"copies/{copy['id']}/links", {}, other),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "copy-unknown")


def newest_use(office: Office) -> LicenseUsage:
    with office.house.rooms.database.reading() as uow:
        checks = select(LicenseUsage).where(LicenseUsage.action == "public-check")
        return uow.session.scalars(checks.order_by(LicenseUsage.at.desc(), LicenseUsage.id.desc())).first()  # type: ignore[return-value]  # there is one


def test_anybody_checks_a_copy_by_its_file(office: Office) -> None:
    data = office.file()
    sent = {"file": (io.BytesIO(data), "copy.pdf", "application/pdf"), "purpose": "examine"}
    browser = office.house.app.test_client()
    report = browser.post("/api/v1/verifications", data=sent, content_type="multipart/form-data").json
    assert newest_use(office).purpose == "examine"
    assert report["headline"]["code"] == "valid"
    assert report["copy"]["code"] == "copy-good"
    assert report["licence"]["code"] == "valid"
    assert "收件受理" in report["sentence"]["zh"]
    with office.house.rooms.database.writing() as uow:
        office.house.rooms.licenses.revoke(uow, MANAGER, office.identifier, GROUNDS)
    sent = {"file": (io.BytesIO(data), "copy.pdf", "application/pdf")}
    report = browser.post("/api/v1/verifications", data=sent, content_type="multipart/form-data").json
    assert (report["headline"]["code"], report["licence"]["code"]) == ("invalid", "revoked")
    assert report["copy"]["code"] == "copy-good", "a genuine copy of what is no longer valid is both at once"


def test_anybody_checks_a_printed_copy_by_its_photo(office: Office) -> None:
    """The page shows the code of its original as well; the copy's is the one that is meant."""
    with pypdfium2.PdfDocument(office.file()) as printed:
        picture = printed[0].render(scale=3).to_pil()
    photo = io.BytesIO()
    picture.convert("L").save(photo, format="JPEG", quality=60)
    photo.seek(0)
    browser = office.house.app.test_client()
    token = form_token(browser.get("/verify").text)
    parts = {"photo": (photo, "photo.jpg", "image/jpeg"), "form_token": token}
    led = browser.post("/verify/photo", data=parts, content_type="multipart/form-data")
    assert led.status_code == 303
    page = browser.get(led.headers["Location"]).text
    assert "加注件" in page
    assert "仅供收件受理使用" in page
    assert "手中文件未比对" in page


def test_the_file_names_its_original(office: Office) -> None:
    with pikepdf.open(io.BytesIO(office.file())) as pdf:
        stated = json.loads(pdf.attachments["metadata.json"].get_file().read_bytes())
    assert stated["original"]["identifier"] == office.identifier


def test_a_clerk_makes_a_copy_for_the_open_case_and_prints_it(office: Office) -> None:
    """The department prints where paper is still filed, and not the applicant."""
    browser = office.house.browser(Role.CLERK, "scjg")
    token = {"form_token": form_token(browser.get("/window").text)}
    asked = browser.post("/window/ask", data=token | {"number": "F-1", "purpose": "examine"})
    listed = browser.post(f"{asked.headers['Location']}/licences", data=token)
    assert listed.text.count("为本办件制作加注件") == 1
    ordered = browser.post(f"{asked.headers['Location']}/copies", data=token | {"licence": office.identifier})
    assert ordered.status_code == 303
    page = ordered.headers["Location"]
    assert "制作中" in browser.get(page).text
    assert browser.post(f"{page}/file", data=token).status_code == 409
    office.work()
    shown = browser.get(page).text
    assert "取加注件打印" in shown
    assert "审查核验" in shown
    given = browser.post(f"{page}/file", data=token)
    assert (given.status_code, given.mimetype) == (200, "application/pdf")
    other = office.house.browser(Role.CLERK, "scjg")
    assert other.get(page).status_code == 404


def test_once_the_case_is_closed_the_clerk_s_page_says_so_and_gives_no_file(office: Office) -> None:
    browser = office.house.browser(Role.CLERK, "scjg")
    token = {"form_token": form_token(browser.get("/window").text)}
    place = browser.post("/window/ask", data=token | {"number": "F-1", "purpose": "examine"}).headers[
        "Location"
    ]
    page = browser.post(f"{place}/copies", data=token | {"licence": office.identifier}).headers["Location"]
    office.work()
    with office.house.rooms.database.writing() as uow:
        uow.session.execute(update(Case).where(Case.number == "F-1").values(closed_at=uow.clock.now()))
    shown = browser.get(page)
    assert (shown.status_code, "不再提供该加注件" in shown.text) == (200, True)
    assert "取加注件打印" not in shown.text
    assert browser.post(f"{page}/file", data=token).status_code == 409


@pytest.mark.parametrize(
    ("role", "organisation", "purpose", "words"),
    [(Role.ARCHIVIST, "scjg", "archive", "归档留存"), (Role.SUPERVISOR, "dsj", "inspect", "监督检查")],
    ids=["archivist", "supervisor"],
)
def test_for_the_file_and_for_supervision_a_licence_that_ended_is_copied_with_its_status(
    office: Office, role: Role, organisation: str, purpose: str, words: str
) -> None:
    rooms = office.house.rooms
    rooms.database.write(lambda uow: rooms.licenses.revoke(uow, MANAGER, office.identifier, GROUNDS).id)
    browser = office.house.browser(role, organisation)
    page = browser.get(f"/licences/{office.identifier}").text
    assert words in page
    sent = {"form_token": form_token(page)}
    place = f"/licences/{office.identifier}/copies"
    assert browser.post(place, data=sent | {"purpose": "curiosity"}).status_code == 422
    ordered = browser.post(place, data=sent | {"purpose": purpose})
    assert ordered.status_code == 303
    office.work()
    shown = browser.get(ordered.headers["Location"]).text
    assert "取加注件打印" in shown
    given = browser.post(f"{ordered.headers['Location']}/file", data=sent)
    assert (given.status_code, given.mimetype) == (200, "application/pdf")
    with pikepdf.open(io.BytesIO(given.data)) as pdf:
        assert words in pdf.attachments["metadata.json"].get_file().read_bytes().decode()
    assert {"copy.ordered", "copy.made", "copy.handed-out"} <= set(office.house.acts())
    stranger = office.house.browser(Role.ARCHIVIST, "jtys")
    own = {"form_token": form_token(stranger.get("/archive").text)}
    assert stranger.post(place, data=own | {"purpose": "archive"}).status_code == 404
    assert office.house.acts()[-1] == "access.refused"
    assert stranger.get(ordered.headers["Location"]).status_code == 404


def test_another_operator_of_the_same_system_knows_of_no_copy(office: Office) -> None:
    copy = office.made()
    nobody = {name: value for name, value in office.headers.items() if name != "Access-Operator"}
    nobody["Authorization"] = f"Bearer {known_token(office.system, operator=None)}"
    asked = office.house.app.test_client().get(f"/api/v1/copies/{copy['id']}", headers=nobody)
    link = office.post(f"copies/{copy['id']}/links", {}, nobody)
    assert [answer.json["code"] for answer in (asked, link)] == ["copy-unknown"] * 2


def test_a_clerk_reads_a_face_by_function_where_the_item_uses_such_licences(office: Office) -> None:
    browser = office.house.browser(Role.CLERK, "scjg")
    token = {"form_token": form_token(browser.get("/window").text)}
    asked = browser.post("/window/ask", data=token | {"number": "F-1", "purpose": "examine"})
    place = asked.headers["Location"]
    listed = browser.post(f"{place}/licences", data=token)
    assert "按职能生成用证码" in listed.text
    made = browser.post(f"{place}/codes", data=token | {"licence": office.identifier})
    assert made.status_code == 200
    found = re.search(r'name="secret" value="([^"]+)"', made.text)
    assert found is not None
    read = browser.post("/window/code", data=token | {"secret": found[1], "do": "read"})
    assert read.status_code == 200
    assert office.identifier in read.text
    other = office.house.browser(Role.CLERK, "scjg")
    own = {"form_token": form_token(other.get("/window/code").text)}
    refused = other.post("/window/code", data=own | {"secret": found[1], "do": "read"})
    assert refused.status_code == 404
    assert office.identifier not in refused.text
