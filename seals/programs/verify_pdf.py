# SPDX-License-Identifier: Apache-2.0
"""Runs in a confined child, where ``seals`` and ``storage`` are importable: gives the verdict of one file."""

from typing import Any

from seals.trust import TrustList
from seals.verdicts import reasons
from seals.verification import KnownDocument, verify_pdf
from storage.clock import parse_rfc3339

reasons()  # read once, before the first file


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Verify the open ``file`` by ``trust``, ``known`` and ``at``; the answer is the verdict as JSON."""
    known = request["known"]
    verdict = verify_pdf(
        request["file"].read(),
        TrustList.from_json(request["trust"]),
        None if known is None else KnownDocument(known),
        parse_rfc3339(request["at"]),
    )
    return verdict.as_json()
