# SPDX-License-Identifier: Apache-2.0
"""The whole line with real parts: converter, typesetter, demo seals and time stamps, driven by the worker."""

import datetime as dt
import hashlib
import io
import shutil
from collections.abc import Collection, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from archive_world import CODES, World
from license_library import read_license_data
from PIL import Image

from archive.assembly import AssembleStep
from archive.checking import CheckStep
from archive.closure import AcceptStep
from archive.intake import announcement_of
from archive.numbering import NumberTemplates
from archive.rendering import RenderStep
from archive.sealing import SealStep
from archive.staging import Arrival
from archive.storing import ManifestStep, StoreStep
from cases.models import Holder
from documents.attempts import OriginalOnly, Rendition
from documents.conversion import Converter
from documents.ports import Renders
from documents.sandbox import Sandbox
from documents.typesetting import Typesetter
from licenses.catalogue import TypeCatalogue
from licenses.copies.making import CopyStep
from licenses.holdings import Holdings
from licenses.issuing import IssueStep
from licenses.ladder.forms import FormStep
from licenses.rules import RuleBook
from licenses.services import LicenseService
from portal.worker import Worker
from seals import demo_pki
from seals.keys import FileKeyStore
from seals.orders import SealOrder
from seals.register import registered_seals
from seals.sealing import SealingService
from seals.services import Scope, SealService
from seals.trust import TrustList
from seals.verdicts import Verdict
from seals.verification import verify_pdf
from storage.clock import RandomIds
from storage.database import UnitOfWork
from storage.identity import Identity, Role, system_identity

MANAGER = Identity("system", "seals", "scjg", frozenset({Role.SEAL_MANAGER}))
GRANTED: dict[str, Any] = {
    "result": "approved",
    "license": {
        "type": "11339999DEM0010178001",
        "number": "JY13399990000011",
        "issued_on": "2026-11-13",
        "valid_from": "2026-11-13",
        "valid_until": "2031-11-12",
        "face": {
            "legal_representative": "张演示",
            "domicile": "演示市演示路1号",
            "premises": "演示市演示路1号",
            "business_form": "餐饮服务经营者",
            "permitted_items": "热食类食品制售",
        },
    },
}


BUSINESS = {
    "type": "11100000MB0143028R001",
    "number": "91339999MADEM0011X",
    "issued_on": "2026-05-01",
    "face": {
        "entity_type": "有限责任公司",
        "legal_representative": "张演示",
        "scope": "食品销售",
        "registered_capital": "100万元",
        "founded_on": "2026-05-01",
        "domicile": "演示市演示路1号",
    },
}


@cache
def shared_typesetter() -> Typesetter:
    """Reading the font is the slow part."""
    return Typesetter()


@cache
def shared_sandbox() -> Sandbox:
    """Trying bubblewrap is the slow part."""
    return Sandbox()


class Remembering:
    """Converts really, but the same bytes once only; that they give the same again is shown elsewhere."""

    def __init__(self, converter: Renders) -> None:
        self._converter = converter
        self._made: dict[bytes, tuple[Rendition | OriginalOnly, bytes | None]] = {}

    def render(self, source: Path, out: Path) -> Rendition | OriginalOnly:
        key = hashlib.sha256(source.read_bytes()).digest()
        if key not in self._made:
            result = self._converter.render(source, out)
            self._made[key] = result, out.read_bytes() if out.exists() else None
            return result
        result, data = self._made[key]
        if data is not None:
            out.write_bytes(data)
        return result


@cache
def shared_converter() -> Remembering:
    return Remembering(Converter(shared_sandbox()))


