# SPDX-License-Identifier: Apache-2.0
"""Makes ``seals/data/sample.json``: a sealed page that verifying children verify before the first real file.

Usage: sample_seal.py. The authority is made for it and its keys are gone afterwards.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from fakes import HandClock  # noqa: E402 # the path above has to be set first
from press import DEPARTMENTS, Press  # noqa: E402 # as above

from documents.typesetting import Typesetter  # noqa: E402 # as above
from seals import demo_pki  # noqa: E402 # as above
from seals.keys import FileKeyStore  # noqa: E402 # as above
from seals.orders import Placement  # noqa: E402 # as above
from storage.clock import RandomIds, rfc3339  # noqa: E402 # as above


def main() -> None:
    """Make the file anew."""
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), HandClock()
        pki = demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), clock, DEPARTMENTS[:1])
        press = Press(pki, pki.tsa(RandomIds()), clock)
        (folder / "page.typ").write_text('#set document(title: "sample")\n#rect()\n', encoding="utf-8")
        page = Typesetter().typeset(folder / "page.typ", {}, [], clock.now())
        sealed = press.seal(page, Placement(1, 100, 100, 42))
        sample = {
            "trust": press.registered().as_json(),
            "known": None,
            "at": rfc3339(clock.now()),
            "file": base64.b64encode(sealed.data).decode(),
        }
    target = HERE.parents[1] / "seals" / "data" / "sample.json"
    target.write_text(json.dumps(sample, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
