# SPDX-License-Identifier: Apache-2.0
"""Durable files: what these functions return from is on disk, directory entry included."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the directory's entries durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write ``data`` so that after a crash either the old or the whole new file stands at ``path``.

    Of callers that race each writes a whole file, and one of them stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes of several containers or machines that share a folder may have the same number.
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def create_once(path: Path, data: bytes, mode: int = 0o444) -> bool:
    """Create ``path`` durably unless it exists; tell whether this call created it.

    Two racing callers: exactly one gets ``True``, and a reader never sees a part of the file. The file of
    the other one, too, is on disk when this returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    created = True
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            created = False
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return created
