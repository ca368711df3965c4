# SPDX-License-Identifier: Apache-2.0
"""The line from receipt to filed dossier, with real conversion, typesetting, seals and time stamps."""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from archive_line import BUSINESS, GRANTED, Line, issue_business_license, picture
from archive_world import CLIENT, NAMED
from fakes import ORIGIN, make_database
from granting import grant
from pdf_text import text_of
from sqlalchemy import select

from archive.intake import announcement_of
from archive.models import Dossier, DossierMember, Filing, FilingMaterial, FilingState, MaterialOutcome, Role
from archive.names import sent_names
from archive.numbering import report
from licenses.answers import AnswerKeys, verify_answer
from licenses.decisions import ProofService
from licenses.models import License
from licenses.questions import ProofQuestion
from licenses.rules import RuleBook
from seals.verdicts import State
from seals.verification import verify_detached, verify_pdf
from storage.base import Base
from storage.identity import system_identity
from storage.ledger.entries import entry_bytes, entry_prefix, parse_entry
from storage.ledger.models import LedgerAct, LedgerPending
from storage.ledger.rebuild import ReplayItem, replay
from storage.objects.ports import object_key
from storage.steps import StepRow

REBUILT = (
    "holder",
    "case_record",
    "filing",
    "filing_material",
    "dossier",
    "dossier_member",
    "number_series",
    "number_reservation",
    "license",
    "license_event",
    "license_usage",
    "license_decision",
    "license_reliance",
    "seal",
    "seal_event",
    "sealing",
)
ASKER = dataclasses.replace(
    CLIENT, scopes=frozenset({"ask", "read"}), operator="operator-7", items=frozenset({"339999010002"})
)


def ask(line: Line) -> str:
    """A window asks for the open case; gives the signed answer."""
    keys = AnswerKeys(line.folder / "answers")
    proofs = ProofService(RuleBook.load(), line.holdings, line.cases, keys)
    open_case = dataclasses.replace(announcement_of(line.granted().submission), closed_at=None)
    with line.database.writing() as uow:
        line.cases.announce(uow, system_identity("test"), open_case)
        grant(uow, ASKER.items, organisation=ASKER.organisation)
    question = ProofQuestion("yctb", "ZJ-2026-000131", "339999010002", "accept")
    with line.database.writing() as uow:
        answered = proofs.ask(uow, ASKER, question)
    assert verify_answer(answered.jws, keys.jwks()).decision["id"] == answered.decision.id
    return answered.jws


@dataclasses.dataclass
class Filed:
    """One installation in which a case was asked about and then filed."""

    line: Line
    answer: str
    filing: Filing
    dossier: Dossier
    materials: dict[str, FilingMaterial]
    members: Sequence[DossierMember]

    def of(self, role: Role) -> list[DossierMember]:
        return [member for member in self.members if member.role == role]

    def read(self, member: DossierMember) -> bytes:
        return self.line.objects.read(member.sha256)


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory, authority_folder: object) -> Filed:
    line = Line(tmp_path_factory.mktemp("line"), authority_folder)  # type: ignore[arg-type]
    issue_business_license(line)
    answer = ask(line)
    line.clock.advance(60)
    page = line.page(200)
    content = line.content(
        layout=page,
        safety_rules=b"%PDF-1.4\n1 0 obj << /Type /Catalog",
        acceptance_notice=line.seal_foreign(line.page(100)),
        health_certificate=b"an unknown format",
    )
    types = {"health-certificate": "application/ofd"}
    received = line.file(line.granted(content, types))
    line.run()
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        dossier = uow.session.scalars(select(Dossier)).one()
        materials = uow.session.scalars(select(FilingMaterial)).all()
        members = uow.session.scalars(select(DossierMember).order_by(DossierMember.position)).all()
        uow.session.expunge_all()
        return Filed(line, answer, filing, dossier, {one.code: one for one in materials}, members)


