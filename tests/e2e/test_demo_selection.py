# SPDX-License-Identifier: Apache-2.0
"""All cases of a department selected at once: each dossier as its own page gives it, each download an act."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from demonstration import copy_of, opened, settings_of, signed_in
from sqlalchemy import func, select

from archive.models import Dossier, Filing
from portal.rooms import Rooms
from portal.web.factory import create_app
from storage.identity import Role
from storage.ledger.models import LedgerAct

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rooms(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    with opened(copy_of(demo_data, tmp_path_factory.mktemp("selection") / "data")) as rooms:
        yield rooms


def _reads(rooms: Rooms) -> dict[str, str]:
    with rooms.database.reading() as uow:
        acts = select(LedgerAct.act_id, LedgerAct.object_id).where(LedgerAct.kind == "dossier.read")
        return {row.act_id: row.object_id for row in uow.session.execute(acts)}


def test_each_dossier_is_packed_and_recorded_by_itself_and_the_rest_is_named(
    rooms: Rooms, tmp_path: Path
) -> None:
    with rooms.database.reading() as uow:
        by_department = (
            select(Filing.organisation).group_by(Filing.organisation).order_by(func.count().desc())
        )
        department = uow.session.scalars(by_department).first() or ""
        states = list(uow.session.scalars(select(Filing.state).where(Filing.organisation == department)))
    browser = signed_in(rooms, create_app(rooms, settings_of(tmp_path)), Role.ARCHIVIST, department)
    picked = re.findall(r'name="pick" value="(\w+)"', browser.get("/archive").text)
    assert len(picked) == len(states) > states.count("filed") > 1
    page = browser.get("/archive/selection", query_string={"action": "packages", "pick": picked})
    token = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert token is not None
    before = _reads(rooms)
    answer = browser.post(
        "/archive/selection/packages", data={"form_token": token[1], "pick": picked}, buffered=True
    )
    new = {act: dossier for act, dossier in _reads(rooms).items() if act not in before}
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        table = list(csv.DictReader(io.StringIO(archive.read("RESULT.csv").decode("utf-8-sig"))))
        packed = {name: archive.read(name) for name in archive.namelist() if name != "RESULT.csv"}
    assert len(table) == len(picked)
    done = [row for row in table if row["SHA-256"]]
    assert len(done) == len(packed) == states.count("filed")
    with rooms.database.reading() as uow:
        numbers = {one.id: one.archival_number for one in uow.session.scalars(select(Dossier))}
    assert {(row["行为"], row["档号"]) for row in done} == {(act, numbers[one]) for act, one in new.items()}
    assert all(row["文件"] == f"{row['档号'].replace('·', '.')}.zip" for row in done), (
        "people know the number"
    )
    assert all(row["未办理原因"] for row in table if row not in done)
    some = done[0]["文件"]
    alone = browser.get(f"/dossiers/{done[0]['档号']}/package", buffered=True)
    assert packed[some] == alone.data
