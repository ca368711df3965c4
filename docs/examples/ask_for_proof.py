# SPDX-License-Identifier: Apache-2.0
"""Ask which proofs of an open case are established, check the signed answer, redeem its promise.

    ask_for_proof.py ask ADDRESS SOURCE NUMBER ITEM PURPOSE    writes answer.jws and receipt.tlog-proof
    ask_for_proof.py check answer.jws jwks.json                offline, with the keys that were kept

Needs the package ``cryptography``. ``PROOF_CLIENT`` is the client's id, ``PROOF_KEY_FILE`` the file of its
private key (a JWK on P-256), ``PROOF_OPERATOR`` the account id of who asks. Exit codes: 0 genuine, 1 not
genuine, 2 not redeemed yet, 3 refused, 64 usage.
"""

import base64
import hashlib
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

KEYS, ANSWER, RECEIPT = Path("jwks.json"), Path("answer.jws"), Path("receipt.tlog-proof")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
COVERED = ("@method", "@target-uri", "content-digest", "content-type", "authorization")


class NotGenuineError(Exception):
    """The archive did not sign this, or it answers another question."""


def unpadded(text: str) -> bytes:
    """Read base64url without padding (RFC 7515)."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


def encoded(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verify(jws: str, jwks: str) -> dict[str, Any]:
    """Give what an answer says; raise ``NotGenuineError`` unless a key of the set signed exactly it."""
    try:
        header, payload, signature = jws.strip().split(".")
        says, raw = json.loads(unpadded(header)), unpadded(signature)
        # Which algorithm counts is for us to say, never for the answer.
        if says["alg"] != "ES256" or says["typ"] != "cunzheng-decision+json" or len(raw) != 64:
            raise NotGenuineError
        keys = [one for one in json.loads(jwks)["keys"] if (one["crv"], one["kid"]) == ("P-256", says["kid"])]
        x, y = (int.from_bytes(unpadded(keys[0][name])) for name in ("x", "y"))
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(SHA256()))
        return dict(json.loads(unpadded(payload)))
    except (ValueError, KeyError, TypeError, IndexError, InvalidSignature):
        raise NotGenuineError from None


class Signer:
    """The client's private key; it signs and leaves this program in no form."""

    def __init__(self, jwk: dict[str, str]) -> None:
        self._key = ec.derive_private_key(int.from_bytes(unpadded(jwk["d"])), ec.SECP256R1())
        # The thumbprint (RFC 7638): the key's id.
        named = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
        self.kid = encoded(hashlib.sha256(json.dumps(named, separators=(",", ":")).encode()).digest())

    def sign(self, data: bytes) -> bytes:
        """Give the raw signature (r and s)."""
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def assertion(self, client: str, audience: str) -> str:
        """Give what proves the client (RFC 7523); it is good once, for a minute."""
        now = int(time.time())
        claims = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 60}
        claims["jti"] = secrets.token_urlsafe(16)
        content = ".".join(
            encoded(json.dumps(one).encode()) for one in ({"alg": "ES256", "kid": self.kid}, claims)
        )
        return f"{content}.{encoded(self.sign(content.encode()))}"

    def signed(self, address: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Give the headers of a POST with digest and signature (RFC 9421)."""
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        values = {"@method": "POST", "@target-uri": address, "content-digest": digest}
        values |= {"content-type": headers["Content-Type"], "authorization": headers["Authorization"]}
        names = " ".join(f'"{name}"' for name in COVERED)
        stated = (
            f'({names});created={int(time.time())};keyid="{self.kid}";alg="ecdsa-p256-sha256"'
            f';nonce="{secrets.token_urlsafe(16)}";tag="cunzheng"'
        )
        lines = [f'"{name}": {values[name]}' for name in COVERED]
        base = "\n".join([*lines, f'"@signature-params": {stated}'])
        signature = base64.b64encode(self.sign(base.encode())).decode()
        added = {"Content-Digest": digest, "Signature-Input": f"sig1={stated}"}
        return headers | added | {"Signature": f"sig1=:{signature}:"}


def fetch(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """Call the archive."""
    asked = urllib.request.Request(address, body, headers or {})  # noqa: S310 - whoever starts it names the address
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


def token(address: str, signer: Signer, purpose: str) -> str:
    """Give a token for this person and purpose; it is good for ten minutes."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": signer.assertion(os.environ["PROOF_CLIENT"], f"{address}/oauth/token"),
        "scope": "ask",
        "operator": os.environ["PROOF_OPERATOR"],
        "purpose": purpose,
    }
    answer = json.loads(fetch(f"{address}/oauth/token", urllib.parse.urlencode(form).encode()))
    return str(answer["access_token"])


def ask(address: str, source: str, number: str, item: str, purpose: str) -> dict[str, Any]:
    """Ask, and give what the genuine answer says; the keys of the first visit are kept for later."""
    if not KEYS.exists():
        KEYS.write_bytes(fetch(f"{address}/.well-known/jwks.json"))
    signer = Signer(json.loads(Path(os.environ["PROOF_KEY_FILE"]).read_text("ascii")))
    question = {"case": {"source": source, "number": number}, "item": item, "purpose": purpose}
    headers = {"Accept": "application/jose", "Content-Type": "application/json"}
    headers["Authorization"] = f"Bearer {token(address, signer, purpose)}"
    place, body = f"{address}/api/v1/proofs", json.dumps(question).encode()
    jws = fetch(place, body, signer.signed(place, headers, body)).decode("ascii")
    answer = verify(jws, KEYS.read_text("ascii"))
    decision = answer["decision"]
    # A genuine answer to another question is no answer to this one.
    if (decision["case"], decision["item"]["code"], decision["purpose"]) != (question["case"], item, purpose):
        raise NotGenuineError
    ANSWER.write_text(jws, encoding="ascii")
    return answer


def redeem(address: str, promise: dict[str, str]) -> bool:
    """Fetch the receipt that the answer promises; it is there with the next published checkpoint."""
    while datetime.now(UTC) < datetime.fromisoformat(promise["redeem_by"]):
        try:
            RECEIPT.write_bytes(fetch(f"{address}/api/v1/ledger/receipts/{promise['core_sha256']}"))
        except urllib.error.HTTPError as error:
            if json.load(error)["code"] != "receipt-not-ready":
                raise
            time.sleep(2)
        else:
            return True
    return False


def main(arguments: list[str]) -> int:
    """Do what the arguments say and give the exit code."""
    try:
        if arguments[:1] == ["check"] and len(arguments) == 3:
            answer = verify(Path(arguments[1]).read_text("ascii"), Path(arguments[2]).read_text("ascii"))
        elif arguments[:1] == ["ask"] and len(arguments) == 6:
            answer = ask(*arguments[1:])
        else:
            sys.stderr.write(str(__doc__))
            return 64
        for one in answer["decision"]["requirements"]:
            print(one["result"], one["id"], one["zh"])
        return 0 if arguments[0] == "check" or redeem(arguments[1], answer["promise"]) else 2
    except urllib.error.HTTPError as error:
        print("refused:", json.load(error).get("code"), file=sys.stderr)
        return 3
    except NotGenuineError:
        print("not genuine", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
