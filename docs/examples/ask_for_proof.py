# SPDX-License-Identifier: Apache-2.0
"""Ask which proofs of an open case are established, check the signed answer, redeem its promise.

    ask_for_proof.py ask ADDRESS SOURCE NUMBER ITEM PURPOSE    writes answer.jws and receipt.tlog-proof
    ask_for_proof.py check answer.jws jwks.json                offline, with the keys that were kept

Needs the package ``cryptography``. ``PROOF_KEY`` holds the client's key, ``PROOF_OPERATOR`` the account id of
who asks. Exit codes: 0 genuine, 1 not genuine, 2 not redeemed yet, 3 refused, 64 usage.
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

KEYS, ANSWER, RECEIPT = Path("jwks.json"), Path("answer.jws"), Path("receipt.tlog-proof")


class NotGenuineError(Exception):
    """The archive did not sign this, or it answers another question."""


def unpadded(text: str) -> bytes:
    """Read base64url without padding (RFC 7515)."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


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


def fetch(address: str, body: dict[str, Any] | None = None) -> bytes:
    """Call the archive; a question carries the key and says who asks."""
    headers = {"Accept": "application/jose", "Content-Type": "application/json"} if body else {}
    if body:
        headers["Authorization"] = f"Bearer {os.environ['PROOF_KEY']}"
        headers["Access-Operator"] = os.environ["PROOF_OPERATOR"]
    data = json.dumps(body).encode() if body else None
    asked = urllib.request.Request(address, data, headers)  # noqa: S310 - whoever starts it names the address
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


def ask(address: str, source: str, number: str, item: str, purpose: str) -> dict[str, Any]:
    """Ask, and give what the genuine answer says; the keys of the first visit are kept for later."""
    if not KEYS.exists():
        KEYS.write_bytes(fetch(f"{address}/.well-known/jwks.json"))
    question = {"case": {"source": source, "number": number}, "item": item, "purpose": purpose}
    jws = fetch(f"{address}/api/v1/proofs", question).decode("ascii")
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
