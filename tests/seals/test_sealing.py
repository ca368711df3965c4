# SPDX-License-Identifier: Apache-2.0
"""Use of seals: only an enabled seal whose scope covers the request, and every attempt leaves a record."""

import dataclasses
import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest
from fakes import HandClock, make_database
from press import DEPARTMENTS, Press
from sqlalchemy import select, text

from seals.demo_pki import DemoPki
from seals.demo_tsa import DemoTsa
from seals.errors import NotSealableError, SealRefusedError, TokenRefusedError
from seals.models import Seal, Sealing
from seals.orders import Placement, SealFacts, SealOrder, SealRequest
from seals.register import find_known, registered_seals, revoked_serials
from seals.sealing import SealingService
from seals.services import Scope, SealService
from seals.verdicts import State
from seals.verification import verify_pdf
from storage.clock import RandomIds
from storage.database import Database
from storage.errors import NotPermittedError
from storage.identity import Identity, Role, system_identity
from storage.ledger.models import LedgerAct

WORKER = system_identity("worker")
MAKER = Identity("person", "maker", "housing", frozenset({Role.SEAL_MANAGER}))
APPROVER = Identity("person", "approver", "housing", frozenset({Role.SEAL_MANAGER}))
REQUEST = SealRequest("housing", "item-1", "catalogue", "case-1", "dossier-1")


