# SPDX-License-Identifier: Apache-2.0
"""Import of stock by page and by command: trial, import, progress, report, quarantine."""

import io
import json
import re
from pathlib import Path

import pytest
from dirty_stock import csv_lines, dirty, in_columns
from flask.testing import FlaskClient
from personal import personal_in
from sqlalchemy import func, select
from stock_import import ISSUERS

from documents.feeds import LIMITS
from documents.sandbox import Sandbox
from licenses.models import License
from licenses.stock.models import StockQuarantine, StockRun
from licenses.stock.runs import STOCK_IMPORT_STEP
from portal.commands.common import open_installation
from portal.stock.driver import ImportDriver
from portal.stock.steps import StockImportStep
from storage.identity import Role
from storage.secrets import ErasedError
from storage.steps import Job, Staging, StepRow

from .conftest import House, form_token, run

FEED = "".join(csv_lines(60)).encode()


def send(browser: FlaskClient, action: str, data: bytes = FEED) -> tuple[int, str]:
    form = {
        "form_token": form_token(browser.get("/licences/stock").text),
        "profile": "provincial-exchange",
        "action": action,
        "file": (io.BytesIO(data), "../../feed.csv"),
    }
    answer = browser.post("/licences/stock", data=form)
    return answer.status_code, answer.headers.get("Location", answer.text)


def work(house: House, tmp_path: Path) -> None:
    """Do what a worker does with the steps of imports."""
    rooms = house.rooms
    box = Sandbox(LIMITS, bubblewrap=False)
    profiles = rooms.books.profiles
    driver = ImportDriver(
        rooms.database, rooms.ids, rooms.license_types, ISSUERS, profiles, box, beside=False
    )
    step = StockImportStep(rooms.database, rooms.objects, driver)
    with rooms.database.reading() as uow:
        rows = uow.session.scalars(select(StepRow).where(StepRow.kind == STOCK_IMPORT_STEP)).all()
    for number, row in enumerate(rows):
        job = Job(row.id, row.kind, row.subject, row.job, 1, 0, None, "test")
        with rooms.database.writing() as uow:
            plan = step.plan(uow, job)
        if plan is None:
            continue
        step.perform(plan, Staging(tmp_path / f"staging-{number}", row.job))
        with rooms.database.writing() as uow:
            step.record(uow, job, plan, row.subject)


def count(house: House, model: type) -> int:
    with house.rooms.database.reading() as uow:
        return uow.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_trial_shows_what_would_happen_and_takes_over_nothing(house: House, tmp_path: Path) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    status, address = send(browser, "trial")
    assert status == 303
    assert "处理中" in browser.get(address).text
    work(house, tmp_path)
    page = browser.get(address).text
    assert "完成" in page
    assert "持证主体名称已被遮盖" in page
    assert count(house, License) == count(house, StockQuarantine) == 0


def test_an_import_is_followed_by_looking_again_and_reported_as_a_table(house: House, tmp_path: Path) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    status, address = send(browser, "import")
    assert status == 303
    assert send(browser, "import")[0] == 409
    work(house, tmp_path)
    page = browser.get(address).text
    with house.rooms.database.reading() as uow:
        (found,) = uow.session.scalars(select(StockRun)).all()
    assert f"<b>{found.accepted}</b>" in page
    assert count(house, License) == found.accepted
    report = browser.get(f"{address}/report.csv")
    assert report.headers["Content-Type"].startswith("text/csv")
    assert f"accepted,{found.accepted}\r\n" in report.text
    assert "excluded" in report.text
    assert not personal_in(report.text + page)
    assert {"stock.started", "stock.imported", "stock.ended"} <= set(house.acts())


def test_the_uploaded_file_lies_encrypted_and_is_erased_when_the_import_ends(
    house: House, tmp_path: Path
) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    send(browser, "trial")
    with house.rooms.database.reading() as uow:
        (found,) = uow.session.scalars(select(StockRun)).all()
    stored = house.rooms.objects.read(str(found.object_sha256))
    assert b"certificate_number" not in stored
    assert house.rooms.database.secrets.decrypt(stored[4:])[8:] == FEED
    work(house, tmp_path)
    with pytest.raises(ErasedError):
        house.rooms.database.secrets.decrypt(stored[4:])
    assert [path.name for path in tmp_path.rglob("feed*")] == []


@pytest.mark.parametrize(("data", "status"), [(b"", 422), (b"PK\x03\x04", 303)])
def test_what_is_no_file_of_records_ends_with_a_code_and_says_nothing_of_it(
    house: House, tmp_path: Path, data: bytes, status: int
) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    got, address = send(browser, "trial", data)
    assert got == status
    if status == 303:
        work(house, tmp_path)
        page = browser.get(address).text
        assert "workbook-damaged" in page
        assert "失败" in page


def test_a_record_is_seen_side_by_side_corrected_and_never_shown_again_in_lists(
    house: House, tmp_path: Path
) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    send(browser, "import")
    work(house, tmp_path)
    listed = browser.get("/licences/stock/quarantine?reason=name-masked").text
    assert "演*" not in listed
    address = next(iter(re.findall(r"/licences/stock/quarantine/[0-9a-z]{26}", listed)))
    page = browser.get(address).text
    assert "演*" in page or "演示＊＊公司" in page
    assert house.acts()[-1] == "stock.read"
    before = count(house, License)
    form = {"form_token": form_token(page), "reason": "与企业核对", "change:certificate_holder": "演*"}
    refused = browser.post(f"{address}/correction", data=form)
    assert refused.status_code == 422
    assert "持证主体名称已被遮盖" in refused.text
    form["change:certificate_holder"] = "演示已核对餐饮公司"
    assert browser.post(f"{address}/correction", data=form).status_code == 303
    assert count(house, License) == before + 1
    assert "更正后导入" in browser.get(address).text


