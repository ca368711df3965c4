# SPDX-License-Identifier: Apache-2.0
"""Keys that protect personal data: one per subject, so that destroying it erases what it protected.

A *subject* is whoever's data is protected: a holder id, or ``system`` for acts without personal data.
Encrypted values are ``version (1 byte) | key id (16) | generation (2, big-endian) | nonce (12) |
AES-256-GCM ciphertext and tag``; the header is authenticated. Subject keys are files in the key
folder, one each or many in a pack, so that holdings are rebuilt from the object store and this folder alone.
"""

import hashlib
import os
import struct
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import CunzhengError
from storage.files import create_once, sync_folder
from storage.key_packs import KEY_SIZE, KeyPacks

SYSTEM_SUBJECT = "system"
_VERSION = 1
_HEADER = struct.Struct(">B16sH")
_NONCE_SIZE = 12
_PACKED = 0
"""The generation of keys in packs; a key after an erasure is a file of its own."""
_REMEMBERED = 4096
_BLOCK = 64
"""Bytes of a block of SHA-256."""


class ErasedError(CunzhengError):
    """The subject's key was destroyed: the content is gone, its proofs still hold."""

    code = "erased"
    status = 410
    title_zh = "内容已依法删除"
    title_en = "The content was erased"
    remedy_zh = "存证仍可核验，内容不可恢复。"
    remedy_en = "The proof still verifies; the content cannot be recovered."


class UndecipherableError(CunzhengError):
    """The value is damaged or was not made with these keys."""

    code = "undecipherable"
    title_zh = "密文无法解密"
    title_en = "The value cannot be decrypted"
    remedy_zh = "请核对密钥目录与数据库是否属于同一安装。"
    remedy_en = "Check that the key folder belongs to this database."


