# SPDX-License-Identifier: Apache-2.0
"""Composes what answers no-proof questions: the rules, and where evidence comes from."""

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


def proof_service(
    holdings: Holdings, cases: CaseService, holders: HolderService, items: ItemCatalogue, keys: AnswerKeys
) -> ProofService:
    """Compose the service that answers no-proof questions."""
    inquiry = inquiry_of(holdings, holders, items)
    return ProofService(RuleBook.load(), holdings, cases, holders, keys, inquiry=inquiry)


def inquiry_of(holdings: Holdings, holders: HolderService, items: ItemCatalogue) -> Inquiry:
    """Compose what gathers the facts of a question."""
    return Inquiry(holdings, RuleBook.load(), Relations(holdings, holders), FiledCases(items))
