# SPDX-License-Identifier: Apache-2.0
"""Editions of data by two persons: a system administrator proposes, a security administrator decides.

Guarantees: no edition takes effect without a recorded proposal and a recorded approval by another person;
what was proposed is what takes effect, within seven days, and only while the lint finds no error. The audit
administrator sees all of it (docs/decisions/0033-editions.md).
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from archive.lint import NumberGround, lint_numbering
from archive.numbering import NumberTemplate, NumberTemplates, read_templates
from cases.items import Item, ItemCatalogue
from cases.lint import ItemGround, LintFinding, blocking, kind_unknown, lint_items, read_document
from portal.accounts.errors import SecondPersonError
from portal.accounts.reasons import encrypted_reason
from portal.accounts.rights import ADMINISTRATORS
from portal.accounts.second_person import OPEN_FOR, DecisionState
from portal.editions.approved import EditionKind, approved, digest_of, items_of
from portal.editions.differences import Difference, of_items, of_templates
from portal.editions.errors import EditionClosedError, EditionFaultyError, EditionUnknownError
from portal.editions.models import CatalogueEdition
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT

_KEYS: Final = {"items": EditionKind.ITEMS, "templates": EditionKind.NUMBERING}


_ACTS: Final = {
    DecisionState.APPROVED: ActKind.EDITION_APPROVED,
    DecisionState.REFUSED: ActKind.EDITION_REFUSED,
    DecisionState.WITHDRAWN: ActKind.EDITION_WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What the lint says of a document.

    Attributes:
        kind: What it is an edition of; ``None`` when that cannot be told.
        body: The document; empty when it cannot be read.
        findings: What speaks against it.
        differences: What it would change; none when an error stands in the way of telling.
    """

    kind: EditionKind | None
    body: dict[str, Any]
    findings: tuple[LintFinding, ...]
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class EditionView:
    """An edition as administrators see it; ``checked`` only while it waits."""

    row: CatalogueEdition
    reason: str
    decision: str
    late: bool
    checked: Checked | None


