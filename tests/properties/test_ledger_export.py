# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to an export is found, and the first bad sequence number is named."""

import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from exports import forge, read_entries, rehash, write_entries, write_tiles
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledgers import SIGNER, HandAuthority, Ledger, open_ledger

from storage.ledger import tiles
from storage.ledger.entries import entry_bytes, entry_prefix, parse_entry
from storage.ledger.export import export_log
from storage.ledger.filelist import ExportFolder
from storage.ledger.findings import LogReport, Rule, Verdict
from storage.ledger.notes import Checkpoint, NoteSigner, sign_note
from storage.ledger.policies import parse_policy, single_log_policy
from storage.ledger.proofs import leaf_hash, tree_root
from storage.ledger.verification import verify_log

SIZE = 600
ANCHORED = (200, 420)
PARTIAL = SIZE - 512


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path_factory.mktemp("ledger"))
    opened.grow(ANCHORED[0] - 1)
    opened.grow(ANCHORED[1] - ANCHORED[0])
    opened.record(SIZE - ANCHORED[1])
    opened.clock.advance(2)
    opened.authority.down = True
    opened.keeper.tick(hurry=True)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def export(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    exported = export_log(ledger.database, folder, SIGNER.verifier, b"no certificates in this test\n")
    assert (exported.entries, exported.anchors) == (SIZE, 2)
    return folder


@pytest.fixture
def copy(export: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(export, folder)
    return folder


def judge(ledger: Ledger, folder: Path, known: bytes | None = None) -> LogReport:
    return verify_log(folder, ledger.policy, HandAuthority(ledger.clock), known)


def rules(report: LogReport) -> set[Rule]:
    return {finding.rule for finding in report.findings}


def test_an_untouched_export_is_valid(ledger: Ledger, export: Path) -> None:
    report = judge(ledger, export)
    assert (report.verdict, report.findings, report.first_bad) == (Verdict.VALID, [], None)
    assert (report.size, report.anchors, report.tokens, report.details) == (SIZE, 2, 2, SIZE)
    assert report.anchored == ANCHORED[1]


def test_every_file_of_an_export_is_listed_as_sha256sum_reads_it(export: Path) -> None:
    lines = (export / "files.sha256").read_text().splitlines()
    assert {line[66:] for line in lines} == ExportFolder(export).files - {"files.sha256"}
    assert all(line[64:66] == "  " for line in lines)


@settings(max_examples=120)
@given(pick=st.integers(0, 10**9), place=st.integers(0, 10**9), flip=st.integers(1, 255))
@example(pick=0, place=0, flip=1)
def test_any_changed_byte_is_located(ledger: Ledger, export: Path, pick: int, place: int, flip: int) -> None:
    files = sorted(ExportFolder(export).files)
    path = files[pick % len(files)]
    target = export / path
    data = target.read_bytes()
    at = place % len(data)
    target.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
    try:
        report = judge(ledger, export)
    finally:
        target.write_bytes(data)
    assert report.verdict is Verdict.INVALID
    located = {finding.file for finding in report.findings}
    assert path in located or path == "files.sha256"
    if path.startswith("tile/entries/"):
        assert report.first_bad == changed_entry(path, data, at)
        assert report.exact


def changed_entry(path: str, data: bytes, at: int) -> int:
    """Give the sequence number of the entry that holds a byte of a bundle."""
    seq, end = tiles.parse_tile_path(path).index * 256, 0
    while True:
        (length,) = struct.unpack_from(">H", data, end)
        end += 2 + length
        if at < end:
            return seq
        seq += 1


@pytest.mark.parametrize("seq", [0, 1, 199, 200, 255, 256, 511, 512, SIZE - 1])
@pytest.mark.parametrize("rehashed", ["not re-hashed", "chain", "chain and tiles"])
def test_an_edited_entry_is_named(ledger: Ledger, copy: Path, seq: int, rehashed: str) -> None:
    entries = read_entries(copy)
    entries[seq] = forge(entries[seq])
    if rehashed != "not re-hashed":
        entries = rehash(entries, seq)
    write_entries(copy, entries)
    if rehashed == "chain and tiles":
        write_tiles(copy, entries)
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert report.verdict is Verdict.INVALID
    if rehashed == "chain and tiles":
        # Nothing but signed roots is left to tell: the last anchor that still agrees bounds it.
        assert report.first_bad == max(size for size in (0, *ANCHORED) if size <= seq)
        assert not report.exact
    else:
        assert (report.first_bad, report.exact) == (seq, True)


@pytest.mark.parametrize("seq", [0, 100, 255, 256, SIZE - 1])
@pytest.mark.parametrize("rehashed", [False, True])
def test_a_removed_entry_is_named(ledger: Ledger, copy: Path, seq: int, rehashed: bool) -> None:
    entries = read_entries(copy)
    del entries[seq]
    write_entries(copy, rehash(entries, seq) if rehashed else entries)
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert (report.verdict, report.first_bad) == (Verdict.INVALID, seq)


@pytest.mark.parametrize("seq", [0, 100, 256, SIZE])
@pytest.mark.parametrize("rehashed", [False, True])
def test_an_added_entry_is_named(ledger: Ledger, copy: Path, seq: int, rehashed: bool) -> None:
    entries = read_entries(copy)
    entries.insert(seq, forge(entries[min(seq, SIZE - 1)]))
    write_entries(copy, rehash(entries, seq) if rehashed else entries)
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert (report.verdict, report.first_bad) == (Verdict.INVALID, seq)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (254, 257), (10, SIZE - 1)])
@pytest.mark.parametrize("rehashed", [False, True])
def test_swapped_entries_are_named(ledger: Ledger, copy: Path, one: int, other: int, rehashed: bool) -> None:
    entries = read_entries(copy)
    entries[one], entries[other] = entries[other], entries[one]
    write_entries(copy, rehash(entries, one) if rehashed else entries)
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert (report.verdict, report.first_bad) == (Verdict.INVALID, one)


