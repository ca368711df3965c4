# SPDX-License-Identifier: Apache-2.0
"""Objects in a folder on a local file system."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from storage.files import create_once, sync_folder
from storage.objects.ports import (
    CHUNK,
    ObjectConflictError,
    ObjectDamagedError,
    ObjectMissingError,
    ObjectStoreUnusableError,
    StoredAt,
    StoredObject,
    copy_hashed,
    digests,
    object_key,
    require_name,
)


class FolderStore:
    """A folder on a local file system; objects are read-only files named by their digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._synced: set[Path] = set()
        self._incoming = folder / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / object_key(sha256)

    def put(self, source: Path | bytes, media_type: str) -> StoredObject:
        """Store bytes under their SHA-256, durably, and read them back."""
        part = self._incoming / os.urandom(12).hex()
        try:
            with part.open("xb") as out:
                if isinstance(source, bytes):
                    sha256, sm3 = digests(source)
                    size = out.write(source)
                else:
                    with source.open("rb") as data:
                        sha256, sm3, size = copy_hashed(data, out)
                path = self._path(sha256)
                new = not path.exists()
                if new:
                    out.flush()
                    os.fsync(out.fileno())
            if new:
                part.chmod(0o444)
                path.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    os.link(part, path)
        finally:
            part.unlink(missing_ok=True)
        # Also when the object stood there: whoever placed it may not have got as far as this.
        self._sync_entry(path)
        self._check(path, sha256)
        return StoredObject(sha256, sm3, size, media_type)

    def _sync_entry(self, path: Path) -> None:
        """Make the entry of an object durable, and those of its folders once per process."""
        sync_folder(path.parent)
        synced, folder = [], path.parent
        while folder != self._folder and folder not in self._synced:
            sync_folder(folder.parent)
            synced.append(folder)
            folder = folder.parent
        # Not before all are: another thread stops at the first that it finds here.
        self._synced.update(synced)

    @staticmethod
    def _check(path: Path, sha256: str) -> None:
        with path.open("rb") as data:
            if hashlib.file_digest(data, "sha256").hexdigest() != sha256:
                raise ObjectDamagedError

    def read(self, sha256: str) -> bytes:
        """Give the bytes, hashed again."""
        try:
            data = self._path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissingError from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ObjectDamagedError
        return data

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy the bytes to ``target``, hashed on the way."""
        try:
            source = self._path(sha256).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissingError from error
        with source, target.open("xb") as out:
            shutil.copyfileobj(source, out, CHUNK)
        try:
            self._check(target, sha256)
        except ObjectDamagedError:
            target.unlink()
            raise

    def has(self, sha256: str) -> bool:
        """Tell whether a file stands under this digest."""
        return self._path(sha256).exists()

    def keep(self, sha256: str) -> StoredAt:
        """Hash the file again and say where it lies: read-only as it stands, a folder can do no more."""
        try:
            self._check(self._path(sha256), sha256)
        except FileNotFoundError as error:
            raise ObjectMissingError from error
        return self.locate(sha256)

    def locate(self, sha256: str) -> StoredAt:
        """Say where the file lies."""
        try:
            return StoredAt(object_key(sha256), None, self._path(sha256).stat().st_size)
        except FileNotFoundError as error:
            raise ObjectMissingError from error

    def _named(self, key: str) -> Path:
        require_name(key)
        return self._folder / key

    def put_named(self, key: str, data: bytes) -> None:
        """Store under a name, once, durably."""
        path = self._named(key)
        if not create_once(path, data) and path.read_bytes() != data:
            raise ObjectConflictError

    def read_named(self, key: str) -> bytes:
        """Give a named object."""
        try:
            return self._named(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError) as error:
            raise ObjectMissingError from error

    def list_named(self, prefix: str) -> Iterator[str]:
        """Give the keys under a prefix, sorted."""
        folder = self._named(prefix.rstrip("/"))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.endswith(".part"):
                yield path.relative_to(self._folder).as_posix()

    def probe(self) -> None:
        """Write random bytes beside the objects, as durably as one, read them back, remove them."""
        path, data = self._incoming / os.urandom(12).hex(), os.urandom(4096)
        try:
            create_once(path, data)
            read = path.read_bytes()
            path.unlink()
        except OSError as error:
            raise ObjectStoreUnusableError from error
        if read != data:
            raise ObjectStoreUnusableError
