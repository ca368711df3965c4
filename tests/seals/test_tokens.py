# SPDX-License-Identifier: Apache-2.0
"""A time-stamp token is believed only when every part of it holds, and each failure has its own name."""

import datetime as dt
import hashlib
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms
from cryptography import x509
from fakes import HandClock

from seals import demo_pki, tokens
from seals.demo_pki import DEMO_TSA_POLICY, DemoPki
from seals.demo_tsa import DemoTsa
from seals.errors import DemoInProductionError, TokenRefusedError
from seals.keys import FileKeyStore
from seals.trust import Revocation, TrustList
from storage.clock import RandomIds

DATA = b"some data"
IMPRINT = hashlib.sha256(DATA).digest()


def reason(token: bytes, trust: TrustList, imprint: bytes = IMPRINT, **options: object) -> str:
    with pytest.raises(TokenRefusedError) as caught:
        tokens.verify_token(token, imprint, trust, **options)  # type: ignore[arg-type]
    return str(caught.value.facts["reason"])


def test_a_good_token_gives_time_serial_and_authority(pki: DemoPki, tsa: DemoTsa, clock: HandClock) -> None:
    first = tokens.verify_token(tsa.stamp(IMPRINT), IMPRINT, pki.trust())
    second = tokens.verify_token(tsa.stamp(IMPRINT), IMPRINT, pki.trust())
    assert first.gen_time == clock.now()
    assert first.serial != second.serial
    assert first.policy == DEMO_TSA_POLICY
    assert "演示" in first.authority
    assert first.revocation is Revocation.GOOD
    assert tokens.TrustedTokens(pki.trust()).verify(tsa.stamp(IMPRINT), IMPRINT) == clock.now()


def test_sub_second_times_survive(pki: DemoPki, tsa: DemoTsa, clock: HandClock) -> None:
    clock.at = clock.at.replace(microsecond=120_500)
    assert tokens.verify_token(tsa.stamp(IMPRINT), IMPRINT, pki.trust()).gen_time == clock.at


