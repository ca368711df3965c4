# SPDX-License-Identifier: Apache-2.0
"""A submission with its files, hashed while they were staged, before anything is stored.

The digest of the set is the key of idempotency: SHA-256 over the metadata's content (formatting aside)
and the digests of the files, so that sending the same again means the same whatever the JSON's layout.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive.errors import FilingIncompleteError
from archive.submission import METADATA_LIMIT, Submission, SubmissionError, parse_submission

CASE_FILE = "case.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A received file: the part it came as, where it lies, and what it was while it was written."""

    part: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A submission whose files are the ones that it lists, one each.

    Attributes:
        metadata: The metadata as received.
        submission: The metadata, read.
        files: By part.
        content_sha256: Digest of the metadata's content.
        set_sha256: Digest of the set.
        supplement: Whether it supplements a case whose dossier is filed.
    """

    metadata: bytes
    submission: Submission
    files: Mapping[str, StagedFile]
    content_sha256: str
    set_sha256: str
    supplement: bool = False


def read_arrival(metadata: bytes, files: Sequence[StagedFile]) -> Arrival:
    """Read a submission and match it with its files.

    Raises:
        SubmissionError: The metadata are malformed.
        FilingIncompleteError: A listed file is missing, or one came that is not listed.
    """
    submission = parse_submission(metadata)
    listed = {material.part for material in submission.materials}
    received = {file.part: file for file in files}
    if listed != received.keys() or len(received) != len(files):
        raise FilingIncompleteError(
            missing=len(listed - received.keys()),
            unexpected=len(received.keys() - listed),
            twice=len(files) - len(received),
        )
    content = _digest(submission.model_dump(mode="json"))
    parts = [[part, received[part].sha256] for part in sorted(received)]
    return Arrival(metadata, submission, received, content, _digest({"metadata": content, "files": parts}))


def read_folder(folder: Path) -> Arrival:
    """Read a case from a folder: ``case.json`` and one file per material, found by its file name.

    Raises:
        SubmissionError: ``case.json`` is missing or malformed.
        FilingIncompleteError: A listed file is missing.
    """
    path = folder / CASE_FILE
    if not _is_own_file(path):
        raise SubmissionError(problems=1, first="no-case-file")
    with path.open("rb") as file:
        metadata = file.read(METADATA_LIMIT + 1)
    return read_arrival(metadata, list(_folder_files(folder, parse_submission(metadata))))


def _folder_files(folder: Path, submission: Submission) -> Iterator[StagedFile]:
    for material in submission.materials:
        path = folder / material.file_name
        if _is_own_file(path):
            with path.open("rb") as file:
                sha256, size = hash_stream(file)
            yield StagedFile(material.part, path, sha256, size)


def _is_own_file(path: Path) -> bool:
    """Tell whether a path is a file to be read: a link could lead out of the folder, a pipe never ends."""
    return path.is_file() and not path.is_symlink()


def hash_stream(file: BinaryIO) -> tuple[str, int]:
    """Give SHA-256 (hex) and size of what is left of a stream."""
    sha256, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        sha256.update(chunk)
        size += len(chunk)
    return sha256.hexdigest(), size


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
