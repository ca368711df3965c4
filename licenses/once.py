# SPDX-License-Identifier: Apache-2.0
"""Secrets that are handed out once and kept as a digest: codes of authorisation, links to copies."""

import base64
import hashlib
import secrets
from typing import Final

SECRET_BYTES: Final = 16


def new_secret() -> tuple[str, bytes]:
    """Give 128 random bits as they are handed out (base64url, not padded), and their digest to be kept."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode(), hashlib.sha256(secret).digest()


def digest_of(secret: str) -> bytes:
    """Give the digest under which a secret is kept; a malformed one has that of no secret at all."""
    try:
        plain = base64.urlsafe_b64decode(secret.encode("ascii") + b"==")
    except ValueError:
        plain = b""
    return hashlib.sha256(plain).digest()
