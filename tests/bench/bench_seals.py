# SPDX-License-Identifier: Apache-2.0
"""Seals per second as they leave the product, beside the bare signatures that the same key can make."""

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fakes import HandClock
from measuring import Measurement, rate
from press import DEPARTMENTS, Press

from documents.typesetting import FONT, Typesetter
from seals import cms, demo_pki, signer
from seals.keys import FileKeyStore
from seals.orders import Placement
from seals.tokens import verify_token
from seals.verification import verify_pdf
from storage.clock import RandomIds

STAMP = Placement(1, 120, 200, 42)
ALLOWED_MS = 30.0


def measure() -> Iterator[Measurement]:
    """Seal and verify one typeset page, in one process and one thread."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pki = demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), HandClock(), DEPARTMENTS)
        press = Press(pki, pki.tsa(RandomIds()), HandClock())
        yield from _measure(press, _page(folder))


def _page(folder: Path) -> bytes:
    template = folder / "page.typ"
    template.write_text(
        f'#set document(title: "卷内目录")\n#set text(font: "{FONT}")\n' + "建设工程规划许可证，" * 60
    )
    return Typesetter().typeset(template, {}, [], dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def _measure(press: Press, page: bytes) -> Iterator[Measurement]:
    signatory, trust, tsa = press.pki.signatory("housing"), press.registered(), press.pki.tsa(RandomIds())
    bare = rate(lambda: signatory.keys.sign(signatory.key, page))

    def seal() -> bytes:
        prepared = signer.prepare(
            page, signatory, at=press.clock.now(), name=DEPARTMENTS[0][1], reason="bench", stamp=STAMP
        )
        return prepared.fill(cms.sign(signatory, digest=prepared.digest, stamp=tsa.stamp))

    yield Measurement("seals PAdES B-T, not re-read", rate(seal), "1/s", "bare RSA-3072 signatures", bare)
    full = rate(lambda: press.seal(page, STAMP))
    yield Measurement("seals PAdES B-T, re-read and verified", full, "1/s", "bare RSA-3072 signatures", bare)
    imprint = hashlib.sha256(page).digest()
    token = tsa.stamp(imprint)
    yield Measurement(
        "time stamps", rate(lambda: tsa.stamp(imprint)), "1/s", "bare RSA-3072 signatures", bare
    )
    checked = rate(lambda: verify_token(token, imprint, trust))
    yield Measurement("time stamps verified", checked, "1/s", "bare RSA-3072 signatures", bare)
    sealed = press.seal(page, STAMP).data
    good = 1000 / rate(lambda: verify_pdf(sealed, trust, None, press.clock.now()))
    yield Measurement("verdict on an untouched file", good, "ms", "allowed", ALLOWED_MS)
    changed = bytearray(sealed)
    changed[len(page) // 2] ^= 1
    bad = 1000 / rate(lambda: verify_pdf(bytes(changed), trust, None, press.clock.now()))
    yield Measurement("verdict on a changed file", bad, "ms", "allowed", ALLOWED_MS)
