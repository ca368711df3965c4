# SPDX-License-Identifier: Apache-2.0
"""The calling side: a private key that proves its client (RFC 7523) and signs its calls (RFC 9421)."""

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Self

from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from portal.asking.errors import CallerKeyError
from portal.clients.signatures import COVERED, TAG

_FORMS: Final = {"P-256": ("ES256", ECDSA_P256_SHA256), "Ed25519": ("Ed25519", ED25519)}
_LIFE: Final = dt.timedelta(seconds=60)
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class CallerKey:
    """A client's pair of keys.

    Attributes:
        key: The private key.
        kid: Its thumbprint (RFC 7638), by which the installation knows it.
    """

    key: ECKey | OKPKey
    kid: str

    @classmethod
    def make(cls, curve: str = "P-256") -> Self:
        """Make a pair, on ``P-256`` or ``Ed25519``."""
        key = ECKey.generate_key("P-256") if curve == "P-256" else OKPKey.generate_key("Ed25519")
        return cls(key, key.thumbprint())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a private key, as JWK or PEM (PKCS #8, not encrypted).

        Raises:
            CallerKeyError: It is none of a kind that is taken.
        """
        data = path.read_bytes()
        for kind in (ECKey, OKPKey):
            try:
                stated = json.loads(data) if data.lstrip().startswith(b"{") else data
                key = kind.import_key(stated)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            if len(data) <= _MOST and key.is_private and key.curve_name in _FORMS:
                return cls(key, key.thumbprint())
        raise CallerKeyError

    def private(self) -> dict[str, Any]:
        """Give the private JWK, for the client's own file."""
        return dict(self.key.as_dict(private=True)) | {"kid": self.kid}

    def public(self) -> dict[str, str]:
        """Give the public JWK, for who registers it."""
        return {name: str(value) for name, value in self.key.as_dict(private=False).items()}

    def assertion(self, client_id: str, audience: str, now: dt.datetime, **changes: object) -> str:
        """Give a fresh assertion that proves the client; ``changes`` replace claims, ``None`` removes one."""
        at = int(now.timestamp())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": at,
            "exp": at + int(_LIFE.total_seconds()),
            "jti": secrets.token_urlsafe(16),
        } | changes
        algorithm = _FORMS[self.key.curve_name][0]
        header = {"alg": algorithm, "kid": self.kid}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, given, self.key, algorithms=[algorithm])

    def signed(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes, now: dt.datetime
    ) -> dict[str, str]:
        """Give the headers of a call with digest and signature.

        Args:
            method: In capitals.
            address: The whole address, by the name that the installation has outside.
            headers: With ``Content-Type`` and ``Authorization``; ``Access-`` headers are covered, too.
            body: What is sent.
            now: When it is signed.
        """
        private = self.key.as_pem(private=True)
        keys = MappingKeyResolver(public_keys={}, private_keys={self.kid: private})
        signer = HTTPMessageSigner(signature_algorithm=_FORMS[self.key.curve_name][1], key_resolver=keys)
        named = {name.lower(): value for name, value in headers.items()}
        message = SimpleNamespace(method=method, url=address, headers=dict(named))
        signer.sign(
            message,
            key_id=self.kid,
            created=now,
            nonce=secrets.token_urlsafe(16),
            label="sig1",
            tag=TAG,
            covered_component_ids=[*COVERED, *sorted(name for name in named if name.startswith("access-"))],
            body=body,
        )
        return {name.lower(): value for name, value in message.headers.items()}
