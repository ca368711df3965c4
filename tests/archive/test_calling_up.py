# SPDX-License-Identifier: Apache-2.0
"""What a closed case says it called up is joined in and recorded; anything but its own returns the filing.

It is a check of the filing, not of the closure: a wrong reference leaves closing and licence alone.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping

import pytest
from archive_line import BUSINESS, Line, issue_business_license
from granting import grant
from license_library import every_client_runs
from sqlalchemy import select

from archive.intake import Received, announcement_of
from archive.models import DossierMember, Filing, FilingState, Role
from cases.models import Case
from licenses.copies.models import LicenseCopy
from licenses.copies.services import CopyService
from licenses.events import Grounds
from licenses.models import License, LicenseUsage
from licenses.reading import LicenseReader
from storage.identity import AccessBasis, Basis, Identity, system_identity
from storage.identity import Role as Right
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

OTHERS = {"scheme": "001", "code": "91339999MADEM002XM", "name": "演示另一家有限公司"}
LICENSE_MANAGER = Identity("person", "manager", "scjg", frozenset({Right.LICENSE_MANAGER}))
UNKNOWN = {"kind": "licence", "identifier": "01jd"}


@pytest.fixture
def earlier(line: Line) -> License:
    """A licence of the holder, given by an earlier case."""
    issue_business_license(line)
    with line.database.reading() as uow:
        return uow.session.scalars(select(License)).one()


def reference(license_: License) -> Mapping[str, str]:
    return {"kind": "licence", "identifier": license_.identifier}


def codes_of(line: Line, received: Received) -> list[tuple[str, str | None]]:
    """Give what returned a filing: codes and rules."""
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        assert filing.state == FilingState.RETURNED
        return [(one["code"], one["rule"]) for one in filing.findings]  # type: ignore[index,call-overload]


def uses(line: Line) -> list[LicenseUsage]:
    with line.database.reading() as uow:
        return list(uow.session.scalars(select(LicenseUsage)))


def called_up(line: Line, received: Received) -> tuple[str, set[str | None]]:
    """Give the state of a filing and the types of the licences that its dossier holds as called up."""
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        members = uow.session.scalars(select(DossierMember.code).where(DossierMember.role == Role.CALLED_UP))
        return filing.state, set(members)


def test_a_licence_named_as_called_up_is_joined_in_and_its_use_recorded(line: Line, earlier: License) -> None:
    received = line.file(line.granted(called_up=[reference(earlier), reference(earlier)]))
    line.run()
    assert called_up(line, received) == (FilingState.FILED, {BUSINESS["type"]})
    (use,) = uses(line)
    with line.database.reading() as uow:
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "license.read")).one()
    assert (use.action, use.result, use.basis, use.license_id) == ("called-up", "READ", "filing", earlier.id)
    assert (act.object_id, act.case_id) == (earlier.id, use.case_id)


def test_a_licence_that_an_office_gave_without_a_case_is_joined_in_as_well(
    line: Line, earlier: License
) -> None:
    with line.database.writing() as uow:
        uow.session.get_one(License, earlier.id).case_id = None
    received = line.file(line.granted(called_up=[reference(earlier)]))
    line.run()
    assert called_up(line, received) == (FilingState.FILED, {BUSINESS["type"]})


@pytest.mark.parametrize("kind", ["licence", "decision"])
def test_what_is_not_the_cases_own_returns_the_filing(line: Line, earlier: License, kind: str) -> None:
    """Unknown and somebody else's look alike; the holder sees the refused use."""
    references = [{"kind": kind, "identifier": one} for one in (earlier.identifier, "01jd")]
    received = line.file(line.granted(holder=OTHERS, called_up=references))
    line.run()
    assert codes_of(line, received) == [("C10", "called_up.0"), ("C10", "called_up.1")]
    assert called_up(line, received)[1] == set()
    expected = ["REFUSED"] if kind == "licence" else []
    assert [(one.result, one.license_id) for one in uses(line)] == [(one, earlier.id) for one in expected]
    with line.database.reading() as uow:
        refused = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "access.refused")).all()
    assert len(refused) == len(expected)