class NoSealRevoked:
    def revocations(self, uow: UnitOfWork, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        return {}


class Line(World):
    """One installation with every step of the line; ``authority`` is copied: keys are slow to make."""

    def __init__(self, folder: Path, authority: Path, converter: Renders | None = None) -> None:
        super().__init__(folder)
        shutil.copytree(authority, folder / "authority")
        keys = FileKeyStore(folder / "authority" / "keys")
        self.pki = demo_pki.DemoPki(folder / "authority" / "pki", keys, self.clock)
        self.ids = RandomIds()
        self.sandbox = shared_sandbox()
        self.converter: Renders = converter or shared_converter()
        self.typesetter = shared_typesetter()
        self.sealing = SealingService(keys, self.pki.tsa(self.ids), self.pki.trust, self.clock)
        self.seals = SealService()
        self.holdings = Holdings(TypeCatalogue.load(), NoSealRevoked())
        self.licenses = LicenseService(self.holdings.types, self.items, self.holders)
        self.seal_id = self._register()

    def _register(self) -> str:
        with self.database.writing() as uow:
            seal, _ = self.seals.register(
                uow,
                MANAGER,
                name="演示市市场监督管理局",
                department="scjg",
                key_reference=self.pki.seal_key("scjg"),
                certificate=self.pki.certificate("scjg"),
                scope=Scope(("scjg",)),
            )
            self.seals.enable(uow, MANAGER, seal.id)
        return seal.id

    def trust(self) -> TrustList:
        with self.database.reading() as uow:
            return self.pki.trust().with_seals(registered_seals(uow.session))

    def check(self, path: Path, at: dt.datetime) -> Verdict:
        return verify_pdf(path.read_bytes(), self.trust(), None, at)

    @cached_property
    def worker(self) -> Worker:
        steps = [
            AcceptStep(self.objects, self.items, self.holders, self.cases, self.licenses),
            CheckStep(self.objects, self.items, self.sandbox),
            RenderStep(self.objects, self.converter, self, self.clock),
            AssembleStep(
                self.objects, self.items, self.cases, self.holders, NumberTemplates.load(), self.sandbox
            ),
            SealStep(self.objects, self.items, self.typesetter, self.sealing, self.sandbox),
            ManifestStep(self.objects, self.sealing),
            StoreStep(self.objects),
            IssueStep(
                self.holdings,
                self.items,
                self.holders,
                self.typesetter,
                self.sealing,
                self.objects,
                public_url="http://127.0.0.1:8321",
                demo=True,
            ),
            CopyStep(self.holdings, self.typesetter, self.sealing, self.objects, "http://127.0.0.1:8321"),
            FormStep(
                RuleBook.load(),
                self.items,
                self.holders,
                self.typesetter,
                self.sealing,
                self.objects,
                demo=True,
            ),
        ]
        table = {step.kind: step for step in steps}
        return Worker(self.database, table, self.folder / "staging", self.clock, self.ids)

    def run(self, most: int = 60) -> int:
        """Run steps until nothing is to be done now."""
        done = 0
        while done < most and self.worker.run_one():
            done += 1
        return done

    def seal_foreign(self, pdf: bytes) -> bytes:
        """The same file, sealed by a department whose seal stands in no register."""
        order = SealOrder(
            "0" * 26,
            "0" * 64,
            "foreign",
            "演示市交通运输局",
            "jtys",
            self.pki.seal_key("jtys"),
            self.pki.certificate("jtys"),
            "decision",
            None,
            "object",
            "system",
            None,
        )
        return self.sealing.perform(order, pdf).data

    def page(self, shade: int) -> bytes:
        """A PDF/A file that our own converter made of a picture."""
        source, out = self.folder / "picture", self.folder / "page.pdf"
        source.write_bytes(picture(shade))
        out.unlink(missing_ok=True)
        made = self.converter.render(source, out)
        assert isinstance(made, Rendition)
        return out.read_bytes()

    def content(self, **replaced: bytes) -> Mapping[str, bytes]:
        """One PNG per required material, some replaced."""
        made = {code: picture(10 * place) for place, (code, _) in enumerate(CODES, 1)}
        return made | {name.replace("_", "-"): data for name, data in replaced.items()}

    def granted(
        self,
        content: Mapping[str, bytes] | None = None,
        types: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Arrival:
        """A granted case; media types are declared by the first bytes unless given."""
        content = content or self.content()
        declared = {
            code: "application/pdf" if data[:5] == b"%PDF-" else "image/png" for code, data in content.items()
        }
        return self.arrival(content, declared | dict(types or {}), **(GRANTED | changes))


class Canned:
    """A converter that gives every material the same page; conversion has its own suite."""

    def __init__(self, page: bytes) -> None:
        self.page = page

    def render(self, source: Path, out: Path) -> Rendition | OriginalOnly:
        out.write_bytes(self.page)
        return Rendition("canned", "3b", 1, kept=False, attempts=())


class Unconvertible:
    """A converter that converts nothing."""

    def render(self, source: Path, out: Path) -> Rendition | OriginalOnly:
        return OriginalOnly("not-conformant")


def picture(shade: int = 90, form: str = "PNG") -> bytes:
    """A small picture with something to see."""
    image = Image.linear_gradient("L").resize((200, 280)).convert("RGB")
    image.paste((shade, 30, 30), (20, 20, 120, 60))
    out = io.BytesIO()
    image.save(out, form, dpi=(100, 100))
    return out.getvalue()


def make_authority(folder: Path, world: World) -> Path:
    """Make the demo authority once."""
    demo_pki.create(
        folder / "pki",
        FileKeyStore(folder / "keys"),
        world.clock,
        [("scjg", "演示市市场监督管理局"), ("jtys", "演示市交通运输局")],
    )
    return folder


def issue_business_license(line: Line) -> None:
    """Another case gave the holder a business licence earlier."""
    announced = line.granted(
        number="EARLIER",
        item={"code": "339999010001", "edition": "2026-03"},
        accepted_at="2026-04-20T09:00:00+08:00",
        closed_at="2026-05-01T09:00:00+08:00",
    )
    system = system_identity("test")
    with line.database.writing() as uow:
        case = line.cases.ensure_case(uow, system, announcement_of(announced.submission))
        item = line.items.get("339999010001", "2026-03")
        holder = uow.session.get_one(Holder, case.holder_id)
        line.licenses.reserve(uow, system, case, item, holder, read_license_data(BUSINESS))
    line.run()
