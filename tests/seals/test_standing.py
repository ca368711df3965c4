# SPDX-License-Identifier: Apache-2.0
"""Register, revocation and time decide about seals whose bytes are in order."""

import datetime as dt
import io
import random

import pytest
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from press import Press, seal_with, verdict
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext

from seals import cms, signer
from seals.containers import find
from seals.demo_pki import DemoPki
from seals.demo_tsa import DemoTsa
from seals.orders import Placement, SealedDocument
from seals.signatures import parse
from seals.trust import StateChange, TrustList
from seals.verdicts import State
from seals.verification import KnownDocument, verify_detached, verify_pdf
from storage.clock import RandomIds


@pytest.fixture
def sealed(press: Press, page: bytes) -> SealedDocument:
    return press.seal(page, Placement(1, 120, 200, 42))


def test_a_seal_revoked_after_use_cannot_be_told(press: Press, sealed: SealedDocument) -> None:
    start = press.clock.now()
    press.clock.advance(60)
    revoked = press.registered(
        StateChange(start - dt.timedelta(days=1), "enabled"), StateChange(press.clock.now(), "revoked")
    )
    found = verdict(press, sealed.data, revoked, sealed.facts.after_sha256)
    assert (found.state, found.reasons[0]) == (State.INDETERMINATE, "seal-revoked-after")


def test_the_published_list_says_the_same_to_a_stranger(
    press: Press, sealed: SealedDocument, page: bytes
) -> None:
    press.clock.advance(60)
    serial = x509.load_der_x509_certificate(press.pki.certificate("housing")).serial_number
    press.pki.write_revocations({serial: press.clock.now()})
    after = verify_pdf(sealed.data, press.pki.trust(), None, press.clock.now())
    assert after.reasons == ("seal-revoked-after",)
    press.clock.advance(60)
    late = seal_with(press, page, press.pki.tsa(RandomIds()).stamp)
    found = verify_pdf(late, press.pki.trust(), None, press.clock.now())
    assert (found.state, found.reasons) == (State.INVALID, ("seal-revoked-before",))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["registered"], "seal-not-enabled"),
        (["enabled", "suspended"], "seal-not-enabled"),
        (["enabled", "revoked"], "seal-revoked-before"),
    ],
)
def test_the_seals_state_at_sealing_time_decides(
    press: Press, sealed: SealedDocument, states: list[str], expected: str
) -> None:
    start = press.clock.now() - dt.timedelta(days=9)
    history = [StateChange(start + dt.timedelta(days=n), state) for n, state in enumerate(states)]
    found = verdict(press, sealed.data, press.registered(*history))
    assert (found.state, found.reasons[0]) == (State.INVALID, expected)


def test_a_later_suspension_changes_nothing(press: Press, sealed: SealedDocument) -> None:
    history = [
        StateChange(press.clock.now() - dt.timedelta(days=1), "enabled"),
        StateChange(press.clock.now() + dt.timedelta(hours=1), "suspended"),
    ]
    press.clock.advance(7200)
    assert verdict(press, sealed.data, press.registered(*history)).state is State.VALID


def test_a_seal_outside_the_register_cannot_be_told(press: Press, sealed: SealedDocument) -> None:
    assert verdict(press, sealed.data, press.pki.trust().with_seals([])).reasons == ("seal-not-registered",)


def test_without_revocation_information_nothing_is_valid(press: Press, sealed: SealedDocument) -> None:
    bare = TrustList([press.pki.root])
    assert verdict(press, sealed.data, bare).reasons == ("revocation-unknown",)


def test_a_foreign_certificate_in_the_container_is_noticed(press: Press, page: bytes, pki: DemoPki) -> None:
    stranger = pki.certificate("market")
    signatory = cms.Signatory.of(pki.certificate("housing"), "seal-housing", pki.keys, (stranger,))
    prepared = signer.prepare(page, signatory, at=press.clock.now(), name="示例市局", reason="x", stamp=None)
    crowded = prepared.fill(cms.sign(signatory, digest=prepared.digest, stamp=pki.tsa(RandomIds()).stamp))
    assert verdict(press, crowded).reasons == ("container-certificates",)


def test_no_byte_of_a_registered_seals_own_encoding_can_change(press: Press, sealed: SealedDocument) -> None:
    (container,) = find(sealed.data)
    first, signature, trust = container.byte_range[1], container.cms, press.registered()
    token = parse(signature).token
    assert token is not None
    stamped = range(signature.index(token), signature.index(token) + len(token))
    outside = [position for position in range(len(signature)) if position not in stamped]
    # All of the wrapping at the start, then a sample: the middle is certificate and signed attributes.
    for position in [*outside[:60], *outside[60::23]]:
        changed = bytearray(signature)
        changed[position] ^= 0x10
        digits = changed.hex().upper().encode()
        file = sealed.data[: first + 1] + digits + sealed.data[first + 1 + len(digits) :]
        assert not verdict(press, file, trust).is_valid, position


def test_detached_seals_hold_for_exactly_these_bytes(press: Press) -> None:
    data = b'{"manifest": 1}'
    sealed = press.service.perform_detached(press.order(), data)
    trust, now = press.registered(), press.clock.now()
    good = verify_detached(data, sealed.data, trust, now)
    assert (good.state, good.signatures[0].sealed_at) == (State.VALID, now)
    assert verify_detached(data + b" ", sealed.data, trust, now).reasons == ("changed-in-signed-range",)
    known = KnownDocument(sealed.facts.after_sha256)
    source = random.Random(5)
    for _ in range(100):
        changed = bytearray(sealed.data)
        changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
        assert not verify_detached(data, bytes(changed), trust, now, known).is_valid


def test_the_trust_list_survives_being_written_down(press: Press, sealed: SealedDocument) -> None:
    copied = TrustList.from_json(press.registered().as_json())
    assert verdict(press, sealed.data, copied).as_json() == verdict(press, sealed.data).as_json()


class _Adapter(TimeStamper):  # type: ignore[misc]  # pyHanko's base is seen as untyped
    """Lets pyHanko's own archiving code ask our authority, as foreign software would."""

    def __init__(self, authority: DemoTsa) -> None:
        super().__init__()
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._authority.respond(req.dump()))


def test_a_document_time_stamp_is_a_permitted_change_and_is_judged(
    press: Press, sealed: SealedDocument, tsa: DemoTsa
) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed.data))
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(press.pki.root)], allow_fetching=False
    )
    stamper = PdfTimeStamper(_Adapter(tsa), field_name="Archive")
    stamped = stamper.timestamp_pdf(writer, "sha256", context).getvalue()
    found = verify_pdf(stamped, press.pki.trust(), None, press.clock.now())
    assert found.state is State.VALID_WITH_CHANGES
    assert [report.kind for report in found.signatures] == ["certification", "timestamp"]
    # Evidence was added after the stamp, which is permitted too.
    assert found.signatures[1].reasons == ("later-permitted-changes",)
    assert found.signatures[1].sealed_at == press.clock.now()
    changed = bytearray(stamped)
    changed[-40] ^= 1
    assert not verify_pdf(bytes(changed), press.pki.trust(), None, press.clock.now()).is_valid
    known = KnownDocument(sealed.facts.after_sha256)
    assert verify_pdf(stamped, press.pki.trust(), known, press.clock.now()).state is State.INVALID