def test_without_tiles_the_chain_alone_names_an_edited_entry(ledger: Ledger, copy: Path) -> None:
    entries = read_entries(copy)
    entries[300] = forge(entries[300])
    write_entries(copy, entries)
    (copy / "files.sha256").unlink()
    for level in ("0", "1"):
        shutil.rmtree(copy / "tile" / level)
    report = judge(ledger, copy)
    assert (report.verdict, report.first_bad) == (Verdict.INVALID, 300)


def test_a_log_cut_short_behind_an_older_checkpoint_is_refused(ledger: Ledger, copy: Path) -> None:
    newest = (copy / "checkpoint").read_bytes()
    shutil.copy(copy / "anchor" / f"{ANCHORED[0]:020d}" / "checkpoint", copy / "checkpoint")
    for seq in (0, 1):
        path = copy / tiles.entries_path(seq)
        if seq == 0:
            short = copy / tiles.entries_path(0, ANCHORED[0])
            short.parent.mkdir()
            entries = list(tiles.unpack_entries(path.read_bytes()))
            short.write_bytes(tiles.pack_entries(entries[: ANCHORED[0]]))
    shutil.rmtree(copy / "details")
    for level in ("0", "1"):
        shutil.rmtree(copy / "tile" / level)
    (copy / "files.sha256").unlink()
    assert rules(judge(ledger, copy)) == {Rule.ANCHOR_AHEAD}
    shutil.rmtree(copy / "anchor" / f"{ANCHORED[1]:020d}")
    assert judge(ledger, copy).verdict is Verdict.VALID, "nothing in the export tells any more"
    assert rules(judge(ledger, copy, known=newest)) == {Rule.SHORTER_THAN_KNOWN}


def test_a_rewritten_history_signed_with_the_stolen_key_contradicts_what_was_kept(
    ledger: Ledger, copy: Path
) -> None:
    kept = (copy / "checkpoint").read_bytes()
    entries = read_entries(copy)
    entries[450] = forge(entries[450])
    entries = rehash(entries, 450)
    write_entries(copy, entries)
    write_tiles(copy, entries)
    root = tree_root([leaf_hash(entry) for entry in entries])
    forged = sign_note(Checkpoint(SIGNER.name, SIZE, root).text(), [SIGNER])
    (copy / "checkpoint").write_bytes(forged)
    (copy / "files.sha256").unlink()
    assert judge(ledger, copy).verdict is Verdict.VALID, "beyond the last token the key alone decides"
    assert rules(judge(ledger, copy, known=kept)) == {Rule.FORKED}