@pytest.fixture
def database(tmp_path: Path, clock: HandClock) -> Iterator[Database]:
    opened = make_database(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def service(pki: DemoPki, tsa: DemoTsa, clock: HandClock) -> SealingService:
    return SealingService(pki.keys, tsa, pki.trust, clock)


def register(database: Database, pki: DemoPki, department: str = "housing", **scope: tuple[str, ...]) -> str:
    with database.writing() as uow:
        seal, _ = SealService().register(
            uow,
            MAKER,
            name=dict(DEPARTMENTS)[department],
            department=department,
            key_reference=pki.seal_key(department),
            certificate=pki.certificate(department),
            scope=Scope(departments=(department,), **scope),
        )
        return seal.id


@pytest.fixture
def seal_id(database: Database, pki: DemoPki) -> str:
    created = register(database, pki)
    with database.writing() as uow:
        SealService().enable(uow, APPROVER, created)
    return created


def kinds(database: Database) -> list[tuple[str, str]]:
    with database.reading() as uow:
        rows = uow.session.scalars(select(LedgerAct).order_by(LedgerAct.recorded_at, text("rowid"))).all()
        return [(row.kind, row.outcome) for row in rows]


def refusal(database: Database, service: SealingService, request: SealRequest) -> str:
    """Plan, and let the recorded refusal commit, as callers must."""
    with database.writing() as uow:
        try:
            service.plan(uow, WORKER, request)
        except SealRefusedError as error:
            return str(error.facts["reason"])
    return ""


def test_intent_comes_before_and_outcome_after(
    database: Database, service: SealingService, seal_id: str, page: bytes, clock: HandClock
) -> None:
    with database.writing() as uow:
        order = service.plan(uow, WORKER, REQUEST)
    order = SealOrder.from_json(json.loads(json.dumps(order.as_json())))
    clock.advance(2)
    sealed = service.perform(order, page)
    facts = SealFacts.from_json(json.loads(json.dumps(sealed.facts.as_json())))
    assert facts == sealed.facts
    with database.writing() as uow:
        promise = service.record(uow, WORKER, order, facts)
    assert kinds(database)[-2:] == [("sealing.intended", "intended"), ("sealing.sealed", "done")]
    with database.reading() as uow:
        act = uow.session.get_one(LedgerAct, promise.core_sha256)
        row = uow.session.get_one(Sealing, order.sealing)
        assert act.intent == order.intent
        assert json.loads(act.core)["object"]["sha256"] == sealed.facts.after_sha256
        assert (row.state, row.seal_id, row.sealed_at) == ("sealed", seal_id, clock.now())
        assert row.before_sha256 == hashlib.sha256(page).hexdigest()
        found = find_known(uow.session, ["0" * 64, sealed.facts.signed_sha256])
        assert found is not None
        assert found[0].id == row.id
        trust = service._trust().with_seals(registered_seals(uow.session))
    assert verify_pdf(sealed.data, trust, found[1], clock.now()).state is State.VALID


def test_an_abandoned_intent_is_closed(database: Database, service: SealingService, seal_id: str) -> None:
    with database.writing() as uow:
        order = service.plan(uow, WORKER, REQUEST)
    with database.writing() as uow:
        service.abandon(uow, WORKER, order)
    assert ("sealing.abandoned", "abandoned") in kinds(database)
    with database.reading() as uow:
        assert uow.session.get_one(Sealing, order.sealing).state == "abandoned"


def test_only_a_covering_enabled_seal_is_used_and_refusals_are_recorded(
    database: Database, service: SealingService, pki: DemoPki
) -> None:
    assert refusal(database, service, REQUEST) == "no-seal"
    seal_id = register(database, pki, items=("item-1",), document_types=("catalogue",))
    assert refusal(database, service, REQUEST) == "seal-registered"
    manager = SealService()
    with database.writing() as uow:
        manager.enable(uow, APPROVER, seal_id)
    assert refusal(database, service, REQUEST) == ""
    for change in ({"department": "market"}, {"item": "item-2"}, {"document_type": "licence"}):
        expected = "no-seal" if "department" in change else "out-of-scope"
        assert refusal(database, service, dataclasses.replace(REQUEST, **change)) == expected
    with database.writing() as uow:
        manager.suspend(uow, APPROVER, seal_id, "audit")
    assert refusal(database, service, REQUEST) == "seal-suspended"
    with database.writing() as uow:
        manager.resume(uow, APPROVER, seal_id, "audit-closed")
    assert refusal(database, service, REQUEST) == ""
    with database.writing() as uow:
        manager.revoke(uow, APPROVER, seal_id, "lost")
    assert refusal(database, service, REQUEST) == "seal-revoked"
    assert kinds(database).count(("sealing.refused", "refused")) == 7
    with database.reading() as uow:
        serials = revoked_serials(uow.session)
        assert len(serials) == 1
        assert uow.session.scalars(select(Sealing).where(Sealing.state == "refused")).first() is not None


def test_who_manages_seals_does_not_use_them(
    database: Database, service: SealingService, seal_id: str
) -> None:
    with database.writing() as uow, pytest.raises(NotPermittedError):
        service.plan(uow, MAKER, REQUEST)


def test_who_uses_or_audits_does_not_manage(database: Database, seal_id: str) -> None:
    auditor = Identity("person", "auditor", "housing", frozenset({Role.AUDIT_ADMIN}))
    with database.writing() as uow:
        for seal in (seal_id, "no-such-seal"):
            with pytest.raises(NotPermittedError):
                SealService().suspend(uow, auditor, seal, "audit")
        (view,) = SealService().list(uow, auditor)
    assert (view.state, view.algorithm) == ("enabled", "rsa-3072")


def test_the_person_who_registered_does_not_enable(database: Database, pki: DemoPki) -> None:
    seal_id = register(database, pki)
    with database.writing() as uow, pytest.raises(SealRefusedError):
        SealService().enable(uow, MAKER, seal_id)


def test_a_certificate_is_registered_once(database: Database, pki: DemoPki, seal_id: str) -> None:
    with pytest.raises(SealRefusedError):
        register(database, pki)
    with database.reading() as uow:
        assert len(uow.session.scalars(select(Seal)).all()) == 1


def changed(page: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(page)) as document:
        change(document)
        document.save(out)
    return out.getvalue()


def _layers(document: pikepdf.Pdf) -> None:
    document.Root.OCProperties = pikepdf.Dictionary(OCGs=[])


def _script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="1")


def _form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[pikepdf.Dictionary(FT=pikepdf.Name.Tx)])


def _hidden(document: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Subtype=pikepdf.Name.Text, F=2, Rect=[0, 0, 1, 1])
    document.pages[0].obj.Annots = [note]


def _plain(document: pikepdf.Pdf) -> None:
    del document.Root.Metadata


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_layers, "catalog-ocproperties"),
        (_script, "open-action"),
        (_form, "form-fields"),
        (_hidden, "hidden-annotation"),
        (_plain, "not-pdfa"),
    ],
)
def test_what_could_show_something_else_later_is_not_sealed(
    press: Press, page: bytes, change: Callable[[pikepdf.Pdf], None], reason: str
) -> None:
    with pytest.raises(NotSealableError) as caught:
        press.seal(changed(page, change))
    assert caught.value.facts["reason"] == reason


