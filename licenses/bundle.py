# SPDX-License-Identifier: Apache-2.0
"""The evidence bundle of a decision: request, signature, answer, receipt, keys and rule in one ZIP.

Whoever holds the installation's published keys and the policy of its log checks it without network: what was
asked, that the client asked it, what we answered by which rule, and that the answer stands in the log. What
is trusted comes from the checker, never from the bundle. Loads no database library.
"""

import base64
import enum
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError

from licenses.answers import VerifiedAnswer, verify_answer
from licenses.requests import public_key, verify_signature
from storage.clock import parse_rfc3339
from storage.errors import CunzhengError
from storage.ledger.canonical import canonical
from storage.ledger.errors import QuorumError
from storage.ledger.policies import Policy
from storage.ledger.receipts import verify_receipt

BODY, BASE, SIGNATURE, CLIENT_KEY, ANSWER, RECEIPT, KEYS, RULE, README = (
    "request.json",
    "request.base.txt",
    "request.signature.txt",
    "client-key.json",
    "decision.jws",
    "receipt.tlog-proof",
    "jwks.json",
    "rule.json",
    "README.txt",
)
MEDIA_TYPE: Final = "application/zip"
README_TEXT: Final = """存证 · 核验证据包 / Cunzheng · evidence bundle of a decision

request.json           调用方发出的请求正文 the body that the calling system sent
request.base.txt       其签名所覆盖的内容 what its signature covers (RFC 9421)
request.signature.txt  调用方签名 the calling system's signature, base64
client-key.json        调用方公钥 the calling system's public key (JWK)
decision.jws           已签名的核验结论 the signed decision
receipt.tlog-proof     存证回执 the receipt of the act in the log
jwks.json              本系统公钥集 the installation's public keys
rule.json              所依据的免证规则 the rule that was applied

离线核验 check it without network:
    cunzheng-verify BUNDLE.zip --policy POLICY --keys JWKS

POLICY 与 JWKS 请事先自本系统 /receipts/policy 与 /.well-known/jwks.json 取得并妥善保存，
包内公钥不作为信任依据。
Fetch POLICY and JWKS from the installation beforehand (/receipts/policy, /.well-known/jwks.json) and keep
them: the keys in the bundle prove nothing by themselves.
"""
_ALWAYS: Final = frozenset({BASE, SIGNATURE, CLIENT_KEY, ANSWER, RECEIPT, KEYS, RULE, README})
_MOST: Final = 4 << 20
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_DIGEST: Final = re.compile(r'^"content-digest": .*?sha-256=:([A-Za-z0-9+/]{43}=):', re.M)
_CREATED: Final = re.compile(r'^"@signature-params": .*;created=([0-9]{1,15})', re.M)
_CALLED: Final = re.compile(r'\A"@method": POST\n"@target-uri": (\S+)$', re.M)
_QUESTION: Final = "/api/v1/proofs"
_BATCH: Final = "/api/v1/proofs:batch"
_YOUNG: Final = 120
"""Seconds between signature and answer: a minute of the clocks, and a minute in which the call waited."""
_KEYID: Final = re.compile(r'^"@signature-params": .*;keyid="([^"]+)"', re.M)


class Check(enum.StrEnum):
    """What is looked at; ``TITLES`` says it in two languages."""

    MEMBERS = "members"
    REQUEST_SIGNATURE = "request-signature"
    REQUEST_KEY = "request-key"
    REQUEST_BODY = "request-body"
    DECISION_SIGNATURE = "decision-signature"
    DECISION_KEYS = "decision-keys"
    ANSWERS_REQUEST = "answers-request"
    RULE = "rule"
    RECEIPT = "receipt"


TITLES: Final = {
    Check.MEMBERS: ("包内文件齐全且无多余", "The bundle holds what belongs in it and nothing else"),
    Check.REQUEST_SIGNATURE: ("调用方签名有效", "The calling system's signature holds"),
    Check.REQUEST_KEY: ("签名公钥即结论所载公钥", "The key that signed is the one that the decision names"),
    Check.REQUEST_BODY: ("签名覆盖该请求正文", "The signature covers exactly this body"),
    Check.DECISION_SIGNATURE: ("核验结论签名有效", "The decision's signature holds"),
    Check.DECISION_KEYS: ("包内公钥均为所信任的公钥", "Every key in the bundle is one that you trust"),
    Check.ANSWERS_REQUEST: ("结论所答即该请求", "The decision answers exactly this request"),
    Check.RULE: ("规则与结论所载摘要一致", "The rule has the digest that the decision names"),
    Check.RECEIPT: ("回执证明该结论已入审计链", "The receipt proves that the decision stands in the log"),
}


