# SPDX-License-Identifier: Apache-2.0
"""The gates before a document is sealed. They are filters, not verdicts: after sealing, ``seals`` judges.

``pikepdf.pdfa`` neither sees raw syntax nor accepts signatures, so it never judges a sealed file.
"""

from pathlib import Path
from typing import cast

from documents.errors import ChildFailedError
from documents.formats import problem_of
from documents.sandbox import Sandbox


def pre_seal_findings(path: Path, sandbox: Sandbox) -> list[str]:
    """Give what keeps a PDF from being sealed, as stable codes; an empty list lets it pass.

    Codes: ``form``, ``layers``, ``javascript``, ``open-action``, ``actions``, ``annotation`` (other than a
    link), ``hidden-annotation``, ``incremental-revisions``, ``signed``, ``encrypted``, ``portfolio``, and
    ``damaged`` or ``over-limits`` when it cannot be looked at.
    """
    try:
        with sandbox.workroom() as room:
            room.put(path, "source")
            return cast(list[str], room.call("pdf", do="findings", file="source")["findings"])
    except ChildFailedError as failure:
        return [problem_of(failure)]


def broken_rules(path: Path, level: str, sandbox: Sandbox) -> list[str]:
    """Give the PDF/A rules of a level like ``3b`` that a file breaks, or that could not be checked."""
    try:
        with sandbox.workroom() as room:
            room.put(path, "source")
            return cast(list[str], room.call("pdf", do="validate", file="source", pdfa=level)["rules"])
    except ChildFailedError as failure:
        return [f"pikepdf:{problem_of(failure)}"]
