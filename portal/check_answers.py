# SPDX-License-Identifier: Apache-2.0
"""How a check of a document is written down: as JSON, with the result codes of the sharing interface.

Two checks have codes of their own (GB/T 36906): the file check says whether the file is genuine, the
information check whether what it states holds today. A genuine file of a cancelled licence passes the one
and not the other.
"""

from collections.abc import Mapping
from typing import Any, Final

from licenses.information import INCOMPLETE, WRONG, code_table
from licenses.information import NOT_FOUND as INFORMATION_NOT_FOUND
from licenses.lifecycle import status_titles
from licenses.views import PublicCard
from portal.check_lines import HEADLINE_TITLES, NOT_APPLICABLE, NOT_FOUND, REGISTER_DIFFERS, Line
from portal.checking import CheckReport

FILE_PASSED, SEAL_FAILED, FILE_FAILED = 0, 1, 2
_OF_THE_FILE: Final = frozenset(
    {
        "changed-in-signed-range",
        "changed-after-sealing",
        "metadata-replaced",
        "coverage-partial",
        "differs-from-stored",
        "structure-loose",
        "malformed",
        "encrypted",
        "limits",
    }
)
"""Reasons that lie in the file's bytes; every other one lies in its seal."""


def file_code(report: CheckReport) -> int:
    """Give the result code of the file check: 0 passed, 1 the seal failed, 2 the file failed."""
    if report.verdict.is_valid:
        return FILE_FAILED if report.license is REGISTER_DIFFERS else FILE_PASSED
    return SEAL_FAILED if _OF_THE_FILE.isdisjoint(report.verdict.reasons) else FILE_FAILED


def information_code(line: Line) -> int:
    """Give the result code 0 to 6 of the information check for the licence's line of a report."""
    if line is REGISTER_DIFFERS:
        return WRONG
    if line is NOT_FOUND:
        return INFORMATION_NOT_FOUND
    known = {str(status): title.information_check for status, title in status_titles().items()}
    return known.get(line.code, INCOMPLETE)


def report_json(report: CheckReport) -> dict[str, Any]:
    """Give a report as JSON."""
    zh, en = HEADLINE_TITLES[report.headline]
    return {
        "headline": {"code": str(report.headline), "zh": zh, "en": en},
        "sentence": dict(zip(("zh", "en"), report.sentence, strict=True)),
        "file": _line(report.file),
        "licence": _line(report.license),
        "copy": _line(report.copy) if report.copy else None,
        "file_check": _code(code_table().file, file_code(report)),
        "information_check": _code(code_table().information, information_code(report.license))
        if report.license.standing is not None
        else None,
        "card": card_json(report.card) if report.card else None,
        "verdict": report.verdict.as_json(),
        "promise": report.promise.as_json() if report.promise else None,
    }


def card_json(card: PublicCard) -> dict[str, Any]:
    """Give what strangers may know of a licence, and no more."""
    return {
        "type": {"code": card.kind.code, "zh": card.kind.zh, "en": card.kind.en},
        "issuer": card.issuer,
        "status": {"code": str(card.status.code), "zh": card.status.zh, "en": card.status.en},
        "valid_from": card.valid_from.isoformat() if card.valid_from else None,
        "valid_until": card.valid_until.isoformat() if card.valid_until else None,
        "holder": card.holder.name,
        "trust": card.trust,
        "pending": str(card.pending) if card.pending else None,
    }


def _line(line: Line) -> dict[str, str]:
    standing = NOT_APPLICABLE if line.standing is None else str(line.standing)
    return {"code": line.code, "standing": standing, "zh": line.zh, "en": line.en}


def _code(words: Mapping[int, tuple[str, str]], code: int) -> dict[str, Any]:
    zh, en = words[code]
    return {"code": code, "zh": zh, "en": en}
