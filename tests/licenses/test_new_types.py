# SPDX-License-Identifier: Apache-2.0
"""A licence of a type that no release knows: proposed, approved, issued; older ones stay as they were."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from editions import NEW_TYPE, new_edition, new_types, type_entry
from fakes import HandClock
from license_library import COMPANY, FOOD, WORKER, Library, license_data
from pdf_text import text_of

from cases.models import Holder
from cases.services import Announcement
from documents.typesetting import Typesetter
from licenses.errors import LicenseDataError, UnknownTypeError
from licenses.issuing import IssueStep, index_document
from licenses.models import License
from licenses.preview import sample_face
from licenses.relation_table import RelationBook
from licenses.rules import RuleBook
from licenses.standings import RegisterStandings
from licenses.stock.profiles import ProfileBook
from portal.books import Books
from portal.editions.grounds import Catalogues
from portal.editions.services import EditionService
from portal.worker import Worker
from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.keys import FileKeyStore
from seals.sealing import SealingService
from seals.services import Scope, SealService
from storage.clock import RandomIds
from storage.identity import Identity, Role
from storage.objects.folder import FolderStore

SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
BOOKS = Books(ProfileBook.load(), RelationBook.load())
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))


class Office:
    """A library whose licences are really set and sealed."""

    def __init__(self, folder: Path, pki: DemoPki) -> None:
        self.library = Library(folder, RegisterStandings())
        self.objects = FolderStore(folder / "objects")
        library = self.library
        step = IssueStep(
            library.holdings,
            library.items,
            library.holders,
            Typesetter(),
            SealingService(pki.keys, pki.tsa(RandomIds()), pki.trust, library.clock),
            self.objects,
            public_url="http://127.0.0.1:8321",
            demo=True,
        )
        self.worker = Worker(
            library.database, {step.kind: step}, folder / "staging", library.clock, RandomIds()
        )
        with library.database.writing() as uow:
            seal, _ = SealService().register(
                uow,
                WORKER,
                name="演示市市场监督管理局",
                department="scjg",
                key_reference=pki.seal_key("scjg"),
                certificate=pki.certificate("scjg"),
                scope=Scope(("scjg",)),
            )
            SealService().enable(uow, WORKER, seal.id)

    def agree(self, data: bytes) -> None:
        """Propose and approve, each by another person."""
        service, database = (
            EditionService(Catalogues(self.library.items, self.library.types, RuleBook.load(), BOOKS)),
            self.library.database,
        )
        made = database.write(lambda uow: service.propose(uow, SYSTEM, data, "新设证照类型").id)
        database.write(lambda uow: service.approve(uow, SECURITY, made, "已核对"))

    def issue(self, edition: str = "2027-01", **data: Any) -> License:
        """File an approved case under an edition of the item, and issue its licence."""
        library, number = self.library, data.pop("case")
        item, now = library.items.get("339999010002", edition), library.clock.now()
        announced = Announcement("ycsl", number, item.code, item.edition, *COMPANY, item.department, now, now)
        with library.database.writing() as uow:
            case = library.cases.announce(uow, WORKER, announced)[0]
            holder = uow.session.get_one(Holder, case.holder_id)
            reserved = library.service.reserve(uow, WORKER, case, item, holder, license_data(**data))
        while self.worker.run_one():
            library.clock.advance(1)
        with library.database.reading() as uow:
            return uow.session.get_one(License, reserved.id)

    def page(self, license_: License) -> str:
        return text_of(self.objects.read(str(license_.object_sha256)))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    folder = tmp_path_factory.mktemp("authority")
    names = [("scjg", "演示市市场监督管理局")]
    return demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), HandClock(), names)


@pytest.fixture
def office(tmp_path: Path, authority: DemoPki) -> Iterator[Office]:
    made = Office(tmp_path, authority)
    yield made
    made.library.database.close()


def stated(office: Office, **changes: Any) -> dict[str, Any]:
    """Give data for a licence of the new type."""
    kind = office.library.types.get(NEW_TYPE)
    face = {field.name: sample_face(kind)[field.name] for field in kind.fields if field.source is None}
    return {"type_code": NEW_TYPE, "face": face, "number": "演新许00000001", "serial": "00000001"} | changes


def test_a_new_type_is_issued_without_code_or_release(office: Office) -> None:
    with pytest.raises(UnknownTypeError):
        office.library.types.get(NEW_TYPE)
    office.agree(new_types())
    office.agree(new_edition(license_type=NEW_TYPE))
    license_ = office.issue(case="C-1", **stated(office))
    assert license_.identifier.startswith(f"1.2.156.3005.2.{NEW_TYPE}.")
    assert (license_.type_version, license_.issued_at is not None) == ("2027-01", True)
    page = office.page(license_)
    for words in ("演示新设经营许可证", "分支机构", "演示市样例农资有限公司第一门店"):
        assert words in page
    with pikepdf.open(io.BytesIO(office.objects.read(str(license_.object_sha256)))) as pdf:
        metadata = pdf.attachments["metadata.json"].get_file().read_bytes().decode()
    assert "演示市样例农资有限公司第一门店" in metadata
    with office.library.database.reading() as uow:
        document = index_document(uow, office.library.holdings, license_.id)
    assert document is not None
    assert "第一门店" in document.text


def test_data_are_held_to_the_version_that_issues(office: Office) -> None:
    office.agree(new_types())
    office.agree(new_edition(license_type=NEW_TYPE))
    bad = stated(office)
    bad["face"]["scope"] = "农药和烟花"
    with pytest.raises(LicenseDataError) as error:
        office.issue(case="C-1", **bad)
    assert error.value.facts == {"field": "scope", "rule": "choice"}


def test_a_licence_is_drawn_and_read_as_its_type_was_when_it_was_issued(office: Office) -> None:
    old = office.issue("2026-03", case="C-1", type_code=FOOD)
    entry = type_entry(FOOD)
    later = [one for one in entry["fields"] if one["name"] != "premises"]
    renamed = [one | {"zh": "获准项目"} if one["name"] == "permitted_items" else one for one in later]
    office.agree(new_types(code=FOOD, fields=renamed, zh="食品经营许可证（新）"))
    face = {name: value for name, value in license_data(FOOD).face.items() if name != "premises"}
    new = office.issue("2026-03", case="C-2", type_code=FOOD, face=face, number="N2")
    assert (old.type_version, new.type_version) == ("2026-01", "2027-01")
    assert "获准项目" in office.page(new)
    holdings = office.library.holdings
    with office.library.database.reading() as uow:
        documents = [index_document(uow, holdings, one.id) for one in (old, new)]
    assert [one.title for one in documents if one] == ["食品经营许可证", "食品经营许可证（新）"]
    assert [one is not None and "示范路1号" in one.text for one in documents] == [True, False]


def test_a_division_has_its_own_template(office: Office) -> None:
    office.agree(new_types(division_templates={"339999": "certificate.typ"}))
    kind = office.library.types.get(NEW_TYPE)
    assert kind.template_for("11339999DEM0010178") == "certificate.typ"
    office.agree(new_edition(license_type=NEW_TYPE))
    license_ = office.issue(case="C-1", **stated(office))
    assert "电子证照" not in office.page(license_), "the usual template says so, the division's does not"


def test_no_licence_is_issued_of_a_type_that_was_cancelled_meanwhile(office: Office) -> None:
    office.agree(new_types(code=FOOD, state="cancelled"))
    with pytest.raises(UnknownTypeError):
        office.issue("2026-03", case="C-1", type_code=FOOD)