class Secrets:
    """The key folder.

    Args:
        folder: Created when missing, readable by the owner only.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._subjects = folder / "subjects"
        self._subjects.mkdir(exist_ok=True, mode=0o700)
        index_key = folder / "index.key"
        create_once(index_key, os.urandom(32), 0o400)
        self._keyed = _Keyed(index_key.read_bytes())
        self._packs = KeyPacks(self._subjects / "packs")
        self._cipher = lru_cache(maxsize=4096)(self._load_cipher)
        self._current: dict[str, _Current] = {}

    def make_many(self, subjects: Collection[str]) -> list["SubjectKey"]:
        """Make the keys of new subjects in one file; all are durable when this returns.

        A subject that has a key already keeps it and reads with both; one that was erased stays erased.

        Returns:
            The keys in the order of the subjects, for values that are written before anybody knows of them.
        """
        fresh = {self._key_id(subject): os.urandom(KEY_SIZE) for subject in subjects}
        self._packs.write(fresh)
        return [SubjectKey(key_id, _PACKED, key) for key_id, key in fresh.items()]

    def key_of(self, subject: str) -> "SubjectKey":
        """Give the subject's key, making one when there is none."""
        return self._current_key(subject).key

    def encrypt_all(self, subject: str, plaintexts: Iterable[bytes]) -> list[bytes]:
        """Encrypt several values under the subject's key, as :meth:`encrypt` does each."""
        key = self._current_key(subject).key
        return [key.encrypt(plaintext) for plaintext in plaintexts]

    def lookup_hash(self, scheme: str, code: str) -> bytes:
        """Give the keyed hash (32 bytes) under which a personal identifier is found."""
        return self._keyed.digest(f"{scheme}\0{code}".encode())

    def encrypt(self, subject: str, plaintext: bytes) -> bytes:
        """Encrypt under the subject's key, making one when there is none."""
        return self._current_key(subject).key.encrypt(plaintext)

    def decrypt(self, blob: bytes) -> bytes:
        """Decrypt what :meth:`encrypt` made.

        Raises:
            ErasedError: The key was destroyed.
            UndecipherableError: The value is damaged or foreign.
        """
        start = _HEADER.size + _NONCE_SIZE
        if len(blob) < start or blob[0] != _VERSION:
            raise UndecipherableError
        _, key_id, generation = _HEADER.unpack_from(blob)
        nonce = blob[_HEADER.size : start]
        for cipher in self._ciphers(key_id, generation):
            try:
                return cipher.decrypt(nonce, blob[start:], blob[: _HEADER.size])
            except InvalidTag:
                continue
        raise UndecipherableError

    def made(self, subject: str, blob: bytes) -> bool:
        """Tell whether a blob names the key that this folder gives the subject."""
        return blob[:1] == bytes([_VERSION]) and blob[1:17] == self._key_id(subject)

    def destroy(self, subject: str) -> None:
        """Destroy the subject's keys: everything encrypted under them so far is erased."""
        key_id = self._key_id(subject)
        folder = Path(self._path(key_id, _PACKED)).parent
        for path in sorted(folder.glob(f"{key_id.hex()}.*.key")):
            path.with_suffix(".destroyed").touch(mode=0o400)
            path.unlink()
            sync_folder(path.parent)
        if next(self._packs.find(key_id), None) is not None:
            folder.mkdir(exist_ok=True, mode=0o700)
            Path(self._tombstone(key_id, _PACKED)).touch(mode=0o400)
            sync_folder(folder)
            self._packs.destroy(key_id)
        self._current.pop(subject, None)
        self._cipher.cache_clear()

    def _key_id(self, subject: str) -> bytes:
        return self._keyed.digest(b"subject\0" + subject.encode())[:16]

    def _file(self, key_id: bytes, generation: int, suffix: str) -> str:
        # A Path would cost as much as encrypting.
        name = key_id.hex()
        return f"{self._subjects}/{name[:2]}/{name}.{generation}.{suffix}"

    def _path(self, key_id: bytes, generation: int) -> str:
        return self._file(key_id, generation, "key")

    def _tombstone(self, key_id: bytes, generation: int) -> str:
        return self._file(key_id, generation, "destroyed")

    def _load_cipher(self, key_id: bytes, generation: int) -> AESGCM:
        return AESGCM(Path(self._path(key_id, generation)).read_bytes())

    def _ciphers(self, key_id: bytes, generation: int) -> Iterator[AESGCM]:
        """Give what may open a value; more than one where two processes made a key at the same time.

        Raises:
            ErasedError: The key was destroyed.
            UndecipherableError: There never was one.
        """
        alone = os.path.exists(self._path(key_id, generation))
        if alone:
            yield self._cipher(key_id, generation)
        elif os.path.exists(self._tombstone(key_id, generation)):
            raise ErasedError
        packed = list(self._packs.find(key_id)) if generation == _PACKED else []
        if not alone and not packed:
            raise UndecipherableError
        yield from map(AESGCM, packed)

    def _current_key(self, subject: str) -> "_Current":
        known = self._current.get(subject)
        # Another process may have destroyed it meanwhile.
        if known is not None and os.path.exists(known.watched) is known.there:
            return known
        if len(self._current) >= _REMEMBERED:
            self._current.clear()
        self._current[subject] = found = self._find_or_make(self._key_id(subject))
        return found

    def _find_or_make(self, key_id: bytes) -> "_Current":
        generation = 0
        while os.path.exists(tombstone := self._tombstone(key_id, generation)):
            generation += 1
        path = self._path(key_id, generation)
        if os.path.exists(path):
            # Whoever made it may not have got as far as making its entry durable.
            sync_folder(Path(path).parent)
        else:
            packed = next(self._packs.find(key_id), None) if generation == _PACKED else None
            if packed is not None:
                return _Current(SubjectKey(key_id, generation, AESGCM(packed)), tombstone, there=False)
            create_once(Path(path), AESGCM.generate_key(256), 0o400)
        return _Current(SubjectKey(key_id, generation, self._cipher(key_id, generation)), path, there=True)


class _Keyed:
    """HMAC-SHA256 under one key (RFC 2104), begun once: half of what it costs to begin it for each text."""

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, text: bytes) -> bytes:
        """Give the keyed digest of a text."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()


class SubjectKey:
    """A subject's key as it encrypts; hold it no longer than a unit of work, for it may be destroyed."""

    __slots__ = ("_cipher", "_header")

    def __init__(self, key_id: bytes, generation: int, cipher: AESGCM | bytes) -> None:
        self._header = _HEADER.pack(_VERSION, key_id, generation)
        self._cipher = cipher

    def encrypt(self, plaintext: bytes) -> bytes:
        """Encrypt a value; see :meth:`Secrets.encrypt`."""
        if isinstance(self._cipher, bytes):
            # A cipher takes fifty times the memory of its key, and a block of keys is large.
            self._cipher = AESGCM(self._cipher)
        nonce = os.urandom(_NONCE_SIZE)
        return self._header + nonce + self._cipher.encrypt(nonce, plaintext, self._header)


class _Current(NamedTuple):
    """The key under which a subject's values are encrypted now, and the file that says whether it stands."""

    key: SubjectKey
    watched: str
    there: bool