def test_the_case_is_filed_with_number_and_retention(filed: Filed) -> None:
    assert filed.filing.state == FilingState.FILED
    assert filed.dossier.archival_number == "Z901-ZY·XK·2026·D30-00001"
    assert filed.dossier.title == "浙江演示甲餐饮有限公司食品经营许可核发"
    assert filed.dossier.retention_zh == "准予食品经营许可的案卷保管30年"
    with filed.line.database.reading() as uow:
        assert [one.gaps for one in report(uow)] == [()]


def test_each_material_ends_as_what_it_is(filed: Filed) -> None:
    outcomes = {code: (one.outcome, one.reason) for code, one in filed.materials.items()}
    assert outcomes == {
        "application-form": (MaterialOutcome.CONVERTED, None),
        "layout": (MaterialOutcome.KEPT, None),
        "safety-rules": (MaterialOutcome.ORIGINAL_ONLY, "damaged"),
        "acceptance-notice": (MaterialOutcome.SEALED_KEPT, None),
        "decision": (MaterialOutcome.CONVERTED, None),
        "health-certificate": (MaterialOutcome.ORIGINAL_ONLY, "unsupported-format"),
    }
    assert filed.filing.original_only == 2
    assert [finding["code"] for finding in filed.filing.findings] == ["W03"]  # type: ignore[index,call-overload]


def test_originals_are_members_byte_for_byte(filed: Filed) -> None:
    originals = {member.code: member.sha256 for member in filed.of(Role.ORIGINAL)}
    assert originals == {code: one.sha256 for code, one in filed.materials.items()}


def test_a_foreign_seal_is_verified_and_its_file_left_alone(filed: Filed) -> None:
    verdict = filed.materials["acceptance-notice"].verdict
    assert isinstance(verdict, dict)
    assert verdict["state"] != "invalid"
    assert verdict["at"]
    assert filed.materials["acceptance-notice"].rendition_sha256 is None


def test_what_we_made_is_sealed_and_nothing_else(filed: Filed) -> None:
    ours = [*filed.of(Role.RENDITION), *filed.of(Role.CATALOGUE)]
    assert len(ours) == 3
    for member in ours:
        verdict = verify_pdf(filed.read(member), filed.line.trust(), None, filed.line.clock.now())
        assert (verdict.state, verdict.signatures[0].department) == (State.VALID, "scjg")
    sealed = {member.code for member in filed.members if member.sealing_act and member.role == Role.RENDITION}
    assert sealed == {"application-form", "decision"}


def test_a_sealed_rendition_begins_with_the_converted_bytes(filed: Filed) -> None:
    material = filed.materials["decision"]
    assert material.rendition_sha256
    assert material.sealed_sha256
    before = filed.line.objects.read(material.rendition_sha256)
    assert filed.line.objects.read(material.sealed_sha256).startswith(before)


def test_the_catalogue_names_every_other_member_as_it_is_filed(filed: Filed) -> None:
    (catalogue,) = filed.of(Role.CATALOGUE)
    text = "".join(text_of(filed.read(catalogue)).split())
    assert catalogue.position == 1
    assert [member.position for member in filed.members] == list(range(1, len(filed.members) + 1))
    assert filed.dossier.archival_number in text
    for member in filed.members[1:]:
        assert member.sha256 in text
    assert "仅存原件" in text
    assert NAMED not in text


def test_licence_answer_and_relied_on_licence_are_joined_in(filed: Filed) -> None:
    (own,) = filed.of(Role.LICENCE)
    (called_up,) = filed.of(Role.CALLED_UP)
    (decision,) = filed.of(Role.DECISION)
    with filed.line.database.reading() as uow:
        assert uow.session.get_one(License, own.reference).case_id == filed.dossier.case_id
        assert uow.session.get_one(License, called_up.reference).type_code == BUSINESS["type"]
    assert filed.read(decision).decode() == filed.answer
    assert filed.read(own).startswith(b"%PDF-")


