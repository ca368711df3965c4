# SPDX-License-Identifier: Apache-2.0
"""Packs of keys: each key is found by its id and by nothing else, wherever ids crowd."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.key_packs import ID_SIZE, KEY_SIZE, KeyPacks

# Few beginnings, so that many ids share a stretch, the first and the last one too.
IDS = st.builds(
    lambda start, rest: start + rest,
    st.sampled_from([b"\0\0", b"\0\x0f", b"\0\x10", b"\x7f\xff", b"\xff\xf0", b"\xff\xff"]),
    st.binary(min_size=ID_SIZE - 2, max_size=ID_SIZE - 2),
)
KEYS = st.binary(min_size=KEY_SIZE, max_size=KEY_SIZE).filter(any)


@settings(max_examples=60, deadline=None)
@given(packs=st.lists(st.dictionaries(IDS, KEYS, max_size=40), max_size=3), other=IDS, again=st.data())
def test_a_key_is_found_by_its_id_and_gone_once_destroyed(
    packs: list[dict[bytes, bytes]], other: bytes, again: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        kept = KeyPacks(Path(folder) / "packs")
        for pack in packs:
            kept.write(pack)
        ids = {key_id for pack in packs for key_id in pack}
        for key_id in ids | {other}:
            expected = [pack[key_id] for pack in packs if key_id in pack]
            assert sorted(kept.find(key_id)) == sorted(expected)
        if ids:
            gone = again.draw(st.sampled_from(sorted(ids)))
            kept.destroy(gone)
            assert list(kept.find(gone)) == []
            assert all(list(kept.find(one)) for one in ids - {gone})


def test_an_id_that_stands_inside_of_a_key_is_not_taken_for_one() -> None:
    # All of them lie in one stretch, and the key of the first holds the second's id.
    first, second = bytes(ID_SIZE), bytes(ID_SIZE - 1) + b"\x07"
    key = second + bytes(ID_SIZE - 1) + b"\x01"
    with TemporaryDirectory() as folder:
        kept = KeyPacks(Path(folder) / "packs")
        kept.write({first: key, bytes(ID_SIZE - 1) + b"\x09": b"\x05" * KEY_SIZE})
        assert list(kept.find(first)) == [key]
        assert list(kept.find(second)) == []
        kept.write({second: b"\x08" * KEY_SIZE, first: key})
        assert list(kept.find(second)) == [b"\x08" * KEY_SIZE]
