# SPDX-License-Identifier: Apache-2.0
"""A stranger's file is judged in a confined child; whatever happens there, the answer is a verdict."""

import dataclasses
import zlib
from pathlib import Path

import pytest
from press import Press

from documents.sandbox import Sandbox
from seals.orders import Placement
from seals.programs.verify_pdf import warm
from seals.untrusted import LIMITS, verify_untrusted
from seals.verdicts import State
from seals.verification import KnownDocument, verify_pdf


@pytest.mark.parametrize("bubblewrap", [None, False])
def test_the_child_says_what_the_function_says(
    press: Press, page: bytes, tmp_path: Path, bubblewrap: bool | None
) -> None:
    sealed = press.seal(page, Placement(1, 100, 100, 42))
    path = tmp_path / "upload"
    path.write_bytes(sealed.data)
    trust, known, now = press.registered(), KnownDocument(sealed.facts.after_sha256), press.clock.now()
    sandbox = Sandbox(bubblewrap=bubblewrap)
    found = verify_untrusted(path, trust, known, now, sandbox=sandbox)
    assert found == verify_pdf(sealed.data, trust, known, now)
    assert found.state is State.VALID


def test_a_bomb_ends_within_the_limits(press: Press, tmp_path: Path) -> None:
    bomb = zlib.compress(zlib.compress(bytes(1 << 28), 9), 9)
    path = tmp_path / "upload"
    objects = [
        b"1 0 obj\n<</Type/ObjStm/N 1/First 9/Filter[/FlateDecode/FlateDecode]/Length %d>>\nstream\n"
        % len(bomb),
        bomb,
        b"\nendstream\nendobj\ntrailer<</Root 2 0 R/Size 3>>\nstartxref\n0\n%%EOF\n",
    ]
    path.write_bytes(b"%PDF-1.7\n" + b"".join(objects))
    limits = dataclasses.replace(LIMITS, address_space=1 << 30, cpu_seconds=5, wall_seconds=10)
    now = press.clock.now()
    found = verify_untrusted(path, press.registered(), None, now, sandbox=Sandbox(), limits=limits)
    assert found.state is State.UNSUPPORTED


def test_a_child_that_cannot_start_gives_no_valid_answer(press: Press, page: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(press.seal(page).data)
    limits = dataclasses.replace(LIMITS, address_space=32 << 20)
    now = press.clock.now()
    found = verify_untrusted(path, press.registered(), None, now, sandbox=Sandbox(), limits=limits)
    assert found.reasons == ("limits",)


def test_children_are_warmed_by_a_page_whose_seal_holds() -> None:
    verdict = warm()
    assert (verdict["state"], [one["code"] for one in verdict["reasons"]]) == ("valid", ["seal-holds"])
