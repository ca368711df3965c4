# SPDX-License-Identifier: Apache-2.0
"""Entries, receipts and tiles have one spelling, and what differs from it is refused."""

import base64
import hashlib
import json

import pytest

from storage.ledger import tiles
from storage.ledger.canonical import canonical
from storage.ledger.entries import FIRST_PREV, MAX_ENTRY, entry_bytes, entry_prefix, parse_entry
from storage.ledger.errors import LedgerFormatError, ProofRefusedError
from storage.ledger.notes import Checkpoint, NoteSigner, sign_note
from storage.ledger.policies import parse_policy, single_log_policy
from storage.ledger.proofs import inclusion_path, leaf_hash, leaf_nodes, tree_root
from storage.ledger.receipts import Receipt, parse_receipt, verify_receipt

ORIGIN = "log.cunzheng.invalid"
LOG = NoteSigner(ORIGIN, bytes(range(32)))
POLICY = parse_policy(single_log_policy(LOG.verifier))
AT = "2026-11-24T01:00:00.000000Z"
CORE = canonical({"kind": "case.announced", "detail_sha256": "ab" * 32, "nonce": "00" * 16})


def chain(count: int, origin: str = ORIGIN) -> list[bytes]:
    entries: list[bytes] = []
    prev = FIRST_PREV
    for seq in range(count):
        core = CORE.replace(b"00" * 16, b"%032x" % seq)
        entries.append(entry_bytes(AT, core, entry_prefix(origin), prev, seq))
        prev = leaf_hash(entries[-1])
    return entries


def receipt_of(entries: list[bytes], index: int, entry: bytes | None = None) -> Receipt:
    leaves = [leaf_hash(one) for one in entries]
    note = sign_note(Checkpoint(ORIGIN, len(leaves), tree_root(leaves)).text(), [LOG])
    path = inclusion_path(leaf_nodes(leaves), index, len(leaves))
    return Receipt(entry or entries[index], index, tuple(path), note)


def test_the_first_entry_is_spelled_like_this() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert chain(1)[0].decode() == (
        f'{{"at":"{AT}","core":{CORE.decode()},"log":"{ORIGIN}","prev":"{empty}","seq":0,"v":1}}'
    )


def test_an_entry_reads_back_and_its_act_id_is_the_digest_of_its_core() -> None:
    first, second = chain(2)
    entry = parse_entry(second)
    assert (entry.seq, entry.at, entry.log, entry.prev) == (1, AT, ORIGIN, leaf_hash(first))
    assert entry.core == CORE.replace(b"00" * 16, b"%032x" % 1)
    assert entry.act_id == hashlib.sha256(entry.core).hexdigest()
    assert entry.detail_sha256 == "ab" * 32


def test_an_entry_too_long_for_its_bundle_is_refused() -> None:
    with pytest.raises(LedgerFormatError):
        entry_bytes(AT, b'"' + b"x" * MAX_ENTRY + b'"', entry_prefix(ORIGIN), FIRST_PREV, 0)


