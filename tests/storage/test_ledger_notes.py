# SPDX-License-Identifier: Apache-2.0
"""Signed notes are C2SP's: a published example verifies; unknown keys are passed over, bad ones refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.ledger.encoding import from_base64, from_decimal
from storage.ledger.errors import LedgerFormatError, PolicyError, ProofRefusedError, QuorumError
from storage.ledger.notes import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    NoteSigner,
    Signature,
    VerifierKey,
    cosigned_bytes,
    open_checkpoint,
    parse_note,
    sign_note,
    verified_keys,
)
from storage.ledger.policies import parse_policy, single_log_policy
from storage.ledger.proofs import EMPTY_ROOT

# The example of the Go checksum database's note package.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
PETER_NOTE = (
    f"{PETER_TEXT}\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSN"
    "XgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

LOG = NoteSigner("log.cunzheng.invalid", bytes(range(32)))
HEAD = Checkpoint("log.cunzheng.invalid", 0, EMPTY_ROOT)


class Witness:
    """Cosigns as ledger-formats describes."""

    def __init__(self, name: str, seed: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = VerifierKey(name, COSIGNATURE, self._key.public_key().public_bytes_raw())

    def cosign(self, note: bytes, seconds: int = 1_700_000_000) -> bytes:
        parsed = parse_note(note)
        signed = self._key.sign(cosigned_bytes(seconds, parsed.text.encode()))
        line = Signature(self.key.name, self.key.id, seconds.to_bytes(8, "big") + signed)
        return Note(parsed.text, (*parsed.signatures, line)).to_bytes()


WITNESSES = [Witness(f"w{number}.cunzheng.invalid", number) for number in range(1, 4)]


def test_the_published_example_verifies_and_is_made_again() -> None:
    key = VerifierKey.parse(PETER)
    note = parse_note(PETER_NOTE)
    assert [one for one, _ in verified_keys(note, [key])] == [key]
    signer = NoteSigner.parse(PETER_PRIVATE)
    assert (str(signer.verifier), signer.private_text()) == (PETER, PETER_PRIVATE)
    assert sign_note(PETER_TEXT, [signer]) == PETER_NOTE


def test_a_checkpoint_of_the_empty_tree_is_three_lines() -> None:
    assert HEAD.text() == "log.cunzheng.invalid\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert open_checkpoint(sign_note(HEAD.text(), [LOG]), [LOG.verifier])[0] == HEAD


def test_a_text_with_empty_lines_is_split_at_the_last_one() -> None:
    note = sign_note("one\n\n\ntwo\n", [LOG])
    assert parse_note(note).text == "one\n\n\ntwo\n"
    assert verified_keys(parse_note(note), [LOG.verifier])


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    stranger = NoteSigner("stranger.invalid", bytes(32))
    note = parse_note(sign_note("text\n", [stranger, LOG]))
    assert [key for key, _ in verified_keys(note, [LOG.verifier])] == [LOG.verifier]


def test_name_and_id_must_both_match_for_a_key_to_be_known() -> None:
    namesake = NoteSigner(LOG.name, bytes(32))
    with pytest.raises(ProofRefusedError, match="no-known"):
        verified_keys(parse_note(sign_note("text\n", [namesake])), [LOG.verifier])


def test_a_known_key_whose_signature_fails_refuses_the_note_even_beside_a_good_one() -> None:
    other = NoteSigner("other.invalid", bytes(32))
    good, bad = other.sign("text\n"), LOG.sign("another\n")
    with pytest.raises(ProofRefusedError, match="note-signature"):
        verified_keys(Note("text\n", (good, bad)), [other.verifier, LOG.verifier])


def test_a_checkpoint_signed_by_another_origin_is_refused() -> None:
    other = NoteSigner("other.invalid", bytes(32))
    with pytest.raises(ProofRefusedError):
        open_checkpoint(sign_note(HEAD.text(), [other]), [other.verifier, LOG.verifier])


GOOD = sign_note(HEAD.text(), [LOG])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        GOOD[:-1],
        GOOD.replace(b"\n\n", b"\n"),
        GOOD.replace("— ".encode(), b"- "),
        GOOD + b"\n",
        GOOD.replace(b"log.c", b"log\tc"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"=\n", b"\n"),
        b"\xff" + GOOD,
        GOOD + GOOD.split(b"\n\n")[1] * 64,
        b"a" * 70_000 + GOOD,
    ],
    ids=range(13),
)
def test_malformed_notes_are_refused(data: bytes) -> None:
    with pytest.raises(LedgerFormatError):
        open_checkpoint(data, [LOG.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "log.cunzheng.invalid\n00\n{root}\n",
        "log.cunzheng.invalid\n+1\n{root}\n",
        "log.cunzheng.invalid\n１\n{root}\n",
        "log.cunzheng.invalid\n9223372036854775808\n{root}\n",
        "log.cunzheng.invalid\n1\nAAAA\n",
        "log.cunzheng.invalid\n1\n",
        "log.cunzheng.invalid\n1\n\n{root}\n",
        "\n1\n{root}\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    note = sign_note(text.format(root=HEAD.text().split("\n")[2]), [LOG])
    with pytest.raises((LedgerFormatError, ProofRefusedError)):
        open_checkpoint(note, [LOG.verifier])


@pytest.mark.parametrize("text", ["A===", "AAA", "AB==", "AA =", "A_==", "AAAA\n"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(LedgerFormatError):
        from_base64(text)


@pytest.mark.parametrize("text", ["", "01", "-1", "+1", " 1", "1_0", "１", str(2**63)])
def test_decimals_have_one_spelling(text: str) -> None:
    with pytest.raises(LedgerFormatError):
        from_decimal(text)


@pytest.mark.parametrize(
    "text", ["a+b", "+c74f20a3+AAAA", PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("Peter", "P ter")]
)
def test_malformed_verifier_keys_are_refused(text: str) -> None:
    with pytest.raises(LedgerFormatError):
        VerifierKey.parse(text)


def test_a_key_name_may_hold_neither_space_nor_plus() -> None:
    for name in ("", "a b", "a+b", "a\nb", "a\u3000b"):
        with pytest.raises(LedgerFormatError):
            NoteSigner(name, bytes(32))
    assert (
        VerifierKey("名", ED25519, bytes(32)).id == VerifierKey.parse(str(VerifierKey("名", 1, bytes(32)))).id
    )


def witnessed(quorum: str) -> str:
    lines = [f"log {LOG.verifier} https://log.cunzheng.invalid/ # ours"]
    lines += [f"witness W{number} {one.key}" for number, one in enumerate(WITNESSES, 1)]
    lines += ["group two 2 W1 W2 W3", "group every all W1 two", "group some any W2 W3"]
    return "\n".join([*lines, "", f"quorum {quorum}"])


@pytest.mark.parametrize(
    ("quorum", "signed", "holds"),
    [
        ("none", [], True),
        ("W1", [0], True),
        ("W1", [1], False),
        ("two", [0], False),
        ("two", [0, 2], True),
        ("every", [1, 2], False),
        ("every", [0, 1], True),
        ("some", [0], False),
        ("some", [2], True),
    ],
)
def test_a_quorum_is_reached_by_the_cosignatures_that_the_policy_names(
    quorum: str, signed: list[int], holds: bool
) -> None:
    policy, note = parse_policy(witnessed(quorum)), GOOD
    for number in signed:
        note = WITNESSES[number].cosign(note)
    if holds:
        assert policy.open(note)[0] == HEAD
    else:
        with pytest.raises(QuorumError):
            policy.open(note)


def test_a_cosignature_whose_time_was_changed_is_refused() -> None:
    note = WITNESSES[0].cosign(GOOD)
    parsed = parse_note(note)
    last = parsed.signatures[-1]
    moved = Signature(last.name, last.key_id, (1).to_bytes(8, "big") + last.blob[8:])
    with pytest.raises(ProofRefusedError):
        parse_policy(witnessed("none")).open(Note(parsed.text, (*parsed.signatures[:-1], moved)).to_bytes())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("quorum none", "log-and-quorum-needed"),
        (f"log {LOG.verifier}", "log-and-quorum-needed"),
        (f"log {LOG.verifier}\nquorum none\nquorum none", "quorum"),
        (f"log {LOG.verifier}\nlog {LOG.verifier}", "key-twice"),
        (f"log {LOG.verifier}\nquorum W1", "quorum"),
        (f"log {WITNESSES[0].key}", "key-type"),
        (f"witness W1 {LOG.verifier}", "key-type"),
        (f"witness none {WITNESSES[0].key}", "name-taken"),
        (f"witness W1 {WITNESSES[0].key}\nwitness W1 {WITNESSES[1].key}", "name-taken"),
        (f"witness W1 {WITNESSES[0].key}\ngroup g 2 W1", "threshold"),
        (f"witness W1 {WITNESSES[0].key}\ngroup g 0 W1", "threshold"),
        (f"witness W1 {WITNESSES[0].key}\ngroup g 1 W1 W1", "member-twice"),
        ("group g all W1", "member-unknown"),
        ("trust everybody", "line"),
        ("log not-a-key", "vkey"),
    ],
)
def test_malformed_policies_are_refused_with_their_line(text: str, rule: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    assert refused.value.facts["rule"] == rule
    assert refused.value.facts["line"] == text.count("\n") + 1


def test_the_policy_that_we_export_trusts_our_log_alone() -> None:
    policy = parse_policy(single_log_policy(LOG.verifier, "https://log.cunzheng.invalid/"))
    assert (policy.logs, policy.quorum) == ((LOG.verifier,), None)
