# SPDX-License-Identifier: Apache-2.0
"""Keys that protect personal data: one per subject, so that destroying it erases what it protected.

A *subject* is whoever's data is protected: a holder id, or ``system`` for acts without personal data.
Encrypted values are ``version (1 byte) | key id (16) | generation (2, big-endian) | nonce (12) |
AES-256-GCM ciphertext and tag``; the header is authenticated. Subject keys are files in the key
folder, so that holdings are rebuilt from the object store and this folder alone.
"""

import hashlib
import hmac
import os
import struct
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import CunzhengError
from storage.files import create_once, sync_folder

SYSTEM_SUBJECT = "system"
_VERSION = 1
_HEADER = struct.Struct(">B16sH")
_NONCE_SIZE = 12


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
        self._index_key = index_key.read_bytes()
        self._cipher = lru_cache(maxsize=4096)(self._load_cipher)
        self._current: dict[str, tuple[bytes, int, str]] = {}

    def lookup_hash(self, scheme: str, code: str) -> bytes:
        """Give the keyed hash (32 bytes) under which a personal identifier is found."""
        return hmac.digest(self._index_key, f"{scheme}\0{code}".encode(), "sha256")

    def encrypt(self, subject: str, plaintext: bytes) -> bytes:
        """Encrypt under the subject's key, making one when there is none."""
        key_id, generation = self._current_key(subject)
        header = _HEADER.pack(_VERSION, key_id, generation)
        nonce = os.urandom(_NONCE_SIZE)
        sealed = self._cipher(key_id, generation).encrypt(nonce, plaintext, header)
        return header + nonce + sealed

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
        if not self._path(key_id, generation).exists():
            raise ErasedError if self._tombstone(key_id, generation).exists() else UndecipherableError
        nonce = blob[_HEADER.size : start]
        try:
            return self._cipher(key_id, generation).decrypt(nonce, blob[start:], blob[: _HEADER.size])
        except InvalidTag as error:
            raise UndecipherableError from error

    def made(self, subject: str, blob: bytes) -> bool:
        """Tell whether a blob names the key that this folder gives the subject."""
        return blob[:1] == bytes([_VERSION]) and blob[1:17] == self._key_id(subject)

    def destroy(self, subject: str) -> None:
        """Destroy the subject's keys: everything encrypted under them so far is erased."""
        key_id = self._key_id(subject)
        for path in sorted(self._folder(key_id).glob(f"{key_id.hex()}.*.key")):
            path.with_suffix(".destroyed").touch(mode=0o400)
            path.unlink()
            sync_folder(path.parent)
        self._current.pop(subject, None)
        self._cipher.cache_clear()

    def _key_id(self, subject: str) -> bytes:
        return hmac.digest(self._index_key, b"subject\0" + subject.encode(), hashlib.sha256)[:16]

    def _folder(self, key_id: bytes) -> Path:
        return self._subjects / key_id.hex()[:2]

    def _path(self, key_id: bytes, generation: int) -> Path:
        return self._folder(key_id) / f"{key_id.hex()}.{generation}.key"

    def _tombstone(self, key_id: bytes, generation: int) -> Path:
        return self._path(key_id, generation).with_suffix(".destroyed")

    def _load_cipher(self, key_id: bytes, generation: int) -> AESGCM:
        return AESGCM(self._path(key_id, generation).read_bytes())

    def _current_key(self, subject: str) -> tuple[bytes, int]:
        known = self._current.get(subject)
        # Another process may have destroyed it meanwhile; a Path would cost as much as encrypting.
        if known is not None and os.path.exists(known[2]):
            return known[:2]
        key_id = self._key_id(subject)
        generation = 0
        while self._tombstone(key_id, generation).exists():
            generation += 1
        path = self._path(key_id, generation)
        if path.exists():
            # Whoever made it may not have got as far as making its entry durable.
            sync_folder(path.parent)
        else:
            create_once(path, AESGCM.generate_key(256), 0o400)
        self._current[subject] = (key_id, generation, str(path))
        return key_id, generation