class EditionService:
    """Takes proposals, has them decided by somebody else, and lets catalogues take what was approved.

    Args:
        items: The catalogue that this process works with.
        license_types: Codes of the licence types.
    """

    def __init__(self, items: ItemCatalogue, license_types: Collection[str]) -> None:
        self._items = items
        self._license_types = license_types

    def check(self, uow: UnitOfWork, data: bytes) -> Checked:
        """Say what speaks against a file as an edition, and what it would change."""
        document, findings = read_document(data)
        if findings:
            return Checked(None, {}, findings, [])
        return self._check(uow, document)

    def propose(self, uow: UnitOfWork, identity: Identity, data: bytes, reason: str) -> CatalogueEdition:
        """Propose a file as an edition.

        Raises:
            NotPermittedError: The caller is no system administrator.
            EditionFaultyError: The lint found errors.
            InvalidInputError: The reason is none.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        checked = self.check(uow, data)
        if checked.kind is None or blocking(checked.findings):
            raise _faulty(checked)
        now = uow.clock.now()
        edition = CatalogueEdition(
            id=uow.ids.new_id(),
            kind=checked.kind,
            version=checked.body["version"],
            state=DecisionState.OPEN,
            body=checked.body,
            digest=digest_of(checked.body),
            reason_cipher=encrypted_reason(uow, SYSTEM_SUBJECT, reason),
            proposed_by=identity.id,
            proposed_at=now,
            expires_at=now + OPEN_FOR,
        )
        uow.session.add(edition)
        uow.session.flush()
        uow.record(_act(ActKind.EDITION_PROPOSED, identity, edition))
        return edition

    def approve(self, uow: UnitOfWork, identity: Identity, edition_id: str, reason: str) -> Promise:
        """Approve an edition: it takes effect in every process, without a restart.

        Raises:
            NotPermittedError: The caller is no security administrator.
            EditionUnknownError: There is no such edition.
            EditionClosedError: It was decided, or its seven days are over.
            SecondPersonError: The caller proposed it.
            EditionFaultyError: The lint finds errors now, as when another edition was approved meanwhile; it
                stays open.
        """
        edition = self._to_decide(uow, identity, edition_id)
        checked = self._check(uow, edition.body)
        if blocking(checked.findings) or digest_of(edition.body) != edition.digest:
            raise _faulty(checked)
        # Two approvals at once would take the same number: the second one is done again and linted anew.
        edition.number = (uow.session.scalar(select(func.max(CatalogueEdition.number))) or 0) + 1
        promise = self._decide(uow, identity, edition, DecisionState.APPROVED, reason)
        uow.on_commit(self._items.look_again)
        return promise

    def refuse(self, uow: UnitOfWork, identity: Identity, edition_id: str, reason: str) -> Promise:
        """Refuse an edition.

        Raises:
            NotPermittedError, EditionUnknownError, EditionClosedError, SecondPersonError: As :meth:`approve`.
        """
        edition = self._to_decide(uow, identity, edition_id)
        return self._decide(uow, identity, edition, DecisionState.REFUSED, reason)

    def withdraw(self, uow: UnitOfWork, identity: Identity, edition_id: str, reason: str) -> Promise:
        """Take one's own proposal back.

        Raises:
            NotPermittedError: The caller is no system administrator.
            EditionUnknownError: The caller has proposed no such edition.
            EditionClosedError: It was decided.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        edition = uow.session.get(CatalogueEdition, edition_id)
        if edition is None or edition.proposed_by != identity.id:
            raise EditionUnknownError
        if edition.state != DecisionState.OPEN:
            raise EditionClosedError
        return self._decide(uow, identity, edition, DecisionState.WITHDRAWN, reason)

    def get(self, uow: UnitOfWork, identity: Identity, edition_id: str) -> EditionView:
        """Give one edition.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
            EditionUnknownError: There is no such edition.
        """
        identity.demand(*ADMINISTRATORS)
        edition = uow.session.get(CatalogueEdition, edition_id)
        if edition is None:
            raise EditionUnknownError
        return self._view(uow, edition)

    def open(self, uow: UnitOfWork, identity: Identity) -> list[EditionView]:
        """Give the editions that wait for a decision, the oldest first; errors as :meth:`past`."""
        identity.demand(*ADMINISTRATORS)
        waiting = select(CatalogueEdition).where(
            CatalogueEdition.state == DecisionState.OPEN, CatalogueEdition.expires_at > uow.clock.now()
        )
        found = uow.session.scalars(waiting.order_by(CatalogueEdition.proposed_at, CatalogueEdition.id))
        return [self._view(uow, row) for row in found]

    def past(self, uow: UnitOfWork, identity: Identity, most: int = 50) -> list[EditionView]:
        """Give the newest editions that were decided or whose time is over.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
        """
        identity.demand(*ADMINISTRATORS)
        over = (CatalogueEdition.state != DecisionState.OPEN) | (
            CatalogueEdition.expires_at <= uow.clock.now()
        )
        newest = select(CatalogueEdition).where(over).order_by(CatalogueEdition.proposed_at.desc())
        return [self._view(uow, row) for row in uow.session.scalars(newest.limit(most))]

    def in_force(
        self, uow: UnitOfWork, identity: Identity
    ) -> list[tuple[EditionKind, str, dt.datetime | None]]:
        """Give the newest version of each kind and when it was approved; ``None`` is what was shipped.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
        """
        identity.demand(*ADMINISTRATORS)
        shipped = {
            EditionKind.ITEMS: self._items.version,
            EditionKind.NUMBERING: NumberTemplates.load().version,
        }
        found: list[tuple[EditionKind, str, dt.datetime | None]] = []
        for kind, version in shipped.items():
            rows = list(approved(uow, kind))
            found.append((kind, rows[-1].version, rows[-1].decided_at) if rows else (kind, version, None))
        return found

    def _to_decide(self, uow: UnitOfWork, identity: Identity, edition_id: str) -> CatalogueEdition:
        identity.demand(Role.SECURITY_ADMIN)
        edition = uow.session.get(CatalogueEdition, edition_id)
        if edition is None:
            raise EditionUnknownError
        if edition.state != DecisionState.OPEN or edition.expires_at <= uow.clock.now():
            raise EditionClosedError
        if identity.id == edition.proposed_by:
            raise SecondPersonError
        return edition

    def _decide(
        self,
        uow: UnitOfWork,
        identity: Identity,
        edition: CatalogueEdition,
        state: DecisionState,
        reason: str,
    ) -> Promise:
        edition.state = state
        edition.decided_by = identity.id
        edition.decided_at = uow.clock.now()
        edition.decision_cipher = encrypted_reason(uow, SYSTEM_SUBJECT, reason)
        uow.session.flush()
        return uow.record(_act(_ACTS[state], identity, edition))

    def _check(self, uow: UnitOfWork, document: Json) -> Checked:
        body = dict(document) if isinstance(document, dict) else {}
        kinds = [kind for key, kind in _KEYS.items() if key in body]
        if len(kinds) != 1:
            return Checked(None, {}, (kind_unknown(),), [])
        kind = kinds[0]
        if kind is EditionKind.ITEMS:
            ground = self._item_ground(uow)
            findings = lint_items(body, ground)
            differences = [] if _unreadable(findings) else of_items(items_of(body), ground.held)
        else:
            numbers = self._number_ground(uow)
            findings = lint_numbering(body, numbers)
            readable = not _unreadable(findings)
            differences = of_templates(read_templates(body), numbers.held) if readable else []
        return Checked(kind, body, findings, differences)

    def _item_ground(self, uow: UnitOfWork) -> ItemGround:
        held: dict[tuple[str, str], Item] = {(one.code, one.edition): one for one in self._items.items}
        versions = {self._items.version}
        for row in approved(uow, EditionKind.ITEMS):
            versions.add(row.version)
            for item in items_of(row.body):
                held.setdefault((item.code, item.edition), item)
        departments = frozenset(one.code for one in self._items.departments)
        return ItemGround(departments, self._license_types, held, versions)

    def _number_ground(self, uow: UnitOfWork) -> NumberGround:
        shipped = NumberTemplates.load()
        held: list[NumberTemplate] = list(shipped.all)
        versions = {shipped.version}
        for row in approved(uow, EditionKind.NUMBERING):
            versions.add(row.version)
            held.extend(read_templates(row.body))
        return NumberGround(frozenset(one.fonds for one in self._items.departments), held, versions)

    def _view(self, uow: UnitOfWork, row: CatalogueEdition) -> EditionView:
        is_open = row.state == DecisionState.OPEN
        late = is_open and row.expires_at <= uow.clock.now()
        return EditionView(
            row=row,
            reason=uow.secrets.decrypt(row.reason_cipher).decode(),
            decision="" if row.decision_cipher is None else uow.secrets.decrypt(row.decision_cipher).decode(),
            late=late,
            checked=self._check(uow, row.body) if is_open and not late else None,
        )


def _unreadable(findings: Sequence[LintFinding]) -> bool:
    return any(one.code in {"schema", "text-unseen", "template-rule"} for one in findings)


def _faulty(checked: Checked) -> EditionFaultyError:
    codes = sorted({one.code for one in blocking(checked.findings)})
    return EditionFaultyError(findings=" ".join(codes))


def _act(kind: ActKind, identity: Identity, edition: CatalogueEdition) -> Act:
    return Act(
        kind=kind,
        actor=identity,
        object_type="edition",
        object_id=edition.id,
        subject=SYSTEM_SUBJECT,
        reasons=[edition.kind],
        rows=[edition],
    )
