# SPDX-License-Identifier: Apache-2.0
"""Composes what answers no-proof questions: the rules, and where evidence comes from."""

from typing import Protocol

from archive.prior_cases import FiledCases
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from licenses.answers import AnswerKeys
from licenses.decisions import ProofService
from licenses.holdings import Holdings
from licenses.inquiry import Inquiry
from licenses.relations import Relations
from licenses.rules import RuleBook


class EvidenceParts(Protocol):
    """What facts are gathered from."""

    @property
    def holdings(self) -> Holdings:
        """What the library holds."""
        ...

    @property
    def holders(self) -> HolderService:
        """Finds holders."""
        ...

    @property
    def items(self) -> ItemCatalogue:
        """Items and departments."""
        ...

    @property
    def rules(self) -> RuleBook:
        """The rules."""
        ...


class ProofParts(EvidenceParts, Protocol):
    """What answers are made of."""

    @property
    def cases(self) -> CaseService:
        """Finds cases."""
        ...

    @property
    def answers(self) -> AnswerKeys:
        """Sign the answers."""
        ...


def proof_service(parts: ProofParts) -> ProofService:
    """Compose the service that answers no-proof questions."""
    return ProofService(
        parts.rules, parts.holdings, parts.cases, parts.holders, parts.answers, inquiry=inquiry_of(parts)
    )


def inquiry_of(parts: EvidenceParts) -> Inquiry:
    """Compose what gathers the facts of a question."""
    relations = Relations(parts.holdings, parts.holders)
    return Inquiry(parts.holdings, parts.rules, relations, FiledCases(parts.items))
