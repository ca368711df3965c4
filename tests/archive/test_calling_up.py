# SPDX-License-Identifier: Apache-2.0
"""What a closed case says it called up: its own is joined in and recorded, anything else returns it."""

import pytest
from archive_line import BUSINESS, Line, issue_business_license
from sqlalchemy import select

from archive.intake import Received
from archive.models import DossierMember, Filing, FilingState, Role
from licenses.models import License, LicenseUsage
from storage.ledger.models import LedgerAct


def called_up(line: Line, received: Received) -> tuple[str, set[str | None]]:
    """Give the state of a filing and the types of the licences that its dossier holds as called up."""
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        members = uow.session.scalars(select(DossierMember.code).where(DossierMember.role == Role.CALLED_UP))
        return filing.state, set(members)


def test_a_licence_named_as_called_up_is_joined_in_and_its_use_recorded(line: Line) -> None:
    issue_business_license(line)
    with line.database.reading() as uow:
        named = uow.session.scalars(select(License)).one()
    reference = {"kind": "licence", "identifier": named.identifier}
    received = line.file(line.granted(called_up=[reference, reference]))
    line.run()
    assert called_up(line, received) == (FilingState.FILED, {BUSINESS["type"]})
    with line.database.reading() as uow:
        use = uow.session.scalars(select(LicenseUsage)).one()
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "license.read")).one()
    assert (use.action, use.result, use.basis, use.license_id) == ("called-up", "READ", "filing", named.id)
    assert (act.object_id, act.case_id) == (named.id, use.case_id)


@pytest.mark.parametrize("kind", ["licence", "decision"])
def test_what_is_not_the_cases_own_to_rely_on_returns_the_filing(line: Line, kind: str) -> None:
    """Unknown and somebody else's look alike; the holder sees the refused use."""
    issue_business_license(line)
    with line.database.reading() as uow:
        named = uow.session.scalars(select(License)).one()
    others = {"scheme": "001", "code": "91339999MADEM002XM", "name": "演示另一家有限公司"}
    references = [{"kind": kind, "identifier": one} for one in (named.identifier, "01jd")]
    received = line.file(line.granted(holder=others, called_up=references))
    line.run()
    assert called_up(line, received) == (FilingState.RETURNED, set())
    with line.database.reading() as uow:
        filing = uow.session.get_one(Filing, received.filing_id)
        uses = uow.session.scalars(select(LicenseUsage)).all()
        refused = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "access.refused")).all()
    rules = [(one["code"], one["rule"]) for one in filing.findings]  # type: ignore[index,call-overload]
    assert rules == [("C10", "called_up.0"), ("C10", "called_up.1")]
    expected = ["REFUSED"] if kind == "licence" else []
    assert [one.result for one in uses] == expected
    assert len(refused) == len(expected)