ENTRY = chain(1)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":true'),
        (b'"v":1', b'"v":1.0'),
        (b'"v":1', b'"v":1,"w":1'),
        (b',"v":1', b""),
        (b'"seq":0', b'"seq":-1'),
        (b'"seq":0', b'"seq":false'),
        (b'"seq":0', b'"seq":"0"'),
        (b'"seq":0', b'"seq":9007199254740992'),
        (b'"seq":0', b'"seq":0,"seq":0'),
        (b'"seq":0', b'"seq": 0'),
        (b'"prev":"e3', b'"prev":"E3'),
        (b'"prev":"e3', b'"prev":"e'),
        (b"2026-11-24T01", b"2026-13-24T01"),
        (b".000000Z", b".000Z"),
        (b".000000Z", b".000000+00:00"),
        (b'"log":"log', b'"log":"\\u006cog'),
        (b'"log":"log.cunzheng.invalid"', b'"log":""'),
        (b'"at":"2026-11-24T01:00:00.000000Z"', b'"at":[]'),
        (b'"at":"2026-11-24T01:00:00.000000Z"', b'"at":null'),
        (b'"log":"log.cunzheng.invalid"', b'"log":{}'),
        (b'"prev":"e3', b'"prev":"zz'),
        (b'"kind":"case.announced"', b'"kind":1.5'),
        (b'"kind":"case.announced"', b'"kind":["a",1.5]'),
        (b'"kind":"case.announced"', b'"kind":{"a":1e30}'),
        (b'"kind"', '"证"'.encode()),
        (b'"detail_sha256"', b'"detail"'),
        (b'"core":{', b'"core":[{'),
        (b"}", b""),
        (b"{", b"\xff{"),
        (CORE, b"null"),
        (CORE, b"[" * 3000 + b"]" * 3000),
    ],
)
def test_entries_that_are_not_as_written_are_refused(old: bytes, new: bytes) -> None:
    changed = ENTRY.replace(old, new, 1)
    assert changed != ENTRY
    with pytest.raises(LedgerFormatError):
        parse_entry(changed)


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257])
def test_a_receipt_redeems_the_promise_of_its_act(size: int) -> None:
    entries = chain(size)
    for index in {0, size // 2, size - 1}:
        data = receipt_of(entries, index).to_bytes()
        assert parse_receipt(data).to_bytes() == data
        promised = parse_entry(entries[index]).act_id
        assert verify_receipt(data, POLICY, promised).entry.seq == index


def test_a_receipt_does_not_redeem_the_promise_of_another_act() -> None:
    entries = chain(3)
    with pytest.raises(ProofRefusedError, match="promised-digest"):
        verify_receipt(receipt_of(entries, 1).to_bytes(), POLICY, parse_entry(entries[2]).act_id)


def test_a_receipt_with_another_entry_is_refused() -> None:
    entries = chain(3)
    with pytest.raises(ProofRefusedError, match="inclusion-path"):
        verify_receipt(receipt_of(entries, 1, entries[2]).to_bytes(), POLICY)


def test_an_entry_that_states_another_place_or_log_than_it_holds_is_refused() -> None:
    for entries in ([chain(2)[1], chain(2)[0]], chain(2, "other.invalid")):
        with pytest.raises(ProofRefusedError, match="entry-position"):
            verify_receipt(receipt_of(entries, 0).to_bytes(), POLICY)


def test_a_receipt_under_a_key_that_the_policy_does_not_name_is_refused() -> None:
    other = NoteSigner(ORIGIN, bytes(32))
    policy = parse_policy(single_log_policy(other.verifier))
    with pytest.raises(ProofRefusedError):
        verify_receipt(receipt_of(chain(2), 0).to_bytes(), policy)


def test_every_changed_byte_of_a_receipt_is_refused() -> None:
    data = receipt_of(chain(5), 2).to_bytes()
    promised = parse_entry(chain(5)[2]).act_id
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises((LedgerFormatError, ProofRefusedError)):
            verify_receipt(changed, POLICY, promised)


def test_a_receipt_with_more_than_63_hashes_is_refused() -> None:
    receipt = receipt_of(chain(2), 0)
    long = Receipt(receipt.entry, 0, receipt.path * 64, receipt.checkpoint).to_bytes()
    with pytest.raises(LedgerFormatError):
        parse_receipt(long)


@pytest.mark.parametrize(
    ("index", "path"), [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_tile_numbers_are_written_in_groups_of_three_digits(index: int, path: str) -> None:
    assert tiles.tile_path(3, index) == f"tile/3/{path}"
    for name in (tiles.tile_path(3, index), tiles.entries_path(index, 17), tiles.tile_path(0, index, 255)):
        parsed = tiles.parse_tile_path(name)
        assert parsed.index == index


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/00",
        "tile/0/x000/001",
        "tile/0/1000",
        "tile/00/000",
        "tile/8/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/001/000",
        "tile/data/000",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../0/000",
        "tile/0/０00",
    ],
)
def test_other_spellings_of_tile_paths_are_refused(path: str) -> None:
    with pytest.raises(LedgerFormatError):
        tiles.parse_tile_path(path)


def test_a_tree_of_70000_entries_has_the_tiles_of_the_specification() -> None:
    counted = {level: list(tiles.widths(70_000, level)) for level in tiles.levels(70_000)}
    assert {level: (len(found) - 1, found[-1][1]) for level, found in counted.items()} == {
        0: (273, 112),
        1: (1, 17),
        2: (0, 1),
    }


def test_paths_from_tiles_are_the_paths_from_leaves() -> None:
    size = 70_000
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    stored: dict[tuple[int, int], list[bytes]] = {}
    row = leaves
    for level in tiles.levels(size):
        for index, width in tiles.widths(size, level):
            stored[level, index] = row[index * 256 : index * 256 + width]
        row = [tiles.full_tile_root(row[at : at + 256]) for at in range(0, len(row) // 256 * 256, 256)]
    from_tiles = tiles.tile_nodes(lambda level, index: stored[level, index])
    from_leaves = leaf_nodes(leaves)
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_999):
        assert inclusion_path(from_tiles, index, size) == inclusion_path(from_leaves, index, size)


def test_bundles_frame_entries_with_two_bytes_and_details_with_four() -> None:
    assert tiles.pack_entries([b"a", b"", b"xyz"]).hex() == "000161" + "0000" + "000378797a"
    assert tiles.pack_details([b"a", b""]).hex() == "0000000161" + "00000000"
    assert list(tiles.unpack_entries(bytes.fromhex("0001610000000378797a"))) == [b"a", b"", b"xyz"]
    for broken in ("00", "0002ff", "00016100"):
        with pytest.raises(LedgerFormatError):
            list(tiles.unpack_entries(bytes.fromhex(broken)))


def test_the_extra_line_is_the_entry_itself() -> None:
    lines = receipt_of(chain(2), 1).to_bytes().decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert json.loads(base64.b64decode(lines[1].removeprefix("extra ")))["seq"] == 1
    assert lines[2:6] == ["index 1", lines[3], "", ORIGIN]
