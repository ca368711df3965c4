# SPDX-License-Identifier: Apache-2.0
"""Signing keys behind one port: whoever seals names a key by its reference and never sees it.

``FileKeyStore`` keeps keys in files. It is meant for the demonstration and for tests, says so, and
refuses to work when ``CUNZHENG_ENVIRONMENT=production``. Key objects are loaded once per process:
loading one RSA key costs as much as a hundred signatures.
"""

import logging
import os
import re
import threading
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from seals.errors import DemoInProductionError, KeyUnavailableError

_log = logging.getLogger(__name__)
_announced: set[str] = set()
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def refuse_production(what: str) -> None:
    """Announce a demonstration part once, and refuse it in production.

    Raises:
        DemoInProductionError: ``CUNZHENG_ENVIRONMENT`` is ``production``.
    """
    if os.environ.get("CUNZHENG_ENVIRONMENT", "").strip().lower() == "production":
        raise DemoInProductionError(part=what)
    if what in _announced:
        return
    _announced.add(what)
    _log.warning("demonstration part in use: %s; never for production", what)


class KeyStore(Protocol):
    """Where signing keys live."""

    def create(self, reference: str, algorithm: str) -> None:
        """Make a key ``rsa-2048``, ``rsa-3072``, ``rsa-4096`` or ``p-256``; a key never replaces another."""
        ...

    def has(self, reference: str) -> bool:
        """Tell whether a key of this reference is there."""
        ...

    def algorithm(self, reference: str) -> str:
        """Give ``rsa`` or ``ec``.

        Raises:
            KeyUnavailableError: No such key, or it cannot be read.
        """
        ...

    def public_key(self, reference: str) -> bytes:
        """Give the public key as DER SubjectPublicKeyInfo."""
        ...

    def sign(self, reference: str, data: bytes) -> bytes:
        """Sign with SHA-256: RSA PKCS#1 v1.5, or ECDSA in DER."""
        ...


def generate(algorithm: str) -> PrivateKey:
    """Make a private key; raises ``ValueError`` for an algorithm that is not offered."""
    if algorithm == "p-256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm in {"rsa-2048", "rsa-3072", "rsa-4096"}:
        return rsa.generate_private_key(public_exponent=65537, key_size=int(algorithm[4:]))
    raise ValueError("no such key algorithm")


class FileKeyStore:
    """Keys as PKCS#8 files that only their owner can read.

    Args:
        folder: Made when missing, mode 0700.

    Raises:
        DemoInProductionError: In production.
    """

    def __init__(self, folder: Path) -> None:
        refuse_production("file key store")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._loaded: dict[str, PrivateKey] = {}
        self._lock = threading.Lock()

    def create(self, reference: str, algorithm: str) -> None:
        """Make a key; an existing file is never replaced."""
        pem = generate(algorithm).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        handle = os.open(self._path(reference), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())

    def has(self, reference: str) -> bool:
        """Tell whether the key's file is there."""
        return self._path(reference).is_file()

    def algorithm(self, reference: str) -> str:
        """Give ``rsa`` or ``ec``."""
        return "rsa" if isinstance(self.private_key(reference), rsa.RSAPrivateKey) else "ec"

    def public_key(self, reference: str) -> bytes:
        """Give the public key as DER SubjectPublicKeyInfo."""
        return (
            self.private_key(reference)
            .public_key()
            .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def sign(self, reference: str, data: bytes) -> bytes:
        """Sign with SHA-256: RSA PKCS#1 v1.5, or ECDSA in DER."""
        key = self.private_key(reference)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    def private_key(self, reference: str) -> PrivateKey:
        """Give the key object, which only the throw-away CA needs; loaded once per process.

        Raises:
            KeyUnavailableError: No such key, or it cannot be read.
        """
        with self._lock:
            if reference not in self._loaded:
                self._loaded[reference] = self._load(reference)
            return self._loaded[reference]

    def _load(self, reference: str) -> PrivateKey:
        try:
            key = serialization.load_pem_private_key(self._path(reference).read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyUnavailableError(key=reference) from error
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise KeyUnavailableError(key=reference)
        return key

    def _path(self, reference: str) -> Path:
        if not _REFERENCE.fullmatch(reference):
            raise KeyUnavailableError(reason="reference")
        return self._folder / f"{reference}.pem"
