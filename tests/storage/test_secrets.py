# SPDX-License-Identifier: Apache-2.0
"""Keys of subjects: what is encrypted reads back, until the key is destroyed, in whichever form keys lie."""

import hmac
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.key_packs import ID_SIZE, KEY_SIZE, KeyPacks
from storage.secrets import ErasedError, Secrets, UndecipherableError, _Keyed

Make = Callable[[Secrets, str], None]


def one_file_each(secrets: Secrets, subject: str) -> None:
    """Keys made when they are first needed."""


def in_a_pack(secrets: Secrets, subject: str) -> None:
    secrets.make_many([subject, f"{subject} beside"])


def in_two_packs(secrets: Secrets, subject: str) -> None:
    in_a_pack(secrets, subject)
    in_a_pack(Secrets(folder_of(secrets)), subject)


def in_a_file_and_a_pack(secrets: Secrets, subject: str) -> None:
    secrets.encrypt(subject, b"")
    in_a_pack(secrets, subject)


def folder_of(secrets: Secrets) -> Path:
    return secrets._subjects.parent


FORMS = pytest.mark.parametrize("make", [one_file_each, in_a_pack, in_two_packs, in_a_file_and_a_pack])


@FORMS
@given(subject=st.text(min_size=1, max_size=40), plaintext=st.binary(max_size=200))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_value_reads_back_in_another_process_with_the_same_folder(
    tmp_path: Path, make: Make, subject: str, plaintext: bytes
) -> None:
    secrets = Secrets(tmp_path)
    make(secrets, subject)
    blob = Secrets(tmp_path).encrypt(subject, plaintext)
    assert Secrets(tmp_path).decrypt(blob) == plaintext
    assert secrets.decrypt(blob) == plaintext
    assert secrets.made(subject, blob)
    assert not secrets.made(f"{subject} other", blob)


@FORMS
def test_any_changed_byte_is_refused(tmp_path: Path, make: Make) -> None:
    secrets = Secrets(tmp_path)
    make(secrets, "holder")
    blob = secrets.encrypt("holder", b"face")
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(UndecipherableError):
            secrets.decrypt(bytes(changed))


@FORMS
def test_destroying_a_subjects_key_erases_its_values_and_no_others(tmp_path: Path, make: Make) -> None:
    secrets, other_process = Secrets(tmp_path), Secrets(tmp_path)
    for subject in ("a", "b"):
        make(secrets, subject)
    gone, kept = secrets.encrypt("a", b"gone"), secrets.encrypt("b", b"kept")
    beside = other_process.encrypt("a", b"gone, too")
    assert other_process.decrypt(gone) == b"gone"
    secrets.destroy("a")
    for reader in (secrets, other_process, Secrets(tmp_path)):
        for blob in (gone, beside):
            with pytest.raises(ErasedError):
                reader.decrypt(blob)
        assert reader.decrypt(kept) == b"kept"
    later = other_process.encrypt("a", b"a new life")
    assert secrets.decrypt(later) == b"a new life"
    secrets.destroy("a")
    with pytest.raises(ErasedError):
        other_process.decrypt(later)


@FORMS
def test_what_was_destroyed_stands_nowhere_in_the_folder(tmp_path: Path, make: Make) -> None:
    secrets = Secrets(tmp_path)
    make(secrets, "a")
    secrets.encrypt("a", b"gone")
    secrets.encrypt("a beside", b"kept")
    before = keys_in(tmp_path)
    secrets.destroy("a")
    after = keys_in(tmp_path)
    assert before > after
    make(secrets, "c")
    assert not (before - after) & keys_in(tmp_path)


def keys_in(folder: Path) -> set[bytes]:
    """Every key of a subject that can be read out of the folder, in whichever form."""
    size = ID_SIZE + KEY_SIZE
    packs = [path.read_bytes() for path in folder.glob("subjects/packs/*.pack")]
    packed = {data[at + ID_SIZE : at + size] for data in packs for at in range(0, len(data), size)}
    alone = {path.read_bytes() for path in folder.glob("subjects/??/*.key")}
    return alone | packed - {bytes(KEY_SIZE)}


