# SPDX-License-Identifier: Apache-2.0
"""One sign-in on its way: a secret in the browser from which state, nonce and PKCE verifier are derived.

Nothing is stored for a sign-in that was begun, so a stranger who begins many costs nothing. The secret never
leaves the browser's cookie but as digests: who sees state and nonce cannot compute the verifier.
"""

import base64
import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Self

from storage.clock import IdSource

LIFE: Final = dt.timedelta(minutes=10)
_WRITTEN: Final = re.compile(r"([0-9]{1,12})\.[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that was begun; ``secret`` is what the browser keeps."""

    secret: str

    @classmethod
    def begin(cls, ids: IdSource, now: dt.datetime) -> Self:
        """Begin a sign-in."""
        return cls(f"{int(now.timestamp())}.{(ids.nonce() + ids.nonce()).hex()}")

    @classmethod
    def read(cls, secret: str, now: dt.datetime) -> Self | None:
        """Give the sign-in that a browser is at; ``None`` for none, one out of date or from the future."""
        found = _WRITTEN.fullmatch(secret)
        if found is None or not 0 <= now.timestamp() - int(found[1]) <= LIFE.total_seconds():
            return None
        return cls(secret)

    @property
    def state(self) -> str:
        """What the provider sends back with the browser."""
        return self._derived(b"state")

    @property
    def nonce(self) -> str:
        """What the ID token must hold."""
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        """What only we can tell of the challenge (RFC 7636)."""
        return self._derived(b"verifier")

    @property
    def digest(self) -> bytes:
        """What is stored of a sign-in that was completed, so that it completes once."""
        return hashlib.sha256(self.secret.encode()).digest()

    def is_mine(self, state: str) -> bool:
        """Tell whether a state came back from this sign-in."""
        return hmac.compare_digest(state.encode(), self.state.encode())

    def _derived(self, purpose: bytes) -> str:
        made = hmac.digest(self.secret.encode(), purpose, "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