class State(enum.StrEnum):
    """How a check ended."""

    HOLDS = "holds"
    CANNOT_TELL = "cannot-tell"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a bundle is made of; bytes as they were sent and signed.

    Attributes:
        kept: As :meth:`licenses.requests.SignedRequest.kept` gives it.
        client_key: The client's public JWK.
        jws: The signed decision.
        receipt: Of the act that answered.
        jwks: The published keys.
        rule: The rule's document, canonical JSON.
    """

    kept: bytes
    client_key: Mapping[str, str]
    jws: str
    receipt: bytes
    jwks: Mapping[str, Any]
    rule: bytes

    def write(self) -> bytes:
        """Give the ZIP; the same evidence gives the same bytes."""
        call = json.loads(self.kept)
        members = {
            README: README_TEXT.encode(),
            BASE: call["base"].encode("ascii"),
            SIGNATURE: call["signature"].encode("ascii"),
            CLIENT_KEY: canonical(dict(self.client_key)),
            ANSWER: self.jws.encode("ascii"),
            RECEIPT: self.receipt,
            KEYS: _written(self.jwks),
            RULE: self.rule,
        }
        if call["body"] is not None:
            members[BODY] = base64.b64decode(call["body"])
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(members.items()):
                entry = zipfile.ZipInfo(name, _TIME)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
        return written.getvalue()


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and how it ended."""

    check: Check
    state: State


def is_bundle(data: bytes) -> bool:
    """Tell whether the bytes begin as a bundle does."""
    return data.startswith(b"PK\x03\x04")


def judge_bundle(
    data: bytes, policy: Policy, trusted: Mapping[str, Any] | None, sent: bytes | None = None
) -> Sequence[Finding]:
    """Check a bundle; gives every check, in the same order.

    Args:
        data: The ZIP.
        policy: What the checker trusts of the log.
        trusted: Key set of the installation, fetched before; without it no signature of ours is believed.
        sent: The body that its sender kept. The bundle of a batch holds none; one that it does hold is
            checked besides.
    """
    members = _members(data)
    if members is None:
        return [Finding(Check.MEMBERS, State.FAILS)]
    found = _Bundle(members, policy, trusted, sent)
    return [Finding(check, _state(ask)) for check, ask in found.checks()]


