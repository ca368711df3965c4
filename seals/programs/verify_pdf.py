# SPDX-License-Identifier: Apache-2.0
"""Runs in a confined child: verifies ``file.pdf`` by ``question.json`` and writes ``verdict.json``.

Called with the folder that holds the packages ``seals`` and ``storage``; its working folder is the room.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Verify the one file of the room."""
    sys.path.insert(0, sys.argv[1])
    # The packages are found only after the line above.
    from seals.trust import TrustList  # noqa: PLC0415
    from seals.verification import KnownDocument, verify_pdf  # noqa: PLC0415
    from storage.clock import parse_rfc3339  # noqa: PLC0415

    question = json.loads(Path("question.json").read_bytes())
    known = question["known"]
    verdict = verify_pdf(
        Path("file.pdf").read_bytes(),
        TrustList.from_json(question["trust"]),
        None if known is None else KnownDocument(known),
        parse_rfc3339(question["at"]),
    )
    Path("verdict.json").write_text(json.dumps(verdict.as_json(), ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
