# SPDX-License-Identifier: Apache-2.0
"""Bytes under their SHA-256, write-once; and named objects that never change once written.

A ``put`` returns only after the bytes are durable and have been read back and hashed again. Reads hash
again and refuse what differs.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.errors import CunzhengError

CHUNK = 1 << 20


class ObjectMissingError(CunzhengError):
    """No object is stored under this digest or key."""

    code = "object-missing"
    title_zh = "存储对象缺失"
    title_en = "A stored object is missing"
    remedy_zh = "请立即通知运维：归档库可能受损。"
    remedy_en = "Call the operator at once: the store may be damaged."


class ObjectDamagedError(CunzhengError):
    """The stored bytes no longer have the digest they were stored under."""

    code = "object-damaged"
    title_zh = "存储对象已损坏"
    title_en = "A stored object is damaged"
    remedy_zh = "请立即通知运维：归档库可能受损。"
    remedy_en = "Call the operator at once: the store may be damaged."


class ObjectConflictError(CunzhengError):
    """Other bytes already stand under this name; named objects never change."""

    code = "object-conflict"
    title_zh = "同名存储对象内容不同"
    title_en = "Another object stands under this name"
    remedy_zh = "存储对象一经写入不可改写，请通知运维。"
    remedy_en = "Stored objects never change; call the operator."


class ObjectStoreUnusableError(CunzhengError):
    """The store takes no bytes, or does not give back what it took."""

    code = "object-store-unusable"
    status = 503
    title_zh = "对象存储不可写或回读不符"
    title_en = "The object store cannot be written, or does not give back what was written"
    remedy_zh = "请检查存储目录的权限、剩余空间与磁盘状况。"
    remedy_en = "Check the rights on the store's folder, its free space and the disk."


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What is known of stored bytes: hex digests, size in bytes, media type as declared."""

    sha256: str
    sm3: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class StoredAt:
    """Where stored bytes lie, for whoever reads the store without us.

    Attributes:
        key: Their key.
        version_id: The version that is the object; ``None`` where the store keeps no versions.
        size: In bytes.
    """

    key: str
    version_id: str | None
    size: int


class ObjectStore(Protocol):
    """Where bytes live; every implementation passes one contract suite."""

    def put(self, source: Path | bytes, media_type: str) -> StoredObject:
        """Store bytes under their SHA-256; the same bytes again change nothing."""
        ...

    def read(self, sha256: str) -> bytes:
        """Give the bytes, hashed again; raises ObjectMissingError or ObjectDamagedError."""
        ...

    def fetch(self, sha256: str, target: Path) -> None:
        """Write the bytes to a new file, hashed on the way; the file is removed if they differ."""
        ...

    def has(self, sha256: str) -> bool:
        """Tell whether bytes are stored under this digest (not whether they are sound)."""
        ...

    def keep(self, sha256: str) -> StoredAt:
        """Protect bytes that are final as well as the store can; read back, hash, say where they lie.

        Raises:
            ObjectMissingError, ObjectDamagedError: As :meth:`read`.
        """
        ...

    def locate(self, sha256: str) -> StoredAt:
        """Say where bytes lie, having seen that they are there; raises ObjectMissingError."""
        ...

    def put_named(self, key: str, data: bytes) -> None:
        """Store under a name, once; the same bytes again are fine, others raise ObjectConflictError."""
        ...

    def read_named(self, key: str) -> bytes:
        """Give a named object; raises ObjectMissingError."""
        ...

    def list_named(self, prefix: str) -> Iterator[str]:
        """Give the keys under a prefix that ends in a slash, sorted."""
        ...

    def probe(self) -> None:
        """Find out whether the store takes bytes, as ``put`` would give it some, and leave nothing behind.

        Raises:
            ObjectStoreUnusableError: That does not work.
        """
        ...


def digests(data: bytes) -> tuple[str, str]:
    """Give SHA-256 and SM3 (GB/T 32905) of bytes, as hex."""
    return hashlib.sha256(data).hexdigest(), hashlib.new("sm3", data).hexdigest()


def object_key(sha256: str) -> str:
    """Give the key under which bytes lie; raises ObjectMissingError for what is no digest."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ObjectMissingError
    return f"o/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def require_name(key: str) -> None:
    """Raise ObjectMissingError for what cannot be the name of an object."""
    parts = key.split("/")
    if key.startswith(("/", "o/", ".")) or any(part in {"", ".", ".."} for part in parts):
        raise ObjectMissingError


def copy_hashed(source: BinaryIO, target: BinaryIO | None) -> tuple[str, str, int]:
    """Read to the end, copying when there is a target; give SHA-256, SM3 and the size."""
    sha256, sm3, size = hashlib.sha256(), hashlib.new("sm3"), 0
    while chunk := source.read(CHUNK):
        sha256.update(chunk)
        sm3.update(chunk)
        if target is not None:
            target.write(chunk)
        size += len(chunk)
    return sha256.hexdigest(), sm3.hexdigest(), size
