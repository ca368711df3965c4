# SPDX-License-Identifier: Apache-2.0
"""Runs in a confined child, where ``seals`` and ``storage`` are importable: gives the verdict of one file."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from seals import verification
from seals.trust import TrustList
from seals.verification import KnownDocument, verify_pdf
from storage.clock import parse_rfc3339

# A child sees this file elsewhere than the package.
SAMPLE = Path(verification.__file__).with_name("data") / "sample.json"


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


def warm() -> dict[str, Any]:
    """Verify a sealed page of our own, so that what is loaded on the way is loaded before the first file."""
    sample = json.loads(SAMPLE.read_bytes())
    return main(sample | {"file": io.BytesIO(base64.b64decode(sample["file"]))})
