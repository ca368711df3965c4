# SPDX-License-Identifier: Apache-2.0
"""Keys of subjects: what is encrypted reads back, until the key is destroyed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.secrets import ErasedError, Secrets, UndecipherableError


@given(subject=st.text(min_size=1, max_size=40), plaintext=st.binary(max_size=200))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_value_reads_back_in_another_process_with_the_same_folder(
    tmp_path: Path, subject: str, plaintext: bytes
) -> None:
    blob = Secrets(tmp_path).encrypt(subject, plaintext)
    assert Secrets(tmp_path).decrypt(blob) == plaintext


def test_any_changed_byte_is_refused(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    blob = secrets.encrypt("holder", b"face")
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(UndecipherableError):
            secrets.decrypt(bytes(changed))


def test_destroying_a_subjects_key_erases_its_values_and_no_others(tmp_path: Path) -> None:
    secrets, other_process = Secrets(tmp_path), Secrets(tmp_path)
    gone, kept = secrets.encrypt("a", b"gone"), secrets.encrypt("b", b"kept")
    assert other_process.decrypt(gone) == b"gone"
    secrets.destroy("a")
    for reader in (secrets, other_process):
        with pytest.raises(ErasedError):
            reader.decrypt(gone)
        assert reader.decrypt(kept) == b"kept"
    later = other_process.encrypt("a", b"a new life")
    assert secrets.decrypt(later) == b"a new life"


def test_the_lookup_hash_depends_on_scheme_code_and_installation(tmp_path: Path) -> None:
    one, two = Secrets(tmp_path / "1"), Secrets(tmp_path / "2")
    hashes = {one.lookup_hash("001", "A"), one.lookup_hash("111", "A"), one.lookup_hash("001", "B")}
    assert len(hashes | {two.lookup_hash("001", "A")}) == 4
    assert Secrets(tmp_path / "1").lookup_hash("001", "A") in hashes