def test_a_pack_interrupted_before_its_record_was_overwritten_is_erased_all_the_same(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.make_many(["a"])
    blob = secrets.encrypt("a", b"gone")
    secrets.destroy("a")
    (pack,) = tmp_path.glob("subjects/packs/*.pack")
    secrets.make_many(["a"])  # The record is there as if it had not been overwritten.
    with pytest.raises(ErasedError):
        secrets.decrypt(blob)
    secrets.destroy("a")
    assert keys_in(tmp_path) == set()
    assert pack.stat().st_size == ID_SIZE + KEY_SIZE


def test_keys_of_many_subjects_are_found_and_lie_in_one_sorted_file(tmp_path: Path) -> None:
    secrets, subjects = Secrets(tmp_path), [f"holder {number}" for number in range(3_000)]
    secrets.make_many(subjects)
    blobs = {subject: secrets.encrypt(subject, subject.encode()) for subject in subjects}
    other = Secrets(tmp_path)
    assert all(other.decrypt(blob) == subject.encode() for subject, blob in blobs.items())
    assert not list(tmp_path.glob("subjects/??/*.key"))
    (pack,) = tmp_path.glob("subjects/packs/*.pack")
    assert pack.stat().st_mode & 0o777 == 0o600
    data, size = pack.read_bytes(), ID_SIZE + KEY_SIZE
    ids = [data[at : at + ID_SIZE] for at in range(0, len(data), size)]
    assert ids == sorted(set(ids))
    assert len(ids) == len(subjects)


def test_a_pack_of_another_process_is_found_when_a_key_is_missing(tmp_path: Path) -> None:
    reader, writer = Secrets(tmp_path), Secrets(tmp_path)
    writer.make_many(["a"])
    assert reader.decrypt(writer.encrypt("a", b"1")) == b"1"
    writer.make_many(["b"])
    assert reader.decrypt(writer.encrypt("b", b"2")) == b"2"
    assert writer.decrypt(reader.encrypt("b", b"3")) == b"3"


def packed_at_once(folder: Path) -> list[bytes]:
    secrets = Secrets(folder)
    secrets.make_many(["a", "b", f"own {os.getpid()}"])
    return [secrets.encrypt(subject, b"value") for subject in ("a", "b")]


def test_processes_that_make_keys_of_one_subject_at_once_all_read_back(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        blobs = [blob for found in pool.map(packed_at_once, [tmp_path] * 4) for blob in found]
    secrets = Secrets(tmp_path)
    assert [secrets.decrypt(blob) for blob in blobs] == [b"value"] * 8
    secrets.destroy("a")
    erased = 0
    for blob in blobs:
        try:
            secrets.decrypt(blob)
        except ErasedError:
            erased += 1
    assert erased == 4


def test_no_pack_is_made_of_nothing(tmp_path: Path) -> None:
    Secrets(tmp_path).make_many([])
    assert list(KeyPacks(tmp_path / "none").find(bytes(ID_SIZE))) == []
    assert not list(tmp_path.glob("subjects/*"))


def test_the_lookup_hash_depends_on_scheme_code_and_installation(tmp_path: Path) -> None:
    one, two = Secrets(tmp_path / "1"), Secrets(tmp_path / "2")
    hashes = {one.lookup_hash("001", "A"), one.lookup_hash("111", "A"), one.lookup_hash("001", "B")}
    assert len(hashes | {two.lookup_hash("001", "A")}) == 4
    assert Secrets(tmp_path / "1").lookup_hash("001", "A") in hashes


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=400))
def test_keyed_digests_are_those_of_the_standard(key: bytes, text: bytes) -> None:
    assert _Keyed(key).digest(text) == hmac.digest(key, text, "sha256")
