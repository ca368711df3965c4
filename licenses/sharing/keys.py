# SPDX-License-Identifier: Apache-2.0
"""The installation's key for messages to subscribers: Ed25519, published with the other public keys."""

import base64
import json
from pathlib import Path
from typing import Final, Protocol, cast

from joserfc.jwk import OKPKey

from licenses.sharing.envelope import PUBLIC_PREFIX
from storage.files import create_once

ALGORITHM: Final = "EdDSA"
_CURVE: Final = "Ed25519"


class _Signs(Protocol):
    """A private key that signs; the library's type names also keys that do not."""

    def sign(self, data: bytes, /) -> bytes: ...


class MessageKeys:
    """The keys that sign messages: ``message-NNNN.jwk`` in a folder; the last one signs, all are published.

    Args:
        folder: The key folder; a first key is made when there is none.
    """

    def __init__(self, folder: Path) -> None:
        first = folder / "message-0001.jwk"
        if not first.exists():
            private = OKPKey.generate_key(_CURVE, auto_kid=False).as_dict(private=True)
            create_once(first, json.dumps(private, sort_keys=True).encode(), 0o400)
        found = sorted(folder.glob("message-*.jwk"))
        self._keys = [OKPKey.import_key(json.loads(path.read_bytes())) for path in found]

    def sign(self, data: bytes) -> bytes:
        """Give the signature of the key that signs."""
        return cast(_Signs, self._keys[-1].get_op_key("sign")).sign(data)

    @property
    def public(self) -> str:
        """Give the key that verifies, as Standard Webhooks writes it."""
        raw = base64.urlsafe_b64decode(str(self._keys[-1].as_dict(private=False)["x"]) + "=")
        return PUBLIC_PREFIX + base64.b64encode(raw).decode()

    def jwks(self) -> list[dict[str, str]]:
        """Give the public keys, as they stand in the published key set."""
        keys = []
        for key in self._keys:
            public = {name: str(value) for name, value in key.as_dict(private=False).items()}
            keys.append(public | {"kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM})
        return keys
