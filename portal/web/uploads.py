# SPDX-License-Identifier: Apache-2.0
"""Uploads stream to the staging folder and are hashed on the way; memory stays flat whatever their size.

A staged file belongs to its request: when the request ends, what nobody moved away is removed. Its process
holds a lock on it, so that a web process that starts sweeps what killed processes left and nothing else:
while web processes are restarted in turn, the others go on receiving.
"""

import fcntl
import hashlib
import io
import os
from pathlib import Path
from typing import IO, Final, cast

from flask import Request, current_app, g, request
from werkzeug.formparser import FormDataParser

from portal.errors import MalformedRequestError

_PREFIX: Final = "upload-"
_KEY: Final = "cunzheng.staging"


class StagedFile(io.FileIO):
    """One part of an upload on its way to disk.

    Attributes:
        path: Where the bytes are.
        sha256: Hash of what was written, updated with each write.
        size: Bytes written.
    """

    def __init__(self, path: Path) -> None:
        self._open(path)
        # A sweep that met the file between its making and its lock took it away: made once more.
        while not os.fstat(self.fileno()).st_nlink:
            self._open(path)
        self.path = path
        self.size = 0
        self._sha256 = hashlib.sha256()

    def _open(self, path: Path) -> None:
        super().__init__(path, "x+b")
        # Ends with the process, however that dies.
        fcntl.flock(self, fcntl.LOCK_EX)

    def write(self, data: bytes) -> int:  # type: ignore[override] # the parser hands bytes, never another buffer
        """Write all of the bytes and hash them."""
        rest = memoryview(data)
        while rest:
            rest = rest[super().write(rest) :]
        self._sha256.update(data)
        self.size += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """Lower-case hex SHA-256 of everything written so far."""
        return self._sha256.hexdigest()


class StagingRequest(Request):
    """A request whose file parts go to the staging folder; a form that breaks off is refused."""

    def make_form_data_parser(self) -> FormDataParser:
        """Give the parser; it tells of what it cannot read instead of giving an empty form."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser

    def _load_form_data(self) -> None:
        try:
            super()._load_form_data()
        except ValueError:
            raise MalformedRequestError from None

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 # the parser passes all four
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002 # a caller's name never becomes a path
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return cast(IO[bytes], stage(b""))


def staged_file(name: str) -> StagedFile | None:
    """Give the staged file of a form part of the current request, or ``None`` if there is no such part."""
    part = request.files.get(name)
    if part is None:
        return None
    part.stream.seek(0)
    return cast(StagedFile, part.stream)


def stage(data: bytes) -> StagedFile:
    """Stage bytes that did not come as a form part; they are removed when the request ends."""
    staging, ids = current_app.extensions[_KEY]
    staged = StagedFile(staging / f"{_PREFIX}{ids.new_id()}")
    g.setdefault("staged_files", []).append(staged)
    staged.write(data)
    staged.seek(0)
    return staged


def staged_files() -> list[tuple[str, StagedFile]]:
    """Give every staged file of the current request with the name of its part, in order."""
    return [(name, cast(StagedFile, part.stream)) for name, part in request.files.items(multi=True)]


def remove_staged(_error: BaseException | None = None) -> None:
    """Close and remove what the request staged and nobody moved away."""
    for staged in g.pop("staged_files", []):
        staged.close()
        staged.path.unlink(missing_ok=True)


def sweep(staging: Path) -> int:
    """Remove uploads that a killed process left; give their number. Call it before serving."""
    return sum(map(_remove_if_left, staging.glob(f"{_PREFIX}*")))


def _remove_if_left(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def extension(staging: Path, ids: object) -> dict[str, object]:
    """Give what the request class looks up in the application's extensions."""
    return {_KEY: (staging, ids)}
