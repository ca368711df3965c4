# SPDX-License-Identifier: Apache-2.0
"""Annotated copies: what leaves the library is bound to a purpose, made of the sealed bytes, and kept.

Existing systems hand out the original where no purpose is given, re-render copies from current rows without
asking for the status, and delete them with the licence. Each rule here says which of these it ends.
"""

import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable

import pikepdf
import pytest
from copy_desk import Desk
from license_house import House
from license_library import (
    CLERK,
    CLIENT,
    COMPANY,
    FOOD,
    GROUNDS,
    MANAGER,
    OTHER,
    SUPERVISOR,
    on_case,
)
from sqlalchemy import delete, select

from cases.models import Case
from licenses.copies import making
from licenses.copies.checking import CopyChecker
from licenses.copies.errors import (
    CopyLinkError,
    CopyNotReadyError,
    CopyPurposeError,
    CopyRefusedError,
    CopyTermError,
    CopyUnknownError,
)
from licenses.copies.models import CopyLink
from licenses.copies.terms import copy_terms
from licenses.errors import CodeUnknownError, LicenseHiddenError
from licenses.metadata import from_xml
from licenses.models import License
from licenses.resuming import resume_copying
from seals.register import registered_seals
from seals.resuming import abandon_open
from seals.sealing import REFUSED_RETRY_SECONDS
from seals.services import SealService
from seals.verdicts import State
from seals.verification import verify_pdf
from storage.failpoints import FAILPOINTS
from storage.identity import PUBLIC, AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct
from storage.objects.ports import ObjectDamagedError
from storage.steps import StepRow

ARCHIVIST = Identity("person", "archivist-1", "scjg", frozenset({Role.ARCHIVIST}))
POINTS = tuple(one for one in FAILPOINTS if one.startswith("license.copy."))


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def embedded(data: bytes) -> dict[str, bytes]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return {name: pdf.attachments[name].get_file().read_bytes() for name in pdf.attachments}


def digests_inside(data: bytes) -> set[str]:
    """Give the digest of each stream in a PDF, whatever refers to it."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        streams = [one for one in pdf.objects if isinstance(one, pikepdf.Stream)]
        return {hashlib.sha256(one.read_bytes()).hexdigest() for one in streams if _decodes(one)}


def _decodes(stream: pikepdf.Stream) -> bool:
    return stream.get("/Filter", pikepdf.Name.FlateDecode) == pikepdf.Name.FlateDecode


def test_a_copy_is_sealed_by_itself_and_does_not_carry_the_bare_original(desk: Desk) -> None:
    copy = desk.made()
    data = desk.data(copy)
    assert set(embedded(data)) == {"metadata.json", "metadata.xml"}
    assert desk.licence.object_sha256 not in digests_inside(data)
    with desk.database.reading() as uow:
        trust = desk.house.pki.trust().with_seals(registered_seals(uow.session))
    now = desk.house.library.clock.now()
    own = verify_pdf(data, trust, None, now)
    assert own.state == State.VALID
    assert [one.kind for one in own.signatures] == ["certification"]
    assert desk.licence.object_sha256 != copy.object_sha256


def test_the_metadata_say_of_which_original_for_what_by_whom_and_until_when(desk: Desk) -> None:
    copy = desk.made(days=10)
    files = embedded(desk.data(copy))
    stated = json.loads(files["metadata.json"])
    assert stated["original"] == {
        "identifier": desk.licence.identifier,
        "sha256": desk.licence.object_sha256,
    }
    assert stated["certificateHolderCode"] == COMPANY[1]
    assert stated["certificate_copy_cause"] == "收件受理"
    assert stated["certificate_copy_creator"] == "演示市市场监督管理局"
    assert stated["certificate_copy_expiring_time"] == copy.valid_until.isoformat() == "2026-12-03"
    items = from_xml(files["metadata.xml"])
    assert items["identifier"] == desk.licence.identifier
    assert (items["copy_purpose"], items["copy_valid_until"]) == ("收件受理", "2026-12-03")
    assert items["KZ_ORIGINAL_SHA256"] == desk.licence.object_sha256
    assert b'Name="JZJZZSJ"' in files["metadata.xml"]


def test_a_copy_shows_what_the_sealed_bytes_show_and_never_the_rows_of_today(desk: Desk) -> None:
    """Ends copies that are rendered anew: the row is altered behind the product's back, the copy is not."""
    with desk.database.writing() as uow:
        row = uow.session.get_one(License, desk.licence.id)
        row.number, row.issuer_name = "OTHER", "另一机关"
    stated = json.loads(embedded(desk.data(desk.made()))["metadata.json"])
    assert stated["certificateNumber"] == desk.licence.number != "OTHER"
    assert stated["issueDept"] == desk.licence.issuer_name


