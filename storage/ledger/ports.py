# SPDX-License-Identifier: Apache-2.0
"""What the ledger needs from rooms above it; ``portal.bootstrap`` passes the implementations in."""

import datetime as dt
from typing import Protocol


class TimestampAuthority(Protocol):
    """Gives RFC 3161 tokens."""

    def stamp(self, imprint: bytes) -> bytes:
        """Give the DER TimeStampToken over a SHA-256 imprint of 32 bytes.

        Raises:
            CunzhengError: The authority does not answer, or not with a token.
        """
        ...


class TokenVerifier(Protocol):
    """Judges RFC 3161 tokens."""

    def verify(self, token: bytes, imprint: bytes) -> dt.datetime:
        """Give the time that the token proves for the SHA-256 imprint.

        Raises:
            CunzhengError: The token is damaged, stands over other bytes or has an untrusted signer.
        """
        ...
