# SPDX-License-Identifier: Apache-2.0
"""Editions of data by two persons: a system administrator proposes, a security administrator decides.

Guarantees: no edition takes effect without a recorded proposal and a recorded approval by another person;
what was proposed is what takes effect, within seven days, and only while the lint finds no error. The audit
administrator sees all of it (docs/decisions/0033-editions.md).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import func, select

from archive.lint import lint_numbering
from archive.numbering import read_templates
from cases.lint import LintFinding, blocking, kind_unknown, lint_items, located, read_document
from cases.text_places import places_of
from licenses.catalogue import read_types
from licenses.relation_table import read_relations
from licenses.relations_lint import lint_relations
from licenses.rule_edition import read_rules
from licenses.rule_text import places_in_yaml, read_text
from licenses.rules import Rule
from licenses.rules_lint import heir_findings, lint_rules
from licenses.stock.profiles import read_profiles
from licenses.stock.profiles_lint import lint_profiles
from licenses.types_lint import lint_types
from portal.accounts.errors import SecondPersonError
from portal.accounts.reasons import encrypted_reason
from portal.accounts.rights import ADMINISTRATORS
from portal.accounts.second_person import OPEN_FOR, DecisionState
from portal.editions.approved import EditionKind, approved, digest_of, items_of
from portal.editions.beginning import newest_of_each
from portal.editions.differences import (
    Difference,
    of_items,
    of_profiles,
    of_relations,
    of_rules,
    of_templates,
    of_types,
)
from portal.editions.errors import EditionClosedError, EditionFaultyError, EditionUnknownError
from portal.editions.grounds import Catalogues, EditionGrounds
from portal.editions.models import CatalogueEdition
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT

_KEYS: Final = {
    "items": EditionKind.ITEMS,
    "types": EditionKind.LICENSE_TYPES,
    "templates": EditionKind.NUMBERING,
    "rules": EditionKind.RULES,
    "profiles": EditionKind.PROFILES,
    "relations": EditionKind.RELATIONS,
}
"""Member by which a document shows what it is an edition of."""


_ACTS: Final = {
    DecisionState.APPROVED: ActKind.EDITION_APPROVED,
    DecisionState.REFUSED: ActKind.EDITION_REFUSED,
    DecisionState.WITHDRAWN: ActKind.EDITION_WITHDRAWN,
}


_Judged: TypeAlias = tuple[tuple[LintFinding, ...], list[Difference]]


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
        catalogues: What this process works with.
    """

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._grounds = EditionGrounds(catalogues)

    def check(self, uow: UnitOfWork, data: bytes) -> Checked:
        """Say what speaks against a file as an edition, and what it would change."""
        document, findings = read_document(data)
        in_yaml = None
        if findings and (in_yaml := _rules_in_yaml(data)) is not None:
            document, findings = in_yaml, ()
        if findings:
            return Checked(None, {}, findings, [])
        checked = self._check(uow, document)
        if not checked.findings:
            return checked
        places = places_of(data.decode()) if in_yaml is None else places_in_yaml(data)
        return replace(checked, findings=located(checked.findings, places))

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
        uow.on_commit(self._catalogues.look_again)
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
        found: list[tuple[EditionKind, str, dt.datetime | None]] = []
        for kind in EditionKind:
            version = self._grounds.shipped_version(kind)
            rows = list(approved(uow, kind))
            found.append((kind, rows[-1].version, rows[-1].decided_at) if rows else (kind, version, None))
        return found

    def broken_heirs(self, uow: UnitOfWork, identity: Identity) -> tuple[LintFinding, ...]:
        """Give the rules in force that do not fit a rule of a higher level, until they are mended.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
        """
        identity.demand(*ADMINISTRATORS)
        rules, today = self._grounds.rules(uow), legal_date(uow.clock.now())
        return heir_findings(rules, self._grounds.levels(uow), today)

    def rules_to_begin_with(self, uow: UnitOfWork, identity: Identity) -> tuple[str, list[Rule]]:
        """Give the name of the newest edition of rules, and the rules in force, each in its newest version.

        Raises:
            NotPermittedError: The caller is no system administrator.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        version = next(one for kind, one, _ in self.in_force(uow, identity) if kind is EditionKind.RULES)
        return version, newest_of_each(self._grounds.rules(uow), legal_date(uow.clock.now()))

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
        check = {
            EditionKind.ITEMS: self._check_items,
            EditionKind.LICENSE_TYPES: self._check_types,
            EditionKind.NUMBERING: self._check_numbers,
            EditionKind.RULES: self._check_rules,
            EditionKind.PROFILES: self._check_profiles,
            EditionKind.RELATIONS: self._check_relations,
        }
        return Checked(kind, body, *check[kind](uow, body))

    def _check_items(self, uow: UnitOfWork, body: dict[str, Any]) -> _Judged:
        ground = self._grounds.of_items(uow)
        findings = lint_items(body, ground)
        return findings, [] if _unreadable(findings) else of_items(items_of(body), ground.held)

    def _check_types(self, uow: UnitOfWork, body: dict[str, Any]) -> _Judged:
        ground = self._grounds.of_types(uow)
        findings = lint_types(body, ground)
        # A type that contradicts itself is no definition that could be compared with another.
        return findings, [] if blocking(findings) else of_types(read_types(body), ground.held)

    def _check_numbers(self, uow: UnitOfWork, body: dict[str, Any]) -> _Judged:
        ground = self._grounds.of_numbers(uow)
        findings = lint_numbering(body, ground)
        return findings, [] if _unreadable(findings) else of_templates(read_templates(body), ground.held)

    def _check_rules(self, uow: UnitOfWork, body: dict[str, Any]) -> _Judged:
        ground = self._grounds.of_rules(uow)
        findings = lint_rules(body, ground)
        return findings, [] if blocking(findings) else of_rules(read_rules(body), ground.held)

    def _check_profiles(self, uow: UnitOfWork, body: dict[str, Any]) -> _Judged:
        ground = self._grounds.of_profiles(uow)
        findings = lint_profiles(body, ground)
        return findings, [] if blocking(findings) else of_profiles(read_profiles(body), ground.held)

    def _check_relations(self, uow: UnitOfWork, body: dict[str, Any]) -> _Judged:
        ground = self._grounds.of_relations(uow)
        findings = lint_relations(body, ground)
        return findings, [] if blocking(findings) else of_relations(read_relations(body), ground.held)

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


def _rules_in_yaml(data: bytes) -> dict[str, Json] | None:
    """Read a document of rules in YAML; anything else is read as JSON or not at all."""
    try:
        read = read_text(data)
    except ValueError:
        return None
    return read if isinstance(read, dict) and "rules" in read else None


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