def test_a_record_is_rejected_with_a_reason_and_others_are_tried_again(house: House, tmp_path: Path) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    send(browser, "import")
    work(house, tmp_path)
    listed = browser.get("/licences/stock/quarantine").text
    address = next(iter(re.findall(r"/licences/stock/quarantine/[0-9a-z]{26}", listed)))
    form = {"form_token": form_token(browser.get(address).text), "reason": ""}
    assert browser.post(f"{address}/rejection", data=form).status_code == 422
    assert browser.post(f"{address}/rejection", data=form | {"reason": "来源确认"}).status_code == 303
    again = {"form_token": form_token(listed), "profile": "provincial-exchange", "reason": ""}
    assert browser.post("/licences/stock/quarantine/retry", data=again).status_code == 303
    assert "stock.rejected" in house.acts()


@pytest.mark.parametrize("role", [Role.CLERK, Role.ARCHIVIST, Role.SUPERVISOR, Role.SYSTEM_ADMIN])
def test_nobody_but_a_licence_manager_imports(house: House, role: Role) -> None:
    browser = house.browser(role)
    for path in ("/licences/stock", "/licences/stock/quarantine", f"/licences/stock/runs/{'a' * 26}"):
        assert browser.get(path).status_code == 403


def test_another_department_sees_neither_run_nor_record(house: House, tmp_path: Path) -> None:
    own, other = house.browser(Role.LICENSE_MANAGER), house.browser(Role.LICENSE_MANAGER, "jtys")
    _, address = send(own, "import")
    work(house, tmp_path)
    listed = own.get("/licences/stock/quarantine").text
    record = next(iter(re.findall(r"/licences/stock/quarantine/[0-9a-z]{26}", listed)))
    assert other.get(address).status_code == 404
    assert other.get(record).status_code == 404
    assert "没有记录" in other.get("/licences/stock/quarantine").text


def test_the_command_tries_imports_and_goes_on(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, report = tmp_path / "feed.csv", tmp_path / "report.json"
    file.write_bytes(FEED)
    wanted = ("licence", "import", str(file), "--profile", "provincial-exchange")
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        managers = rooms.accounts.with_role(uow, Role.LICENSE_MANAGER)
    rooms.close()
    who = ("--as", managers[0].id)
    code, printed = run(*wanted, "--dry-run", *who, capsys=capsys)
    assert (code, "nothing written" in printed) == (1, True)
    code, printed = run(*wanted, "--resume", *who, capsys=capsys)
    assert code == 3
    code, printed = run(*wanted, "--json", "--report", str(report), *who, capsys=capsys)
    told = json.loads(printed)
    assert code == 1
    assert told == json.loads(report.read_text("utf-8"))
    assert told["read"] == 60 == told["accepted"] + told["quarantined"] + told["rejected"]
    assert not personal_in(printed)
    code, printed = run(*wanted, "--json", *who, capsys=capsys)
    assert json.loads(printed)["accepted"] == 0
    assert json.loads(printed)["duplicates"] >= told["accepted"]


def test_what_a_later_feed_says_is_compared_with_what_is_held_and_followed(
    house: House, tmp_path: Path
) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    cells = in_columns(dirty(13))
    send(browser, "import", json.dumps([cells]).encode())
    work(house, tmp_path / "first")
    later = cells | {"certificate_validate_end": "2030-10-16"}
    send(browser, "import", json.dumps([later]).encode())
    work(house, tmp_path / "second")
    listed = browser.get("/licences/stock/quarantine?reason=later-dates").text
    (address,) = set(re.findall(r"/licences/stock/quarantine/[0-9a-z]{26}", listed))
    page = browser.get(address).text
    assert "与库中记录比对" in page
    assert "<td>2025-10-16</td><td>2030-10-16</td>" in page
    form = {"form_token": form_token(page), "change": "renewal", "reason": " "}
    assert browser.post(f"{address}/following", data=form).status_code == 422
    assert browser.post(f"{address}/following", data=form | {"reason": "来源函告"}).status_code == 303
    assert count(house, License) == 2
    page = browser.get(address).text
    assert "更正后导入" in page
    assert "按来源登记" not in page


def test_a_page_says_why_its_source_cannot_be_followed(house: House, tmp_path: Path) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    cells = in_columns(dirty(13))
    send(browser, "import", json.dumps([cells]).encode())
    work(house, tmp_path / "first")
    send(browser, "import", json.dumps([cells | {"issue_date": "2019-10-17"}]).encode())
    work(house, tmp_path / "second")
    listed = browser.get("/licences/stock/quarantine?reason=later-dates").text
    (address,) = set(re.findall(r"/licences/stock/quarantine/[0-9a-z]{26}", listed))
    page = browser.get(address).text
    assert "颁发日期早于库中版本" in page
    assert f"{address}/following" not in page
