# SPDX-License-Identifier: Apache-2.0
"""What a calling system signed: the signature base (RFC 9421), its signature and the body it covers.

The portal checks it before a question is answered; the bundle of a decision holds it, so that anybody can
check it again with the client's public key alone.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from storage.ledger.canonical import Json, canonical

ALGORITHMS: Final[Mapping[str, tuple[str, str]]] = {
    "P-256": ("ecdsa-p256-sha256", "ES256"),
    "Ed25519": ("ed25519", "Ed25519"),
}
"""By curve: the name in RFC 9421, and the one in JOSE, whose raw signatures are the same bytes."""
TOKEN_LIFE: Final = dt.timedelta(minutes=10)
"""How long the token that stands in a signature base is good at most."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A call whose signature held.

    Attributes:
        client_id: Whose call.
        kid: Thumbprint of the key that signed it.
        nonce: Used once by this client.
        base: The signature base, as it was signed.
        signature: Raw signature over it.
        body: The body that the base's digest covers; ``None`` where other people's questions stand in it.
        key: The public key (JWK) that signed it, where it is known.
    """

    client_id: str
    kid: str
    nonce: str
    base: bytes
    signature: bytes
    body: bytes | None
    key: Mapping[str, str] | None = None

    def named(self) -> dict[str, dict[str, str]]:
        """Give what the signed answer says of the request: whose key, over exactly which base."""
        return {"request": {"kid": self.kid, "base_sha256": hashlib.sha256(self.base).hexdigest()}}

    def kept(self) -> bytes:
        """Give what is kept of it, as canonical JSON; bytes stand in base64."""
        return canonical(self._members())

    def kept_with_key(self) -> bytes:
        """Give what :meth:`kept` gives and the public key, so that it can be checked by itself."""
        return canonical(self._members() | {"key": None if self.key is None else dict(self.key)})

    def _members(self) -> dict[str, Json]:
        return {
            "base": self.base.decode("ascii"),
            "signature": base64.b64encode(self.signature).decode(),
            "body": None if self.body is None else base64.b64encode(self.body).decode(),
        }


def verify_signature(base: bytes, signature: bytes, jwk: Mapping[str, str]) -> bool:
    """Tell whether a key signed exactly these bytes; the key's curve alone decides how."""
    names = ALGORITHMS.get(jwk.get("crv", ""))
    if names is None:
        return False
    try:
        key = public_key(*sorted(jwk.items()))
        return bool(JWSRegistry.algorithms[names[1]].verify(base, signature, key))
    except (JoseError, ValueError, TypeError, KeyError):
        return False


@lru_cache(maxsize=1024)
def public_key(*members: tuple[str, str]) -> ECKey | OKPKey:
    """Give the key of its members; reading one costs half as much as using it."""
    stated: dict[str, str | list[str]] = dict(members)
    return ECKey.import_key(stated) if stated.get("kty") == "EC" else OKPKey.import_key(stated)