def test_the_manifest_is_sealed_and_names_members_and_acts_without_names(filed: Filed) -> None:
    line, key = filed.line, filed.dossier.manifest_key
    assert key == f"m/Z901/2026/{filed.dossier.id}/1.json"
    data = line.objects.read_named(key)
    seal = line.objects.read_named(key + ".p7s")
    assert verify_detached(data, seal, line.trust(), line.clock.now()).state is State.VALID
    assert verify_detached(data + b" ", seal, line.trust(), line.clock.now()).state is State.INVALID
    manifest = json.loads(data)
    assert manifest["v"] == 2
    assert [one["sha256"] for one in manifest["members"]] == [member.sha256 for member in filed.members]
    # A folder keeps no versions, and says so.
    assert [(one["key"], one["version_id"]) for one in manifest["members"]] == [
        (object_key(member.sha256), None) for member in filed.members
    ]
    assert "演示" not in data.decode()
    assert "MADEM" not in data.decode()
    with line.database.reading() as uow:
        acts = {act.act_id: act.kind for act in uow.session.scalars(select(LedgerAct))}
    named = Counter(acts[entry["act"]] for entry in manifest["acts"])
    assert named["filing.received"] == named["filing.checked"] == named["license.issued"] == 1
    assert named["material.converted"] == len(filed.materials)


def test_names_as_sent_stand_in_clear_nowhere_but_in_what_was_sent(filed: Filed) -> None:
    """Only the metadata as received hold them, and they read back from under the holder's key."""
    line = filed.line
    with line.database.reading() as uow:
        for table in Base.metadata.sorted_tables:
            for row in uow.session.execute(table.select()):
                assert NAMED not in repr(row), table.name
                assert NAMED.encode() not in b"".join(one for one in row if isinstance(one, bytes))
        sent = {code: sent_names(uow, one).file_name for code, one in filed.materials.items()}
    assert sent == {code: f"{NAMED}-{code}.pdf" for code in filed.materials}
    (metadata,) = filed.of(Role.METADATA)
    assert NAMED in filed.read(metadata).decode()


def test_members_bear_the_titles_of_the_items_catalogue(filed: Filed) -> None:
    item = filed.line.items.get("339999010002", "2026-03")
    for member in filed.of(Role.ORIGINAL):
        rule = item.material(member.code)
        assert rule
        assert member.title == rule.zh
    names = {member.code: member.file_name for member in filed.of(Role.ORIGINAL)}
    assert names["application-form"] == "001-application-form.png"
    assert names["health-certificate"] == "006-health-certificate.bin"


def test_every_intent_has_one_outcome(filed: Filed) -> None:
    with filed.line.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct)).all()
    intents = {act.act_id for act in acts if act.outcome == "intended"}
    closing = Counter(act.intent for act in acts if act.intent)
    assert closing == Counter(intents)


def test_the_check_report_is_a_member_and_claims_no_scan(filed: Filed) -> None:
    (member,) = filed.of(Role.CHECKS)
    checks = json.loads(filed.read(member))
    verdicts = {entry["code"]: entry["verdict"] for entry in checks["properties"]}
    assert verdicts["F-4-1"] == "person"
    assert verdicts["F-2-3"] == "pass"
    assert verdicts["F-3-2"] == "warn"


def test_nothing_waits_and_nothing_is_left_in_staging(filed: Filed) -> None:
    with filed.line.database.reading() as uow:
        open_kinds = set(uow.session.scalars(select(StepRow.kind).where(StepRow.state != "done")))
    assert open_kinds == {"index.put"}
    assert list((filed.line.folder / "staging").iterdir()) == []


