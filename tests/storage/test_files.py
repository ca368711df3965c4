# SPDX-License-Identifier: Apache-2.0
"""Durable files of processes that share a folder and may have the same number, as in containers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storage.files import write_durably


def test_of_racing_writers_each_succeeds_and_one_whole_file_stays(tmp_path: Path) -> None:
    contents = [bytes([number]) * (1 + 50_000 * number) for number in range(8)]

    def write(data: bytes) -> None:
        for _ in range(20):
            write_durably(tmp_path / "list", data)
            assert (tmp_path / "list").read_bytes() in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(write, contents))
    assert [path.name for path in tmp_path.iterdir()] == ["list"]
