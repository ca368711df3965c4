# SPDX-License-Identifier: Apache-2.0
"""A thousand changes of one byte to each kind of sealed file: not one of them is ever valid.

The changes go through the function that ``cunzheng verify`` and the check desk use, with the installation's
own trust, register and knowledge of its files; only the confining child process is left out, because it
would take most of the time. A sample goes through the child as well.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from demonstration import opened, sealed_files

from documents.sandbox import Sandbox
from portal import bootstrap
from portal.checking import DocumentCheck
from portal.rooms import Rooms
from seals.containers import find
from seals.trust import TrustList
from seals.verdicts import State, Verdict
from seals.verification import KnownDocument, verify_pdf

pytestmark = pytest.mark.slow

KINDS = [
    "catalogue",
    "commitment",
    "licence",
    "pdf-normalised",
    "image-embedded",
    "image-reencoded",
    "office",
]
SIGNED_CHANGES, CONTAINER_CHANGES, OTHER_DIGITS = 600, 200, 200
WHITE = b"\x00\t\n\x0c\r "
HEX = b"0123456789abcdefABCDEF"
GOOD = {State.VALID, State.VALID_WITH_CHANGES}


@dataclass(frozen=True)
class Known:
    """A file of the installation and where its seal lies."""

    data: bytes
    start: int
    end: int

    def changed(self, at: int, octet: int) -> bytes:
        return self.data[:at] + bytes([octet]) + self.data[at + 1 :]


@pytest.fixture(scope="module")
def rooms(demo_data: Path) -> Iterator[Rooms]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "verify_untrusted", _in_this_process)
        with opened(demo_data) as rooms:
            yield rooms


def _in_this_process(
    path: Path, trust: TrustList, known: KnownDocument | None, at: dt.datetime, *, sandbox: Sandbox
) -> Verdict:
    assert sandbox is not None
    return verify_pdf(path.read_bytes(), trust, known, at)


@dataclass
class Judge:
    """Judges bytes as the installation does; ``known`` tells whether it knew the file."""

    checks: DocumentCheck
    path: Path
    known: bool = False

    def __call__(self, data: bytes) -> Verdict:
        self.path.write_bytes(data)
        verdict, found = self.checks.establish(self.path)
        self.known = found is not None
        return verdict


@pytest.fixture(scope="module")
def judge(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge(rooms.checks, tmp_path_factory.mktemp("judged") / "file.pdf")


@pytest.fixture(scope="module")
def chosen(rooms: Rooms, judge: Judge) -> dict[str, bytes]:
    """The smallest valid file of each kind: the smaller, the larger the part of it that is seal."""
    found: dict[str, bytes] = {}
    for file in sealed_files(rooms):
        data = rooms.objects.read(file.sha256)
        if file.kind not in found and judge(data).state is State.VALID:
            found[file.kind] = data
    return found


@pytest.fixture(params=KINDS)
def known(request: pytest.FixtureRequest, chosen: dict[str, bytes]) -> Known:
    data = chosen[request.param]
    (container,) = find(data)
    return Known(data, *container.byte_range[1:3])


def test_a_changed_byte_in_the_signed_ranges_is_never_valid(known: Known, judge: Judge) -> None:
    chance = random.Random(len(known.data))
    places = [*range(known.start), *range(known.end, len(known.data))]
    for at in chance.sample(places, SIGNED_CHANGES):
        octet = known.data[at] ^ chance.randrange(1, 256)
        verdict = judge(known.changed(at, octet))
        assert verdict.state not in GOOD, (at, octet)
        assert "identical-to-stored" not in verdict.reasons


def test_a_changed_byte_in_the_container_of_a_known_file_is_never_valid(known: Known, judge: Judge) -> None:
    chance = random.Random(known.start)
    any_octet = [
        (at, known.data[at] ^ chance.randrange(1, 256))
        for at in chance.sample(range(known.start, known.end), CONTAINER_CHANGES)
    ]
    # Most of those are no hexadecimal digits; these are, in the part that holds the signature.
    signature = range(known.start + 1, known.start + len(known.data[known.start : known.end].rstrip(b"0>")))
    other_digit = [
        (at, chance.choice([digit for digit in HEX if digit != known.data[at]]))
        for at in chance.sample(signature, OTHER_DIGITS)
    ]
    for at, octet in any_octet + other_digit:
        verdict = judge(known.changed(at, octet))
        assert judge.known, (at, octet)
        assert verdict.state not in GOOD, (at, octet)
        assert "identical-to-stored" not in verdict.reasons


def test_trailing_white_space_keeps_the_untouched_files_verdict(known: Known, judge: Judge) -> None:
    untouched = judge(known.data)
    assert judge.known
    assert "identical-to-stored" in untouched.reasons
    chance = random.Random(known.end)
    for length in (*range(1, 7), 500):
        verdict = judge(known.data + bytes(chance.choices(WHITE, k=length)))
        assert judge.known
        assert verdict.state is untouched.state
        assert set(verdict.reasons) == {*untouched.reasons, "trailing-white-space"}
    assert judge(known.data + b"\n%").state not in GOOD


def test_all_but_the_licence_under_the_revoked_seal_are_valid_to_begin_with(
    rooms: Rooms, judge: Judge
) -> None:
    states: dict[str, set[State]] = {}
    for file in sealed_files(rooms):
        states.setdefault(file.kind, set()).add(judge(rooms.objects.read(file.sha256)).state)
    assert states.pop("licence") == {State.VALID, State.INDETERMINATE}
    assert states == {kind: {State.VALID} for kind in KINDS if kind != "licence"}


def test_the_confined_child_says_the_same(demo_data: Path, known: Known, judge: Judge) -> None:
    chance = random.Random(known.start + known.end)
    files = [known.data, known.data + b"\r\n"]
    files += [known.changed(at, known.data[at] ^ 1) for at in chance.sample(range(len(known.data)), 4)]
    with opened(demo_data) as rooms:
        confined = Judge(rooms.checks, judge.path)
        for data in files:
            here, there = judge(data), confined(data)
            assert (there.state, there.reasons) == (here.state, here.reasons)