def test_damaged_bytes_of_the_original_give_no_copy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_sha256: str) -> bytes:
        raise ObjectDamagedError

    monkeypatch.setattr(desk.house.objects, "read", damaged)
    ordered = desk.order()
    assert desk.house.worker.run_one()
    copy = desk.copy(ordered)
    assert (copy.state, copy.object_sha256) == ("ordered", None)


def test_the_original_s_signature_field_is_gone_and_its_look_stays(desk: Desk) -> None:
    with pikepdf.open(io.BytesIO(desk.data(desk.made()))) as pdf:
        assert len(pdf.Root.AcroForm.Fields) == 1
        assert "/DSS" not in pdf.Root
        page = pdf.pages[0]
        assert [str(one.Subtype) for one in page.obj.Annots] == ["/Widget"]
        page.contents_coalesce()
        content = page.obj.Contents.read_bytes()
    assert content.count(b" Do") >= 2, "the look of the original's seal, and the marks"


@pytest.mark.parametrize("purpose", ["", "curiosity", "archive"])
def test_nothing_leaves_for_no_published_purpose(desk: Desk, purpose: str) -> None:
    """Ends handing out the original where no purpose is given: there is no copy, and no bare file either."""
    with pytest.raises((LicenseHiddenError, CopyPurposeError)):
        desk.order(desk.asks(purpose=purpose))
    assert not [kind for kind in desk.house.acts() if kind.startswith("copy.")]


@pytest.mark.parametrize("days", [0, -1, 181])
def test_a_term_is_at_least_a_day_and_at_most_what_the_data_say(desk: Desk, days: int) -> None:
    with pytest.raises(CopyTermError):
        desk.order(days=days)


def test_the_term_is_thirty_days_unless_somebody_asks_otherwise(desk: Desk) -> None:
    copy, longest = desk.made(), desk.made(days=copy_terms().most_days)
    today = dt.date(2026, 11, 24)
    assert copy.valid_until == today + dt.timedelta(days=29)
    assert longest.valid_until == today + dt.timedelta(days=179)


def test_only_who_has_an_open_case_of_the_same_holder_gets_a_copy(desk: Desk) -> None:
    strangers = desk.house.library.announce(FOOD, OTHER)
    nobody = Identity("system", "client-2", "scjg", frozenset({Role.CLIENT}), scopes=frozenset({"read"}))
    for who in (on_case(CLIENT, strangers), desk.asks(nobody), CLIENT, desk.asks(MANAGER)):
        with pytest.raises(LicenseHiddenError) as refused:
            desk.order(who)
        with desk.database.writing() as uow:
            refused.value.record(uow)
    assert [use for use in desk.uses() if use[0] == "copy"] == [("copy", "REFUSED", None)] * 4


def test_a_licence_that_is_not_valid_gives_no_copy_for_a_case_and_the_holder_sees_the_refusal(
    desk: Desk,
) -> None:
    """Ends copies whose status nobody asks for."""
    with desk.database.writing() as uow:
        desk.house.library.service.suspend(uow, MANAGER, desk.licence.identifier, GROUNDS)
    with pytest.raises(CopyRefusedError) as refused:
        desk.order()
    with desk.database.writing() as uow:
        refused.value.record(uow)
    assert desk.uses() == [("copy", "REFUSED", "licence-suspended")]
    assert desk.house.acts()[-1] == "copy.refused"


def test_for_the_file_a_licence_that_ended_is_copied_with_its_status_on_each_page(desk: Desk) -> None:
    desk.revoke()
    for who, basis in ((ARCHIVIST, "filing"), (SUPERVISOR, "supervision")):
        purpose = next(iter(copy_terms().purposes[Basis(basis)]))
        copy = desk.made(who.on(AccessBasis(Basis(basis), purpose=purpose)))
        assert (copy.state, copy.status) == ("made", "revoked")


