# SPDX-License-Identifier: Apache-2.0
"""The export's folder and its list of files, ``files.sha256``, in the form that ``sha256sum -c`` reads.

The list is signed by nobody: it locates damage, it proves nothing. What is proved, the tree proves.
"""

import hashlib
import os
import re
import stat
from pathlib import Path

from storage.ledger.errors import LedgerFormatError
from storage.ledger.findings import LogReport, Rule
from storage.ledger.tiles import WIDTH, parse_tile_path

FILE_LIST = "files.sha256"
MOST_BYTES = 1 << 30
"""Bytes of the largest file that is read; no bundle comes near it."""
_LINE = re.compile(r"([0-9a-f]{64})  ([!-~]+)")


class ExportFolder:
    """Reads an export; knows which files it holds. Links are not followed, nothing is read without end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files = frozenset(
            (Path(root) / name).relative_to(folder).as_posix()
            for root, _, names in os.walk(folder)
            for name in names
            if _is_readable(Path(root) / name)
        )

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, None when the export does not hold it."""
        return (self._folder / path).read_bytes() if path in self.files else None

    def holds(self, prefix: str) -> bool:
        """Tell whether any file stands under a prefix."""
        return any(path.startswith(prefix) for path in self.files)


def _is_readable(path: Path) -> bool:
    """Tell whether a path is a plain file of a size that a log's file may have; a pipe would never end."""
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES


def file_list(sums: dict[str, str]) -> bytes:
    """Write the list of hex digests by path."""
    return "".join(f"{sums[path]}  {path}\n" for path in sorted(sums)).encode("ascii")


def check_file_list(export: ExportFolder, report: LogReport) -> None:
    """Compare every file with the list, if the export has one; add what differs to the report."""
    data = export.read(FILE_LIST)
    if data is None:
        return
    listed: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        if match:
            listed[match[2]] = match[1]
    if file_list(listed) != data:
        report.add(Rule.FILE_LIST_MALFORMED, FILE_LIST)
    for path in sorted(listed.keys() | export.files - {FILE_LIST}):
        if path not in listed:
            report.add(Rule.FILE_UNKNOWN, path, _first_seq(path))
        elif path not in export.files:
            report.add(Rule.FILE_MISSING, path, _first_seq(path))
        elif hashlib.sha256(export.read(path) or b"").hexdigest() != listed[path]:
            report.add(Rule.FILE_DIFFERS, path, _first_seq(path))


def _first_seq(path: str) -> int | None:
    """Give the first entry that a tile or bundle concerns."""
    try:
        name = parse_tile_path(path)
    except LedgerFormatError:
        return None
    return (name.index * WIDTH) << (8 * (name.level or 0))