def test_a_wrong_reference_leaves_the_closing_and_the_licence_alone(line: Line) -> None:
    opened = dataclasses.replace(announcement_of(line.granted().submission), closed_at=None)
    with line.database.writing() as uow:
        line.cases.announce(uow, system_identity("test"), opened)
    received = line.file(line.granted(called_up=[UNKNOWN]))
    line.run()
    assert codes_of(line, received) == [("C10", "called_up.0")]
    with line.database.reading() as uow:
        assert uow.session.scalars(select(Case)).one().closed_at is not None
        assert uow.session.scalars(select(License)).one().issued_at is not None
        report = uow.session.get_one(Filing, received.filing_id).checks_sha256
    checks = json.loads(line.objects.read(str(report)))["checks"]
    assert [one["code"] for one in checks if one["verdict"] == "fail"] == ["C10"]


def test_the_cases_own_licence_was_not_called_up(line: Line) -> None:
    line.file(line.granted(called_up=[UNKNOWN]))
    line.run()
    with line.database.reading() as uow:
        own = uow.session.scalars(select(License)).one()
    again = line.file(line.granted(called_up=[reference(own)]))
    line.run()
    assert codes_of(line, again) == [("C10", "called_up.0")]
    assert uses(line) == []


def test_a_returned_attempt_uses_nothing_and_a_corrected_one_joins_only_what_it_names(
    line: Line, earlier: License
) -> None:
    without_opinions = line.file(line.granted(called_up=[reference(earlier)], opinions=[]))
    line.run()
    one_wrong = line.file(line.granted(called_up=[reference(earlier), UNKNOWN]))
    line.run()
    assert codes_of(line, without_opinions) == [("M09", None)]
    assert codes_of(line, one_wrong) == [("C10", "called_up.1")]
    assert uses(line) == []
    corrected = line.file(line.granted())
    line.run()
    assert called_up(line, corrected) == (FilingState.FILED, set())
    assert uses(line) == []


def test_what_was_called_up_is_joined_in_whatever_its_status_is_now(line: Line, earlier: License) -> None:
    with line.database.writing() as uow:
        grounds = Grounds("撤销登记", "演示条例第一条")
        line.licenses.revoke(uow, LICENSE_MANAGER, earlier.identifier, grounds)
    received = line.file(line.granted(called_up=[reference(earlier)]))
    line.run()
    assert called_up(line, received) == (FilingState.FILED, {BUSINESS["type"]})
    assert [one.result for one in uses(line)] == ["READ"]


def copied_while_open(line: Line, earlier: License) -> str:
    """Announce a case of the holder and order a copy of the earlier licence for it; give the copy's id."""
    opened = dataclasses.replace(announcement_of(line.granted().submission), closed_at=None)
    client = Identity(
        "system",
        "client-1",
        "scjg",
        frozenset({Right.CLIENT}),
        operator="op-1",
        sources=frozenset({opened.source}),
        scopes=frozenset({"read"}),
        items=frozenset({opened.item_code}),
    )
    copies = CopyService(
        LicenseReader(line.holdings, line.cases, line.holders), line.holdings, every_client_runs
    )
    with line.database.writing() as uow:
        case = line.cases.announce(uow, system_identity("test"), opened)[0]
        basis = AccessBasis(Basis.CASE, case.id, case.item_code, "accept")
        grant(uow, organisation=client.organisation)
        return copies.order(uow, client.on(basis), earlier.identifier).id


def test_a_copy_that_was_made_for_the_case_is_a_member_of_its_dossier(line: Line, earlier: License) -> None:
    """Ends printing a copy and asking the applicant to sign it: the sealed copy itself is in the file."""
    ordered = copied_while_open(line, earlier)
    line.run()
    line.file(line.granted())
    line.run()
    with line.database.reading() as uow:
        copy = uow.session.get_one(LicenseCopy, ordered)
        (member,) = uow.session.scalars(select(DossierMember).where(DossierMember.role == Role.CALLED_UP))
    assert (member.reference, member.sha256) == (copy.id, copy.object_sha256)
    assert (member.sealing_act, member.title) == (copy.sealing_act, "办理中制作的加注件")


def test_a_copy_that_is_not_made_when_the_case_closes_is_refused_and_joins_nothing(
    line: Line, earlier: License
) -> None:
    ordered = copied_while_open(line, earlier)
    with line.database.writing() as uow:
        uow.session.get_one(
            StepRow, uow.session.get_one(LicenseCopy, ordered).step
        ).run_after += dt.timedelta(minutes=5)
    line.file(line.granted())
    line.run()
    line.clock.advance(600)
    line.run()
    with line.database.reading() as uow:
        copy = uow.session.get_one(LicenseCopy, ordered)
        members = uow.session.scalars(select(DossierMember.role)).all()
    assert (copy.state, copy.reason) == ("refused", "case-closed")
    assert Role.CALLED_UP not in members