def test_a_failed_material_returns_the_filing_and_the_licence_stands(line: Line) -> None:
    received = line.file(line.granted({"application-form": picture(), "layout": b"", "health": picture(9)}))
    line.run()
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        first = uow.session.scalars(select(License)).one()
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "filing.returned")).one()
    codes = Counter(finding["code"] for finding in filing.findings)  # type: ignore[index,call-overload]
    assert filing.state == FilingState.RETURNED
    assert codes == Counter({"M03": 3, "M05": 1, "M06": 1, "M11": 1})
    assert json.loads(act.core)["reasons"] == sorted(codes)
    assert first.issued_at is not None
    again = line.file(line.granted())
    line.worker.run_one()
    with line.database.reading() as uow:
        second = uow.session.get_one(Filing, again.filing_id)
        assert (second.state, second.attempt) == (FilingState.ACCEPTED, 2)
        assert second.license_id == first.id
        assert uow.session.scalars(select(License)).one().id == first.id


def test_a_bomb_is_quarantined(line: Line, bomb: bytes) -> None:
    content = {"application-form": bomb}
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    received = line.file(line.granted(content, {"application-form": docx}))
    line.run()
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
    assert filing.state == FilingState.QUARANTINED
    assert "Q01" in {finding["code"] for finding in filing.findings}  # type: ignore[index,call-overload]


CHANGED = {
    "C01": {"item": {"code": "339999010001", "edition": "2026-03"}},
    "C02": {"holder": {"scheme": "001", "code": "91339999MADEM002XM", "name": "演示另一家有限公司"}},
    "C03": {"holder": {"scheme": "001", "code": "91339999MADEM0012X", "name": "演示"}},
    "C04": {"closed_at": "2026-11-25T16:00:00+08:00"},
    "C05": {"license": None},
    "C06": {"license": GRANTED["license"] | {"valid_until": None}},
    "C07": {"result": "refused"},
}


@pytest.mark.parametrize("code", sorted(CHANGED))
def test_a_closure_that_contradicts_the_announced_case_is_returned(line: Line, code: str) -> None:
    opened = dataclasses.replace(announcement_of(line.granted().submission), closed_at=None)
    with line.database.writing() as uow:
        case, _ = line.cases.announce(uow, system_identity("test"), opened)
    received = line.file(line.granted(**CHANGED[code]))
    assert line.run() == 1
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        assert filing.state == FilingState.RETURNED
        assert code in {finding["code"] for finding in filing.findings}  # type: ignore[index,call-overload]
        assert uow.session.scalars(select(License)).all() == []
        assert uow.session.get_one(type(case), case.id).closed_at is None


def test_a_licence_number_in_use_is_returned(line: Line) -> None:
    line.file(line.granted())
    line.worker.run_one()
    received = line.file(line.granted(number="ZJ-2026-000132"))
    with line.database.writing() as uow:
        uow.session.query(StepRow).filter(StepRow.kind != "archive.accept").delete()
    line.run()
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
    assert [finding["code"] for finding in filing.findings] == ["C08"]  # type: ignore[index,call-overload]
    assert filing.decided_at == line.clock.now()


def test_the_holdings_are_rebuilt_from_the_details_of_acts_alone(filed: Filed, tmp_path: Path) -> None:
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    with filed.line.database.reading() as uow:
        order = uow.session.execute(
            select(LedgerAct.core, LedgerAct.detail)
            .join(LedgerPending, LedgerPending.act_id == LedgerAct.act_id)
            .order_by(LedgerPending.position)
        )
        prefix = entry_prefix(ORIGIN)
        items = []
        for seq, (core, detail) in enumerate(order):
            data = entry_bytes("2026-11-24T01:00:00.000000Z", core, prefix, bytes(32), seq)
            items.append(ReplayItem(seq, data, parse_entry(data), detail))
    (tmp_path / "rebuilt").mkdir()
    rebuilt = make_database(tmp_path / "rebuilt", filed.line.clock)
    with rebuilt.writing() as uow:
        replay(uow.session, iter(items), filed.line.database.secrets.decrypt, tables)
    for name in REBUILT:
        rows = []
        for database in (filed.line.database, rebuilt):
            with database.reading() as uow:
                key = list(tables[name].primary_key)
                rows.append(uow.session.execute(select(tables[name]).order_by(*key)).all())
        assert rows[0] == rows[1], name
        assert rows[0], name
    rebuilt.close()