def test_a_rewritten_history_below_a_token_is_refused_even_with_the_stolen_key(
    ledger: Ledger, copy: Path
) -> None:
    entries = read_entries(copy)
    entries[250] = forge(entries[250])
    entries = rehash(entries, 250)
    write_entries(copy, entries)
    write_tiles(copy, entries)
    root = tree_root([leaf_hash(entry) for entry in entries])
    (copy / "checkpoint").write_bytes(sign_note(Checkpoint(SIGNER.name, SIZE, root).text(), [SIGNER]))
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert rules(report) == {Rule.ANCHOR_REFUSED}
    anchor = copy / "anchor" / f"{ANCHORED[1]:020d}" / "checkpoint"
    cut = tree_root([leaf_hash(entry) for entry in entries[: ANCHORED[1]]])
    anchor.write_bytes(sign_note(Checkpoint(SIGNER.name, ANCHORED[1], cut).text(), [SIGNER]))
    assert rules(judge(ledger, copy)) == {Rule.TOKEN_REFUSED}


def drop(*paths: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        for path in paths:
            target = folder / path
            shutil.rmtree(target) if target.is_dir() else target.unlink()

    return act


@pytest.mark.parametrize(
    ("change", "expected", "verdict"),
    [
        (drop("checkpoint"), {Rule.CHECKPOINT_MISSING}, Verdict.INVALID),
        (drop("tile/0/001"), {Rule.TILE_MISSING}, Verdict.INVALID),
        (drop("tile/1/000.p/2"), {Rule.TILE_MISSING}, Verdict.INVALID),
        (drop("tile/entries/001"), {Rule.ENTRY_REMOVED}, Verdict.INVALID),
        (drop("details/001"), {Rule.DETAIL_MISSING}, Verdict.INVALID),
        (drop(f"anchor/{ANCHORED[0]:020d}/checkpoint"), {Rule.CHECKPOINT_MISSING}, Verdict.INVALID),
        (drop("tile/entries", "details"), {Rule.ENTRIES_NOT_INCLUDED}, Verdict.CANNOT_TELL),
        (drop("details"), set(), Verdict.VALID),
        (drop("anchor"), set(), Verdict.VALID),
    ],
    ids=range(9),
)
def test_missing_parts_are_named(
    ledger: Ledger, copy: Path, change: Callable[[Path], None], expected: set[Rule], verdict: Verdict
) -> None:
    change(copy)
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert expected <= rules(report)
    assert report.verdict is verdict


def test_a_file_that_the_list_does_not_name_is_found(ledger: Ledger, copy: Path) -> None:
    (copy / "tile" / "entries" / "003").write_bytes(tiles.pack_entries(read_entries(copy)[:256]))
    assert rules(judge(ledger, copy)) == {Rule.FILE_UNKNOWN}


def test_a_detail_exchanged_for_another_is_named(ledger: Ledger, copy: Path) -> None:
    path = copy / tiles.details_path(1)
    details = list(tiles.unpack_details(path.read_bytes()))
    details[4], details[5] = details[5], details[4]
    path.write_bytes(tiles.pack_details(details))
    report = judge(ledger, copy)
    found = [finding for finding in report.findings if finding.rule is Rule.DETAIL_DIFFERS]
    assert [finding.seq for finding in found] == [260]
    assert report.first_bad is None, "the entries themselves are sound"


def test_a_log_under_another_key_is_refused(ledger: Ledger, export: Path) -> None:
    other = NoteSigner(SIGNER.name, bytes(32))
    report = verify_log(export, parse_policy(single_log_policy(other.verifier)))
    assert rules(report) == {Rule.CHECKPOINT_REFUSED, Rule.KEY_DIFFERS}
    assert report.verdict is Verdict.INVALID


def test_tokens_that_nobody_can_judge_are_counted_not_believed(ledger: Ledger, export: Path) -> None:
    report = verify_log(export, ledger.policy)
    assert (report.tokens, report.tokens_unjudged, report.anchored) == (0, 2, 0)


def test_a_log_whose_entries_break_a_rule_is_refused_although_its_root_is_signed(
    ledger: Ledger, copy: Path
) -> None:
    entries = read_entries(copy)
    entry = parse_entry(entries[300])
    early = "2020-01-01T00:00:00.000000Z"
    entries[300] = entry_bytes(early, entry.core, entry_prefix(entry.log), entry.prev, 300)
    entries = rehash(entries, 301)
    write_entries(copy, entries)
    write_tiles(copy, entries)
    root = tree_root([leaf_hash(one) for one in entries])
    (copy / "checkpoint").write_bytes(sign_note(Checkpoint(SIGNER.name, SIZE, root).text(), [SIGNER]))
    shutil.rmtree(copy / "anchor")
    (copy / "files.sha256").unlink()
    report = judge(ledger, copy)
    assert (rules(report), report.first_bad) == ({Rule.ENTRY_TIME}, 300)
