# SPDX-License-Identifier: Apache-2.0
"""Titles of the stable codes that acts and records of use carry: no page shows a code alone."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from archive.findings import check_texts
from cases.items import ItemCatalogue
from documents.reasons import REASONS
from licenses.copies.terms import copy_terms
from licenses.ladder.barring import BAD, EXCLUDED
from licenses.lifecycle import status_titles
from licenses.reason_table import ReasonTable
from licenses.stock.reasons import stock_reasons
from portal.i18n import choose, gettext
from portal.i18n import mark as _
from portal.web.labels import STATES
from storage.errors import all_errors

_REASONS: Final[Mapping[str, str]] = {
    # Why a no-proof question was refused.
    "case-closed": _("The case is closed"),
    "case-unknown": _("No such case for this caller"),
    "holder-malformed": _("The holder's code is malformed"),
    "holder-of-another-case": _("The holder is not the case's"),
    "item-of-another-case": _("The item is not the case's"),
    "not-granted": _("The caller holds no grant for this"),
    "quota-exhausted": _("The quota of the day is used up"),
    "operator-missing": _("No person is named"),
    "purpose-unknown": _("The purpose is not a published one"),
    "requirement-unknown": _("The rule has no such requirement"),
    "rule-missing": _("There is no rule for the item"),
    # Why access was refused.
    "role": _("The role does not allow it"),
    "scope": _("The key does not allow it"),
    # Why a commitment was not made or accepted.
    BAD: _("An earlier commitment was untrue and not made good"),
    EXCLUDED: _("No commitment is taken for the item"),
    # What an objection is about, and how it ended.
    "about-licence": _("Against a licence"),
    "about-use": _("Against a use"),
    "objection-declined": _("Not upheld"),
    "objection-upheld": _("Upheld"),
    # What a change of rights or an edition asks for.
    **{code: one.word for asked in ("right", "edition") for code, one in STATES[asked].items()},
    # Why no copy was made.
    "expired": _("Its term has ended"),
    "no-file": _("There is no sealed file of the licence"),
    "status-changed": _("The licence's status changed meanwhile"),
    # Why a seal was not used, or changed its state.
    "approved": _("Approved"),
    "skipped": STATES["delivery"]["skipped"].word,
    # Why a subscription ended.
    **{code: one.word for code, one in STATES["subscription-end"].items()},
    "audit": _("Audit"),
    "file-broken": _("The file is malformed from a place on: what follows was not read"),
    "upload-lost": _("The uploaded file was not stored"),
    "stock-upload-arrives": _("The uploaded file is not stored yet"),
    "no-seal": _("The department has no seal"),
    "out-of-scope": _("No seal covers this"),
    "seal-registered": _("The seal is not enabled yet"),
    "seal-revoked": _("The seal is revoked"),
    "seal-suspended": _("The seal is suspended"),
    "superseded": _("Superseded"),
}
# A finding names its material; its title is the same for all.
_OF_MATERIAL: Final = re.compile(r"(?:：|: ?)?\{material\}(?:：|: ?)?")
_PROCESSES: Final[Mapping[str, str]] = {
    "archive": _("Archive process"),
    "demo": _("Demonstration"),
    "gate": _("Ledger gate"),
    "init": _("Set-up"),
    "sequencer": _("Sequencer"),
    "worker": _("Worker"),
}


@cache
def _room_titles() -> Mapping[str, tuple[str, str]]:
    """Give the titles that the rooms' own data hold, by code."""
    titles = {error.code: (error.title_zh, error.title_en) for error in all_errors()}
    titles |= {code: (one.zh, one.en) for code, one in REASONS.items()}
    titles |= {code: (one.zh, one.en) for code, one in ReasonTable.load().reasons.items()}
    titles |= {code: (one.zh, one.en) for code, one in stock_reasons().items()}
    titles |= {
        f"licence-{code}": (f"证照{one.zh}", f"Licence: {one.en}") for code, one in status_titles().items()
    }
    titles |= {
        code: (_OF_MATERIAL.sub("", one.zh), _OF_MATERIAL.sub("", one.en))
        for code, one in check_texts().items()
    }
    return titles


@cache
def _departments() -> Mapping[str, str]:
    return {one.zh: one.en for one in ItemCatalogue.load().departments}


def reason_title(code: str) -> str:
    """Give the title of a reason code; empty when there is none, so that the code stands for itself."""
    if code in _REASONS:
        return gettext(_REASONS[code])
    title = _room_titles().get(code)
    return choose(*title) if title else ""


def purpose_title(code: str) -> str:
    """Give the title of a purpose; one that is not published stands for itself."""
    stated = (of.get(code) for of in copy_terms().purposes.values())
    found = next((one for one in stated if one is not None), None)
    return choose(found.zh, found.en) if found else code


def issuer_title(name: str) -> str:
    """Give an issuer's name in the language of the page, where it is one of our departments."""
    return choose(name, _departments().get(name, name))


def process_title(process: str) -> str:
    """Give the title of one of the product's own processes; empty for anything else."""
    return gettext(_PROCESSES[process]) if process in _PROCESSES else ""