def test_a_document_that_must_not_be_sealed_is_recorded_with_its_reason(
    database: Database, service: SealingService, seal_id: str, page: bytes
) -> None:
    with database.writing() as uow:
        order = service.plan(uow, WORKER, REQUEST)
    with pytest.raises(NotSealableError) as caught:
        service.perform(order, changed(page, _script))
    with database.writing() as uow:
        refused = caught.value.record(uow).core_sha256
        service.abandon(uow, WORKER, order)
    assert kinds(database)[-2:] == [("sealing.refused", "refused"), ("sealing.abandoned", "abandoned")]
    with database.reading() as uow:
        core = json.loads(uow.session.get_one(LedgerAct, refused).core)
    assert (core["object"]["id"], core["reasons"]) == (order.sealing, ["open-action"])


def test_a_file_with_revisions_is_not_sealed(press: Press, page: bytes) -> None:
    with pytest.raises(NotSealableError):
        press.seal(press.seal(page).data)
    table = page[page.rindex(b"startxref") :].split()[1]
    second = (
        page
        + b"xref\n0 0\ntrailer\n<</Size 100/Root 1 0 R/Prev "
        + table
        + b">>\nstartxref\n%d\n%%%%EOF\n" % len(page)
    )
    with pytest.raises(NotSealableError) as caught:
        press.seal(second)
    assert caught.value.facts["reason"] in {"several-revisions", "unreadable"}


@pytest.mark.parametrize("rubbish", [b"", b"%PDF-1.7\n%%EOF\n", b"no PDF"])
def test_rubbish_is_refused(press: Press, rubbish: bytes) -> None:
    with pytest.raises(NotSealableError):
        press.seal(rubbish)


@pytest.mark.parametrize(
    "stamp", [Placement(2, 10, 10, 42), Placement(1, 190, 10, 42), Placement(1, 10, 290, 42)]
)
def test_a_seal_off_the_page_is_refused(press: Press, page: bytes, stamp: Placement) -> None:
    with pytest.raises(NotSealableError):
        press.seal(page, stamp)


def test_a_missing_line_end_is_added(press: Press, page: bytes) -> None:
    assert press.seal(page.rstrip()).data.startswith(page)


class _Careless:
    """An authority whose tokens do not hold."""

    def __init__(self, real: DemoTsa) -> None:
        self._real = real

    def stamp(self, imprint: bytes, algorithm: str = "sha256", nonce: int | None = None) -> bytes:
        return self._real.stamp(hashlib.sha256(imprint).digest(), algorithm, nonce)


def test_a_token_that_does_not_hold_is_not_embedded(pki: DemoPki, clock: HandClock, page: bytes) -> None:
    press = Press(pki, _Careless(pki.tsa(RandomIds())), clock)
    with pytest.raises(TokenRefusedError):
        press.seal(page)
    with pytest.raises(TokenRefusedError):
        press.service.perform_detached(press.order(), b"data")


def test_a_stale_revocation_list_stops_sealing(press: Press, page: bytes) -> None:
    press.clock.advance(dt.timedelta(days=91).total_seconds())
    with pytest.raises(TokenRefusedError):
        press.seal(page)
    press.pki.write_revocations({})
    assert press.seal(page).facts.sealed_at == press.clock.now()


def test_sealing_changes_nothing_but_the_seal(press: Press, page: bytes) -> None:
    sealed = press.seal(page, Placement(1, 100, 100, 42)).data
    assert sealed.startswith(page)
    with pikepdf.open(io.BytesIO(page)) as before, pikepdf.open(io.BytesIO(sealed)) as after:
        assert before.Root.Metadata.read_bytes() == after.Root.Metadata.read_bytes()
        (widget,) = after.pages[0].obj.Annots
        form = widget.AP.N
        assert "/Font" not in form.get("/Resources", {})
        assert b"rg" in form.read_bytes()
        permission = after.Root.Perms.DocMDP.Reference[0].TransformParams.P
        assert permission == 2
