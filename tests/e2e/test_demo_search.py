# SPDX-License-Identifier: Apache-2.0
"""Any run of Han characters of any title finds it, for its own department and for no other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from demonstration import copy_of, opened, settings_of, signed_in
from flask import Flask, g
from sqlalchemy import select

from archive.models import Dossier
from indexer.query import Page
from licenses.models import License
from portal.demo.script import Script
from portal.rooms import Rooms
from portal.web.factory import create_app
from portal.web.searching import Asked, find
from storage.identity import Identity, Role

pytestmark = pytest.mark.slow

HAN_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")
DEPARTMENTS = Script.load().organisations


@dataclass(frozen=True)
class Titled:
    """A dossier or licence as its own table tells of it."""

    id: str
    title: str
    organisation: str

    def runs(self) -> set[str]:
        """Give every run of two or more Han characters that stand next to each other in the title."""
        found = HAN_RUN.findall(self.title)
        return {
            run[start:end]
            for run in found
            for start in range(len(run))
            for end in range(start + 2, len(run) + 1)
        }


@dataclass(frozen=True)
class Office:
    """The web application, and whoever asks it."""

    rooms: Rooms
    app: Flask

    def titled(self) -> list[Titled]:
        with self.rooms.database.reading() as uow:
            dossiers = uow.session.scalars(select(Dossier)).all()
            licences = uow.session.scalars(select(License)).all()
        return [Titled(one.id, one.title, one.organisation) for one in dossiers] + [
            Titled(one.id, self.rooms.license_types.get(one.type_code).zh, one.organisation)
            for one in licences
        ]

    @contextmanager
    def asked_by(self, department: str, role: Role = Role.ARCHIVIST) -> Iterator[None]:
        with self.app.test_request_context("/search"):
            g.identity = Identity("person", "test", department, frozenset({role}))
            yield


@pytest.fixture(scope="module")
def office(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = copy_of(demo_data, tmp_path_factory.mktemp("office") / "data")
    with opened(data) as rooms:
        yield Office(rooms, create_app(rooms, settings_of(data)))


def ids(page: Page) -> set[str]:
    assert page.total == len(page.hits), "one page holds all of a demonstration"
    return {hit.id for hit in page.hits}


def test_the_demonstration_filed_in_every_department(office: Office) -> None:
    assert {one.organisation for one in office.titled()} == set(DEPARTMENTS)
    assert max(len(one.runs()) for one in office.titled()) > 200


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_every_run_finds_its_titles_and_none_of_other_departments(office: Office, department: str) -> None:
    titled = office.titled()
    own = [one for one in titled if one.organisation == department]
    with office.asked_by(department):
        for run in sorted(set().union(*(one.runs() for one in titled))):
            found = ids(find(Asked(run, ended=True), limit=100))
            expected = {one.id for one in own if run in one.title}
            assert expected <= found, run
            assert found <= {one.id for one in own}, run


def test_supervision_finds_every_department(office: Office) -> None:
    titled = office.titled()
    with office.asked_by("dsj", Role.SUPERVISOR):
        for one in titled:
            for run in HAN_RUN.findall(one.title):
                assert one.id in ids(find(Asked(run, ended=True), limit=100)), run


def test_the_page_and_the_interface_keep_departments_apart(office: Office) -> None:
    one = next(one for one in office.titled() if one.organisation == "jtys")
    run = HAN_RUN.findall(one.title)[-1][-4:]
    for department in DEPARTMENTS:
        browser = signed_in(office.rooms, office.app, Role.ARCHIVIST, department)
        answer = browser.get("/api/v1/search", query_string={"q": run, "ended": "true"}).json
        hits = {hit["id"] for hit in answer["hits"]}
        page = browser.get("/search", query_string={"q": run, "ended": "1"})
        assert page.status_code == 200
        shown = re.sub(r"</?mark>", "", page.text)
        assert (one.id in hits) == (one.title in shown) == (department == "jtys")
        assert answer["total"] == len(hits)
        assert answer["indexed_up_to"] is not None