@pytest.mark.conformance
def test_openssl_accepts_tokens_and_answers(
    pki: DemoPki, tsa: DemoTsa, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    openssl = require_tool("openssl")
    query = tokens.request(IMPRINT, nonce=77)
    parts = {"data": DATA, "token": tsa.stamp(IMPRINT), "query": query, "answer": tsa.respond(query)}
    for name, content in parts.items():
        (tmp_path / name).write_bytes(content)
    common = ["-attime", str(int(pki.clock.now().timestamp()) + 1), "-CAfile", str(pki.folder / "root.pem")]
    for arguments in (
        ["-data", "data", "-in", "token", "-token_in"],
        ["-queryfile", "query", "-in", "answer"],
    ):
        done = subprocess.run(
            [openssl, "ts", "-verify", *arguments, *common], cwd=tmp_path, capture_output=True, check=False
        )
        assert b"Verification: OK" in done.stdout, done.stderr


def test_another_digest_is_noticed(pki: DemoPki, tsa: DemoTsa) -> None:
    assert reason(tsa.stamp(hashlib.sha256(b"other").digest()), pki.trust()) == "token-imprint"


def test_nonce_must_come_back(pki: DemoPki, tsa: DemoTsa) -> None:
    answer = tokens.read_response(tsa.respond(tokens.request(IMPRINT, nonce=9)))
    assert tokens.verify_token(answer, IMPRINT, pki.trust(), nonce=9).serial
    assert reason(answer, pki.trust(), nonce=10) == "token-nonce"


def test_sm3_imprints_are_stamped_and_told_apart(pki: DemoPki, tsa: DemoTsa) -> None:
    imprint = hashlib.new("sm3", DATA).digest()
    token = tsa.stamp(imprint, "sm3")
    assert tokens.verify_token(token, imprint, pki.trust(), algorithm="sm3").algorithm == "sm3"
    assert reason(token, pki.trust(), imprint) == "token-imprint"


def test_a_rejection_is_not_a_token(tsa: DemoTsa) -> None:
    for bad in (b"", b"garbage", tokens.request(b"short"), tokens.request(IMPRINT)[:-4]):
        with pytest.raises(TokenRefusedError) as caught:
            tokens.read_response(tsa.respond(bad))
        assert caught.value.facts["reason"] == "token-status"


def test_a_forged_signature_is_noticed(pki: DemoPki, tsa: DemoTsa) -> None:
    token = tsa.stamp(IMPRINT)
    assert reason(token[:-256] + bytes(256), pki.trust()) == "token-signature"


def test_no_changed_byte_is_believed(pki: DemoPki, tsa: DemoTsa) -> None:
    token, trust = tsa.stamp(IMPRINT), pki.trust()
    good = tokens.verify_token(token, IMPRINT, trust)
    for position in range(0, len(token), 7):
        changed = bytearray(token)
        changed[position] ^= 0x41
        try:
            found = tokens.verify_token(bytes(changed), IMPRINT, trust)
        except TokenRefusedError:
            continue
        assert found == good, f"byte {position} changes what the token says"


def test_an_unknown_authority_is_named(tmp_path: Path, pki: DemoPki, clock: HandClock) -> None:
    other = demo_pki.create(tmp_path / "other", FileKeyStore(tmp_path / "otherkeys"), clock)
    assert reason(other.tsa(RandomIds()).stamp(IMPRINT), pki.trust()) == "token-issuer-unknown"


def test_a_seal_is_no_time_stamp_authority(pki: DemoPki, clock: HandClock) -> None:
    impostor = DemoTsa(pki.signatory("housing"), DEMO_TSA_POLICY, clock, RandomIds())
    assert reason(impostor.stamp(IMPRINT), pki.trust()) == "token-purpose"


def test_an_expired_authority_is_named(pki: DemoPki, tsa: DemoTsa, clock: HandClock) -> None:
    clock.advance(3600 * 24 * 366 * 9)
    assert reason(tsa.stamp(IMPRINT), pki.trust()) == "token-expired"


def test_revocation_counts_from_its_instant(pki: DemoPki, tsa: DemoTsa, clock: HandClock) -> None:
    early = tsa.stamp(IMPRINT)
    clock.advance(60)
    certificate = x509.load_pem_x509_certificate((pki.folder / "tsa.pem").read_bytes())
    pki.write_revocations({certificate.serial_number: clock.now() - dt.timedelta(seconds=30)})
    assert reason(tsa.stamp(IMPRINT), pki.trust()) == "token-revoked"
    before = tokens.verify_token(early, IMPRINT, pki.trust())
    assert before.revocation is Revocation.REVOKED


def test_opening_the_authority_renews_an_ageing_list_and_keeps_its_entries(
    pki: DemoPki, clock: HandClock
) -> None:
    pki.write_revocations({77: clock.now()})
    clock.advance(80 * 24 * 3600)
    demo_pki.create(pki.folder, pki.keys, clock)
    listed = x509.load_pem_x509_crl((pki.folder / "root.crl").read_bytes())
    assert [entry.serial_number for entry in listed] == [77]
    assert listed.next_update_utc == clock.now() + dt.timedelta(days=90)


def test_those_who_revoke_at_once_lose_no_entry_of_each_other(pki: DemoPki, clock: HandClock) -> None:
    serials = range(100, 112)
    with ThreadPoolExecutor(len(serials)) as pool:
        list(pool.map(lambda serial: pki.write_revocations({serial: clock.now()}), serials))
    listed = x509.load_pem_x509_crl((pki.folder / "root.crl").read_bytes())
    assert {entry.serial_number for entry in listed} == set(serials)


def test_without_a_list_revocation_is_unknown_and_an_old_list_is_stale(
    pki: DemoPki, tsa: DemoTsa, clock: HandClock
) -> None:
    token = tsa.stamp(IMPRINT)
    bare = TrustList([pki.root])
    assert tokens.verify_token(token, IMPRINT, bare).revocation is Revocation.UNKNOWN
    later = clock.now() + dt.timedelta(days=91)
    assert tokens.verify_token(token, IMPRINT, pki.trust(), now=later).revocation is Revocation.STALE


def test_unsorted_certificates_do_not_matter(pki: DemoPki, tsa: DemoTsa) -> None:
    parsed = asn1_cms.ContentInfo.load(tsa.stamp(IMPRINT))
    certificates = parsed["content"]["certificates"]
    certificates.append(asn1_cms.CertificateChoices.load(pki.root))
    for order in (certificates, reversed(list(certificates))):
        parsed["content"]["certificates"] = list(order)
        assert tokens.verify_token(parsed.dump(force=True), IMPRINT, pki.trust()).serial


def test_the_demonstration_refuses_production(
    pki: DemoPki, tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUNZHENG_ENVIRONMENT", "production")
    makers: list[Callable[[], object]] = [
        lambda: FileKeyStore(tmp_path / "k"),
        lambda: demo_pki.create(tmp_path / "p", pki.keys, clock),
        lambda: pki.tsa(RandomIds()),
    ]
    for make in makers:
        with pytest.raises(DemoInProductionError):
            make()