def test_a_licence_revoked_between_order_and_making_gives_no_copy(desk: Desk) -> None:
    ordered = desk.order()
    desk.revoke()
    desk.house.work()
    copy = desk.copy(ordered)
    assert (copy.state, copy.reason, copy.object_sha256) == ("refused", "licence-revoked", None)
    assert "sealing.intended" not in desk.house.acts()[desk.house.acts().index("copy.ordered") :]


def test_a_licence_revoked_while_the_copy_is_sealed_leaves_a_file_that_nobody_gets(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(name: str) -> None:
        if name == "license.copy.after-put":
            desk.revoke()
            desk.house.library.clock.advance(1)

    monkeypatch.setattr(making, "failpoint", meanwhile)
    ordered = desk.order()
    desk.house.work()
    copy = desk.copy(ordered)
    assert (copy.state, copy.reason, copy.object_sha256) == ("refused", "licence-revoked", None)
    assert desk.uses() == [("copy", "REFUSED", "licence-revoked")]
    assert desk.house.acts()[-2:] == ["sealing.sealed", "copy.refused"]
    with pytest.raises(CopyNotReadyError):
        desk.link(copy)


def test_a_copy_outlives_its_licence_and_is_not_handed_out_any_more(desk: Desk) -> None:
    """Ends copies that are deleted with the licence: the bytes and the record stay, reliance ends."""
    copy = desk.made()
    secret = desk.link(copy)
    desk.revoke()
    assert desk.data(copy)
    with pytest.raises(CopyNotReadyError):
        desk.hand_out(copy, secret)
    with desk.database.writing() as uow:
        found = CopyChecker(desk.house.library.reader).check_file(uow, PUBLIC, str(copy.object_sha256))
    assert found.copy is not None
    assert (found.copy.good, str(found.card.status.code)) == (True, "revoked")


def test_a_link_is_good_once_for_its_copy_and_stands_nowhere_in_clear(desk: Desk) -> None:
    copy, other = desk.made(), desk.made()
    secret = desk.link(copy)
    assert len(secret) == 22, "128 random bits"
    with pytest.raises(CopyLinkError):
        desk.hand_out(other, secret)
    assert desk.hand_out(copy, secret) == copy.object_sha256
    with pytest.raises(CopyLinkError):
        desk.hand_out(copy, secret)
    with desk.database.reading() as uow:
        (link,) = uow.session.scalars(select(CopyLink))
        details = b"".join(uow.session.scalars(select(LedgerAct.core)))
    assert secret.encode() not in link.secret_hash + details
    assert ("copy-out", "COPIED", None) in desk.uses()


@pytest.mark.parametrize("secret", ["", "A" * 22, "用证", "====", "A" * 4000])
def test_a_wrong_secret_hands_nothing_out(desk: Desk, secret: str) -> None:
    copy = desk.made()
    desk.link(copy)
    with pytest.raises(CopyLinkError):
        desk.hand_out(copy, secret)


def test_a_link_and_a_copy_end_by_the_clock(desk: Desk) -> None:
    copy = desk.made(days=1)
    late = desk.link(copy)
    desk.house.library.clock.advance(copy_terms().link.total_seconds() + 1)
    with pytest.raises(CopyLinkError):
        desk.hand_out(copy, late)
    desk.house.library.clock.advance(24 * 3600)
    with pytest.raises(CopyNotReadyError):
        desk.link(copy)
    with desk.database.writing() as uow:
        found = CopyChecker(desk.house.library.reader).check_code(uow, PUBLIC, copy.code)
    assert found.copy is not None
    assert (found.copy.good, found.copy.purpose.code) == (False, "accept")


def test_who_did_not_order_a_copy_knows_of_none(desk: Desk) -> None:
    copy = desk.made()
    seen = Identity("person", "somebody", "scjg", frozenset({Role.SUPERVISOR}))
    for who in (CLERK, PUBLIC, Identity("person", "x", "jtys", frozenset({Role.SUPERVISOR}))):
        with desk.database.reading() as uow, pytest.raises(CopyUnknownError):
            desk.house.copies.get(uow, who, copy.id)
    with desk.database.reading() as uow:
        assert desk.house.copies.get(uow, seen, copy.id).id == copy.id
    with pytest.raises(CopyUnknownError):
        desk.link(copy, seen)


def test_holders_order_copies_of_their_own_and_of_nothing_else(desk: Desk) -> None:
    own = AccessBasis(Basis.HOLDER, purpose="hand-in")
    holder = Identity("holder", desk.licence.holder_id, "", frozenset({Role.HOLDER})).on(own)
    copy = desk.made(holder)
    assert (copy.state, copy.basis, copy.case_id) == ("made", "holder", None)
    assert desk.hand_out(copy, desk.link(copy, holder)) == copy.object_sha256
    stranger = Identity("holder", "somebody-else", "", frozenset({Role.HOLDER})).on(own)
    with pytest.raises(LicenseHiddenError):
        desk.order(stranger)


def test_what_is_no_copy_is_unknown_to_the_check(desk: Desk) -> None:
    ordered = desk.copy(desk.order())
    checker = CopyChecker(desk.house.library.reader)
    for code in (ordered.code, desk.licence.code):
        with desk.database.writing() as uow, pytest.raises(CodeUnknownError):
            checker.check_code(uow, PUBLIC, code)


def test_a_copy_for_a_case_that_closed_meanwhile_is_refused(desk: Desk) -> None:
    """So each copy of a case is recorded before its dossier is put together."""
    ordered = desk.order()
    with desk.database.writing() as uow:
        uow.session.get_one(Case, desk.case.id).closed_at = uow.clock.now()
    desk.house.work()
    assert (desk.copy(ordered).state, desk.copy(ordered).reason) == ("refused", "case-closed")


def test_a_copy_waits_for_a_seal_whose_scope_says_copies(desk: Desk) -> None:
    with desk.database.writing() as uow:
        SealService().suspend(uow, MANAGER_OF_SEALS, desk.house.seal_id, "audit")
    ordered = desk.order()
    desk.house.work()
    assert desk.copy(ordered).state == "ordered"
    assert desk.house.acts()[-1] == "sealing.refused"
    with desk.database.writing() as uow:
        SealService().resume(uow, MANAGER_OF_SEALS, desk.house.seal_id, "audit-over")
    desk.house.library.clock.advance(REFUSED_RETRY_SECONDS)
    desk.house.work()
    assert desk.copy(ordered).state == "made"


MANAGER_OF_SEALS = Identity("system", "worker", "", frozenset({Role.SYSTEM}))


class KilledError(BaseException):
    """What SIGKILL would do: nothing after it runs."""


def dying(point: str) -> Callable[[str], None]:
    died: list[str] = []

    def die(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise KilledError

    return die


@pytest.mark.parametrize("point", POINTS)
def test_whatever_dies_there_is_one_copy_with_its_record_and_no_intent_stays_open(
    desk: Desk, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "failpoint", dying(point))
    ordered = desk.order()
    with pytest.raises(KilledError):
        desk.house.work()
    assert desk.copy(ordered).object_sha256 is None, "without the record there is no copy"
    desk.house.worker.recover()
    desk.house.library.clock.advance(10)
    desk.house.work()
    assert desk.copy(ordered).state == "made"
    with desk.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct)).all()
        assert uow.session.scalars(select(StepRow).where(StepRow.state != "done")).all() == []
    intents = {act.act_id for act in acts if act.outcome == "intended"}
    assert intents == {act.intent for act in acts if act.intent}
    assert [act.kind for act in acts].count("copy.made") == 1


def test_after_a_restore_an_ordered_copy_is_made_and_what_was_intended_before_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "failpoint", dying("license.copy.after-seal"))
    ordered = desk.order()
    with pytest.raises(KilledError):
        desk.house.work()
    with desk.database.writing() as uow:
        uow.session.execute(delete(StepRow))
        abandon_open(uow)
        assert resume_copying(uow) == 1
        assert resume_copying(uow) == 0
    desk.house.work()
    assert desk.copy(ordered).state == "made"
    with desk.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct)).all()
    intents = sorted(act.act_id for act in acts if act.outcome == "intended")
    assert intents == sorted(act.intent for act in acts if act.intent)