def _state(ask: Callable[[], bool | None]) -> State:
    try:
        held = ask()
    except QuorumError:
        # The log is genuine and not yet witnessed as the checker wants it: nothing says that it is wrong.
        return State.CANNOT_TELL
    except (CunzhengError, JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return State.FAILS
    return State.CANNOT_TELL if held is None else State.HOLDS if held else State.FAILS


def _members(data: bytes) -> dict[str, bytes] | None:
    """Give the members, none of them twice, none too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > len(_ALWAYS) + 1 or sum(one.file_size for one in entries) > _MOST:
                return None
            found = {one.filename: archive.read(one) for one in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, zlib.error):
        return None
    return found if len(found) == len(entries) else None


class _Bundle:
    """The members of a bundle, and what the checker trusts."""

    def __init__(
        self,
        members: Mapping[str, bytes],
        policy: Policy,
        trusted: Mapping[str, Any] | None,
        sent: bytes | None,
    ) -> None:
        self._members = members
        self._policy = policy
        self._trusted = trusted
        self._bodies = [one for one in (sent, members.get(BODY)) if one is not None]

    def checks(self) -> Iterator[tuple[Check, Callable[[], bool | None]]]:
        yield Check.MEMBERS, self._are_complete
        yield Check.REQUEST_SIGNATURE, self._request_is_signed
        yield Check.REQUEST_KEY, self._key_is_named
        yield Check.REQUEST_BODY, self._body_is_covered
        yield Check.DECISION_SIGNATURE, self._decision_is_signed
        yield Check.DECISION_KEYS, self._keys_are_trusted
        yield Check.ANSWERS_REQUEST, self._request_is_answered
        yield Check.RULE, self._rule_is_named
        yield Check.RECEIPT, self._stands_in_the_log

    def _are_complete(self) -> bool:
        names = set(self._members)
        return names - {BODY} == _ALWAYS and self._members[README] == README_TEXT.encode()

    def _json(self, name: str) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self._members[name])

    def _answer(self) -> VerifiedAnswer:
        keys = self._json(KEYS) if self._trusted is None else self._trusted
        text = self._members[ANSWER].decode("ascii")
        if not all(map(_is_exact, text.split("."))):
            raise ValueError("written in another way than it was signed")
        return verify_answer(text, keys)

    def _decision(self) -> Mapping[str, Any]:
        return self._answer().decision

    def _request_is_signed(self) -> bool:
        stated = self._members[SIGNATURE]
        signature = base64.b64decode(stated, validate=True)
        exact = base64.b64encode(signature) == stated
        return exact and verify_signature(self._members[BASE], signature, self._json(CLIENT_KEY))

    def _key_is_named(self) -> bool:
        base = self._members[BASE]
        named, stated = self._decision()["request"], _KEYID.search(base.decode("ascii"))
        key = self._json(CLIENT_KEY)
        if canonical(key) != self._members[CLIENT_KEY]:
            return False
        kid = public_key(*sorted(key.items())).thumbprint()
        same = stated is not None and kid == named["kid"] == stated[1]
        return same and named["base_sha256"] == hashlib.sha256(base).hexdigest()

    def _body_is_covered(self) -> bool | None:
        if not self._bodies:
            # Asked in a batch: the client keeps what it sent.
            return None
        found = _DIGEST.search(self._members[BASE].decode("ascii"))
        digests = {base64.b64encode(hashlib.sha256(one).digest()).decode() for one in self._bodies}
        return found is not None and digests == {found[1]}

    def _decision_is_signed(self) -> bool | None:
        self._answer()
        return None if self._trusted is None else True

    def _keys_are_trusted(self) -> bool | None:
        if self._trusted is None:
            return None
        trusted = {_point(one) for one in self._trusted["keys"]}
        stated = self._json(KEYS)
        held = {_point(one) for one in stated["keys"]}
        return bool(held) and held <= trusted and _written(stated) == self._members[KEYS]

    def _request_is_answered(self) -> bool | None:
        if not self._bodies:
            return None
        said, base = self._decision(), self._members[BASE].decode("ascii")
        called, stated = _CALLED.search(base), _CREATED.search(base)
        if called is None or stated is None:
            return False
        if abs(int(stated[1]) - parse_rfc3339(said["at"]).timestamp()) > _YOUNG:
            return False
        return all(
            any(_is_answer_to(one, said) for one in _questions(called[1], json.loads(body)))
            for body in self._bodies
        )

    def _rule_is_named(self) -> bool:
        document = self._members[RULE]
        named = self._decision()["rule"]
        stated = json.loads(document)
        same = (named["id"], named["version"]) == (stated["rule_id"], stated["version"])
        return same and named["digest"] == hashlib.sha256(document).hexdigest()

    def _stands_in_the_log(self) -> bool:
        answer = self._answer()
        proved = verify_receipt(self._members[RECEIPT], self._policy, answer.promise["core_sha256"])
        core = json.loads(proved.entry.core)
        decision = dict(answer.decision)
        return (
            core["kind"] == "proof.answered"
            and core["object"]["id"] == decision["id"]
            and core["object"]["sha256"] == hashlib.sha256(canonical(decision)).hexdigest()
            and answer.promise["log"] == proved.checkpoint.origin
        )


def _questions(called: str, body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Give what a body asks, by the address that it was sent to; anywhere else nothing is asked."""
    if called.endswith(_BATCH):
        questions: Sequence[Mapping[str, Any]] = body["questions"]
        return questions
    return [body] if called.endswith(_QUESTION) else []


def _is_answer_to(asked: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    wanted = asked.get("requirements")
    return (
        said["case"] == asked["case"]
        and said["item"]["code"] == asked["item"]
        and said["purpose"] == asked["purpose"]
        and (not wanted or said["asked"] == wanted)
        and _subjects(asked) == {name: one["by"] for name, one in said.get("subjects", {}).items()}
    )


def _subjects(asked: Mapping[str, Any]) -> dict[str, str]:
    """Give by what a question names each subject; whom, the answer keeps as keyed digests of ours."""
    found = {}
    for one in asked.get("subjects") or ():
        if one.get("scheme") and one.get("code"):
            found[one["subject"]] = "code"
        elif (one.get("name") or "").strip():
            found[one["subject"]] = "name"
    return found


def _written(keys: Mapping[str, Any]) -> bytes:
    return json.dumps(keys, sort_keys=True).encode()


def _is_exact(part: str) -> bool:
    """Tell whether base64url stands as it is written, with no spare bit set."""
    data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() == part


def _point(key: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(str(key.get(name)) for name in ("kty", "crv", "x", "y", "kid", "use", "alg"))
