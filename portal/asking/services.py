# SPDX-License-Identifier: Apache-2.0
"""Asks an installation a no-proof question as a calling system does, and checks the signed answer.

Nothing is believed that is not signed: the answer must be a genuine one to exactly this question. Keys that
were kept from an earlier visit decide; without them those of the first visit are taken and kept.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from licenses.answers import MAX_ANSWER, VerifiedAnswer, verify_answer
from licenses.errors import AnswerInvalidError
from portal.asking.errors import ProofRefusedElsewhereError, ServerUnavailableError
from portal.asking.signing import CallerKey
from portal.clients.tokens import ASSERTION_TYPE
from storage.clock import SystemClock

_TIMEOUT: Final = Timeout(connect=5, read=30)
_ANSWERED: Final = (200, 202)
"""An answer that waits for a department is one, too: 202."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A question to an installation.

    Attributes:
        address: Its base address.
        client: The client's id.
        key: The client's private key; it leaves this machine in no form.
        operator: Account id of the person who asks.
        source: Source of the case.
        number: The case's number there.
        item: Code of its item.
        purpose: One of the published purposes.
    """

    address: str
    client: str
    key: CallerKey
    operator: str
    source: str
    number: str
    item: str
    purpose: str

    def body(self) -> dict[str, Any]:
        """Give the question as the interface takes it."""
        case = {"source": self.source, "number": self.number}
        return {"case": case, "item": self.item, "purpose": self.purpose}


def ask(asking: Asking, keys: Path) -> tuple[str, VerifiedAnswer]:
    """Ask; gives the signed answer and what it says.

    Args:
        asking: The question.
        keys: File of the key set; made from the installation's when missing.

    Raises:
        ServerUnavailableError: No answer, or one that is none of ours.
        ProofRefusedElsewhereError: The installation refused; it names the code.
        AnswerInvalidError: The answer is not genuine, or answers another question.
    """
    pool = PoolManager(timeout=_TIMEOUT, retries=False)
    base = asking.address.rstrip("/")
    if not keys.exists():
        _, data = _call(pool, "GET", f"{base}/.well-known/jwks.json", None, {})
        _object(data)
        keys.write_bytes(data)
    headers = {
        "Authorization": f"Bearer {_token(pool, base, asking)}",
        "Content-Type": "application/json",
        "Accept": "application/jose",
    }
    place, body = f"{base}/api/v1/proofs", json.dumps(asking.body()).encode()
    status, data = _call(pool, "POST", place, body, asking.key.signed("POST", place, headers, body, _now()))
    if status not in _ANSWERED:
        raise _refused(data)
    jws = data.decode("ascii", "replace")
    found = verify_answer(jws, json.loads(keys.read_bytes()))
    said = found.decision
    item = said.get("item")
    asked = (said.get("case"), item.get("code") if isinstance(item, Mapping) else None, said.get("purpose"))
    # A genuine answer to another question is no answer to this one.
    if asked != (asking.body()["case"], asking.item, asking.purpose):
        raise AnswerInvalidError(rule="another-question")
    return jws, found


def _token(pool: PoolManager, base: str, asking: Asking) -> str:
    """Give a token for this person and purpose; what the assertion names is the address that is called."""
    place = f"{base}/oauth/token"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": asking.key.assertion(asking.client, place, _now()),
        "scope": "ask",
        "operator": asking.operator,
        "purpose": asking.purpose,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, data = _call(pool, "POST", place, urlencode(form).encode(), headers)
    token = _object(data).get("access_token")
    if status != 200 or not isinstance(token, str):
        raise _refused(data)
    return token


def _refused(data: bytes) -> ProofRefusedElsewhereError:
    told = _object(data)
    found: dict[str, str] = {"code": str(told.get("code", "unknown"))}
    facts = told.get("facts")
    if isinstance(facts, dict):
        found |= {name: str(facts[name]) for name in ("field", "rule", "window", "now") if name in facts}
    return ProofRefusedElsewhereError(**found)


def _now() -> dt.datetime:
    return SystemClock().now()


def _call(
    pool: PoolManager, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    try:
        answer = pool.request(
            method, address, body=body, headers=dict(headers), redirect=False, preload_content=False
        )
        try:
            data = answer.read(MAX_ANSWER + 1)
        finally:
            answer.close()
    except (HTTPError, ValueError):
        raise ServerUnavailableError from None
    if len(data) > MAX_ANSWER or answer.status >= 500 or (method == "GET" and answer.status != 200):
        raise ServerUnavailableError
    return answer.status, data


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        raise ServerUnavailableError from None
    if not isinstance(value, dict):
        raise ServerUnavailableError
    return value
