# SPDX-License-Identifier: Apache-2.0
"""Signed answers: a JWS (ES256) whose payload is ``{"decision": …, "promise": …}``.

Whoever holds the published key set checks an answer offline with :func:`verify_answer`; the promise in it
is redeemed by a receipt of the ledger. Only ES256 is ever accepted, whatever a header says.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from licenses.errors import AnswerInvalidError
from storage.files import create_once
from storage.ledger.canonical import Json, canonical

if TYPE_CHECKING:
    # Who checks answers offline loads no database library.
    from storage.ledger.acts import Promise

ALGORITHM = "ES256"
TYPE = "cunzheng-decision+json"
MAX_ANSWER = 512 * 1024


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """What a genuine answer says.

    Attributes:
        decision: The decision as it was answered.
        promise: ``log``, ``core_sha256``, ``redeem_by``: what the receipt must match.
        kid: Id of the key that signed it.
    """

    decision: Mapping[str, Json]
    promise: Mapping[str, str]
    kid: str


class AnswerKeys:
    """The keys that sign answers: ``answer-NNNN.jwk`` in a folder; the last one signs, all are published.

    Args:
        folder: The key folder's part for answers; a first key is made when there is none.
    """

    def __init__(self, folder: Path) -> None:
        first = folder / "answer-0001.jwk"
        if not first.exists():
            private = ECKey.generate_key("P-256", auto_kid=False).as_dict(private=True)
            create_once(first, json.dumps(private, sort_keys=True).encode(), 0o400)
        self._keys = [_load(path) for path in sorted(folder.glob("answer-*.jwk"))]
        self._kid = self._keys[-1].thumbprint()
        self._heads: dict[str, bytes] = {}
        self._own = _key_set(self.jwks())

    @property
    def kid(self) -> str:
        """Give the id (RFC 7638 thumbprint) of the key that signs."""
        return self._kid

    @property
    def first(self) -> str:
        """Give the id of the oldest key, by which the folder is recognised whatever was added since."""
        return str(self._keys[0].thumbprint())

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Give the public key set, as published at ``/.well-known/jwks.json``."""
        keys = []
        for key in self._keys:
            public = {name: str(value) for name, value in key.as_dict(private=False).items()}
            keys.append(public | {"kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM})
        return {"keys": keys}

    def sign(self, decision: Mapping[str, Json], promise: "Promise") -> str:
        """Sign a decision with its promise; gives the compact JWS."""
        return self.sign_written(canonical(dict(decision)), promise)

    def sign_written(self, decision: bytes, promise: "Promise") -> str:
        """Sign a decision, written as canonical JSON, with its promise; gives the compact JWS."""
        # Names are in their order, so the whole is canonical, too.
        promised = canonical(promise.as_json())
        return self._signed(b'{"decision":' + decision + b',"promise":' + promised + b"}", TYPE)

    def sign_payload(self, payload: Mapping[str, Json], kind: str) -> str:
        """Sign any canonical JSON; gives the compact JWS, whose header says what kind of statement it is."""
        return self._signed(canonical(dict(payload)), kind)

    def _signed(self, payload: bytes, kind: str) -> str:
        signed = self._head(kind) + b"." + base64.urlsafe_b64encode(payload).rstrip(b"=")
        # The library's own algorithm; what it does around it takes longer than signing.
        signature = jws.JWSRegistry.algorithms[ALGORITHM].sign(signed, self._keys[-1])
        return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()

    def _head(self, kind: str) -> bytes:
        if kind not in self._heads:
            header = {"alg": ALGORITHM, "kid": self.kid, "typ": kind}
            written = json.dumps(header, separators=(",", ":")).encode()
            self._heads[kind] = base64.urlsafe_b64encode(written).rstrip(b"=")
        return self._heads[kind]

    def read_payload(self, token: str, kind: str) -> Mapping[str, Any]:
        """Give what :meth:`sign_payload` of this installation signed.

        Raises:
            AnswerInvalidError: Too large, malformed, altered, of another type, or signed by no own key.
        """
        return _opened_with(token, self._own, kind, MAX_ANSWER)[0]

    def sign_detached(self, document: Mapping[str, Json], kind: str) -> str:
        """Sign canonical JSON that travels beside its signature (RFC 7515, appendix F)."""
        head, _, signature = self.sign_payload(document, kind).split(".")
        return f"{head}..{signature}"


def verify_detached(
    document: bytes, signature: str, jwks: Mapping[str, Sequence[Mapping[str, str]]], kind: str
) -> str:
    """Check the bytes of a document with their detached signature; gives the id of the key.

    Raises:
        AnswerInvalidError: Malformed, altered, of another type, or signed by no key of the set.
    """
    head, _, tail = signature.strip().partition("..")
    content = base64.urlsafe_b64encode(document).rstrip(b"=").decode()
    return _opened(f"{head}.{content}.{tail}", jwks, kind, len(content) + MAX_ANSWER)[1]


def verify_answer(answer: str | bytes, jwks: Mapping[str, Sequence[Mapping[str, str]]]) -> VerifiedAnswer:
    """Check a signed answer offline.

    Args:
        answer: The compact JWS; outer white space is ignored.
        jwks: The published key set.

    Raises:
        AnswerInvalidError: Too large, malformed, altered, of another type, or signed by no key of the set.
    """
    text = answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
    payload, kid = _opened(text, jwks, TYPE, MAX_ANSWER)
    if set(payload) != {"decision", "promise"}:
        raise AnswerInvalidError(rule="type")
    promise = payload["promise"]
    if not (isinstance(payload["decision"], dict) and isinstance(promise, dict) and _is_promise(promise)):
        raise AnswerInvalidError(rule="payload")
    return VerifiedAnswer(payload["decision"], promise, kid)


def verify_signed(
    token: str, jwks: Mapping[str, Sequence[Mapping[str, str]]], kind: str, largest: int = MAX_ANSWER
) -> Mapping[str, Any]:
    """Check what :meth:`AnswerKeys.sign_payload` signed and give its payload.

    Args:
        token: The compact JWS; outer white space is ignored.
        jwks: The published key set.
        kind: The type that it must be of.
        largest: Most characters.

    Raises:
        AnswerInvalidError: Too large, malformed, altered, of another type, or signed by no key of the set.
    """
    return _opened(token, jwks, kind, largest)[0]


def _opened(
    text: str, jwks: Mapping[str, Sequence[Mapping[str, str]]], kind: str, largest: int
) -> tuple[dict[str, Any], str]:
    try:
        keys = _key_set(jwks)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise AnswerInvalidError(rule="signature") from None
    return _opened_with(text, keys, kind, largest)


def _key_set(jwks: Mapping[str, Sequence[Mapping[str, str]]]) -> KeySet:
    return KeySet([ECKey.import_key(dict(key)) for key in jwks["keys"] if key.get("kty") == "EC"])


def _opened_with(text: str, keys: KeySet, kind: str, largest: int) -> tuple[dict[str, Any], str]:
    if len(text) > largest:
        raise AnswerInvalidError(rule="size")
    try:
        registry = jws.JWSRegistry(algorithms=[ALGORITHM])
        registry.max_payload_length = largest
        token = jws.deserialize_compact(text.strip(), keys, registry=registry)
        payload = json.loads(token.payload)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AnswerInvalidError(rule="signature") from None
    header = token.headers()
    if header.get("typ") != kind or not isinstance(payload, dict):
        raise AnswerInvalidError(rule="type")
    return payload, str(header.get("kid", ""))


def _is_promise(promise: Mapping[str, object]) -> bool:
    return set(promise) == {"log", "core_sha256", "redeem_by"} and all(
        isinstance(value, str) for value in promise.values()
    )


def _load(path: Path) -> ECKey:
    return ECKey.import_key(json.loads(path.read_bytes()))
