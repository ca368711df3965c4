# SPDX-License-Identifier: Apache-2.0
"""Verdicts are honest: nothing but a completed check is valid, and each attack has its own reason."""

import hashlib
import io
import random
import re
from collections.abc import Callable

import pikepdf
import pytest
from fakes import HandClock
from press import Press, seal_with, verdict
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seals import cms, demo_pki, signer
from seals.containers import find, signed_digests
from seals.demo_tsa import DemoTsa
from seals.keys import FileKeyStore
from seals.orders import Placement, SealedDocument
from seals.tokens import TimestampAuthority
from seals.verdicts import State, Verdict, reasons
from seals.verification import verify_pdf
from storage.clock import RandomIds

STAMP = Placement(1, 120, 200, 42)


@pytest.fixture
def sealed(press: Press, page: bytes) -> SealedDocument:
    return press.seal(page, STAMP)


def update(data: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """Append a revision, as an editor would."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_an_untouched_file_is_valid_and_says_who_when_and_what(press: Press, sealed: SealedDocument) -> None:
    found = verdict(press, sealed.data, known=sealed.facts.after_sha256)
    assert found.state is State.VALID
    assert found.reasons == ("seal-holds", "identical-to-stored")
    (report,) = found.signatures
    assert report.kind == "certification"
    assert report.covers_whole_file
    assert report.seal_name == "示例市住房和城乡建设局"
    assert report.department == "housing"
    assert report.sealed_at == press.clock.now()
    assert report.token_serial == sealed.facts.token_serial
    assert report.signed_sha256 == sealed.facts.signed_sha256
    assert signed_digests(sealed.data) == (sealed.facts.signed_sha256,)
    assert found.exit_code == 0
    assert Verdict.from_json(found.as_json()) == found


def test_every_reason_has_sentences_and_a_rule() -> None:
    for reason in reasons().values():
        assert re.search(r"[\u4e00-\u9fff]", reason.zh)
        assert reason.en
        assert reason.rule


@pytest.mark.parametrize("tail", [b"\n", b" \r\n\t\0", b"\n" * 5000])
def test_trailing_white_space_keeps_the_verdict(press: Press, sealed: SealedDocument, tail: bytes) -> None:
    found = verdict(press, sealed.data + tail, known=sealed.facts.after_sha256)
    assert found.state is State.VALID
    assert set(found.reasons) == {"seal-holds", "identical-to-stored", "trailing-white-space"}


def test_no_changed_byte_of_a_known_file_is_valid(press: Press, sealed: SealedDocument) -> None:
    source, trust = random.Random(3), press.registered()
    (container,) = find(sealed.data)
    gap = range(container.byte_range[1], container.byte_range[2])
    for _ in range(300):
        changed = bytearray(sealed.data)
        position = source.randrange(len(changed))
        changed[position] ^= 1 << source.randrange(8)
        found = verdict(press, bytes(changed), trust, sealed.facts.after_sha256)
        assert not found.is_valid
        if position not in gap:
            assert found.state in {State.INVALID, State.UNSUPPORTED}


def test_a_changed_container_is_named_even_where_the_file_is_unknown(
    press: Press, sealed: SealedDocument
) -> None:
    (container,) = find(sealed.data)
    first, second = container.byte_range[1:3]
    for position, digit, code in (
        (second - 2, b"1", "container-padding"),
        (second - 2, b"x", "container-hex"),
        (first, b"(", "container-hex"),
        (first + 1 + sealed.data[first + 1 : second].index(b"A"), b"a", "container-hex"),
    ):
        changed = sealed.data[:position] + digit + sealed.data[position + 1 :]
        assert verdict(press, changed).reasons == (code,)


def test_another_container_over_the_same_bytes_is_not_the_stored_file(press: Press, page: bytes) -> None:
    first = press.seal(page)
    (container,) = find(first.data)
    signatory = press.pki.signatory("housing")
    tsa = press.pki.tsa(RandomIds())
    again = cms.sign(signatory, digest=container.digest(first.data), stamp=tsa.stamp).hex().upper().encode()
    start, stop = container.byte_range[1] + 1, container.byte_range[2] - 1
    swapped = first.data[:start] + again.ljust(stop - start, b"0") + first.data[stop:]
    assert verdict(press, swapped).state is State.VALID
    found = verdict(press, swapped, known=first.facts.after_sha256)
    assert found.state is State.INVALID
    assert found.reasons[0] == "differs-from-stored"


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (rb"/Contents <[0-9A-F]+>", b"/Contents null"),
        (rb"/Contents <[0-9A-F]+>", b"/Contents <00>"),
        (rb"/Contents <[0-9A-F]+>", b""),
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange null"),
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange [0 0 0 0]"),
        (rb"/ByteRange \[[^\]]*\]", b"/ByteRange [0 -1 5 9]"),
        (rb"/ByteRange \[[^\]]*\]", b""),
    ],
)
def test_hollow_fields_are_never_valid(
    press: Press, sealed: SealedDocument, pattern: bytes, replacement: bytes
) -> None:
    found = re.search(pattern, sealed.data)
    assert found is not None
    padded = replacement.ljust(len(found[0]))
    hollow = sealed.data[: found.start()] + padded + sealed.data[found.end() :]
    assert verdict(press, hollow).state in {State.INVALID, State.UNSUPPORTED}


def test_an_enlarged_gap_is_noticed(press: Press, sealed: SealedDocument) -> None:
    (container,) = find(sealed.data)
    _, first, second, length = container.byte_range
    hidden = b"%hidden\n"
    numbers = f"[0 {first} {second + len(hidden)} {length}]".encode()
    wrapped = sealed.data[:second] + hidden + sealed.data[second:]
    stated = re.search(rb"/ByteRange (\[[^\]]*\])", wrapped)
    assert stated is not None
    wrapped = wrapped[: stated.start(1)] + numbers.ljust(len(stated[1])) + wrapped[stated.end(1) :]
    assert verdict(press, wrapped).state is State.INVALID


def test_content_added_later_is_named(press: Press, sealed: SealedDocument) -> None:
    def overwrite(writer: IncrementalPdfFileWriter) -> None:
        stream = generic.StreamObject(stream_data=b"1 0 0 rg 0 0 300 300 re f")
        writer.add_stream_to_page(0, writer.add_object(stream))  # type: ignore[no-untyped-call]

    found = verdict(press, update(sealed.data, overwrite))
    assert found.state is State.INVALID
    assert "changed-after-sealing" in found.reasons


def test_an_annotation_added_later_is_named(press: Press, sealed: SealedDocument) -> None:
    def annotate(writer: IncrementalPdfFileWriter) -> None:
        note = generic.DictionaryObject(  # type: ignore[no-untyped-call]
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/FreeText"),
                pdf_name("/Rect"): generic.ArrayObject(
                    generic.NumberObject(edge)  # type: ignore[no-untyped-call]
                    for edge in (50, 50, 300, 300)
                ),
                pdf_name("/Contents"): generic.pdf_string("paid"),
            }
        )
        writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), writer.add_object(note))

    found = verdict(press, update(sealed.data, annotate))
    assert found.state is State.INVALID
    assert "changed-after-sealing" in found.reasons


def test_replaced_metadata_is_named(press: Press, sealed: SealedDocument) -> None:
    def replace(writer: IncrementalPdfFileWriter) -> None:
        stream = writer.root["/Metadata"]
        xmp = stream.data.replace("卷内目录".encode(), "另一份件".encode())
        assert xmp != stream.data
        stream._data = xmp
        stream._encoded_data = None
        writer.mark_update(writer.root.raw_get("/Metadata"))

    found = verdict(press, update(sealed.data, replace))
    assert found.state is State.INVALID
    assert {"metadata-replaced", "changed-after-sealing"} & set(found.reasons)


def test_an_object_appended_without_a_table_is_named(press: Press, sealed: SealedDocument) -> None:
    appended = sealed.data + b"\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    assert verdict(press, appended).state in {State.INVALID, State.UNSUPPORTED}


@pytest.mark.parametrize("certified", [True, False])
def test_a_later_signature_must_not_cover_the_page(
    press: Press, page: bytes, tsa: DemoTsa, certified: bool
) -> None:
    first = press.seal(page).data if certified else approve(press, page, tsa, "First", box=(10, 10, 60, 60))
    covered = approve(press, first, tsa, "Second", box=(0, 0, 595, 842))
    found = verify_pdf(covered, press.pki.trust(), None, press.clock.now())
    assert found.state is State.INVALID
    assert "changed-after-sealing" in found.reasons


def test_a_later_invisible_signature_is_a_permitted_change(press: Press, page: bytes, tsa: DemoTsa) -> None:
    both = approve(press, press.seal(page).data, tsa, "Second", box=None)
    found = verify_pdf(both, press.pki.trust(), None, press.clock.now())
    assert found.state is State.VALID_WITH_CHANGES
    assert [report.state for report in found.signatures] == [State.VALID_WITH_CHANGES, State.VALID]
    assert found.signatures[0].changes == "form_filling"


def approve(
    press: Press, pdf: bytes, tsa: DemoTsa, name: str, box: tuple[int, int, int, int] | None
) -> bytes:
    """Add an approval signature by the other department, as foreign software would."""
    from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter  # noqa: PLC0415
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner  # noqa: PLC0415

    signatory = press.pki.signatory("market")
    pdf_signer = PdfSigner(
        PdfSignatureMetadata(field_name=name, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES),
        signer=signer._CachedSigner(signatory),
        new_field_spec=SigFieldSpec(name, box=box),
    )
    session = pdf_signer.init_signing_session(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    document = session.prepare_tbs_document(None, 20_000, None)
    prepared, out = document.digest_tbs_document(output=io.BytesIO())
    prepared.fill_with_cms(out, cms.sign(signatory, digest=prepared.document_digest, stamp=tsa.stamp))
    assert isinstance(out, io.BytesIO)
    return out.getvalue()


def test_a_removed_signature_field_is_named(press: Press, sealed: SealedDocument) -> None:
    def remove(writer: IncrementalPdfFileWriter) -> None:
        del writer.root["/AcroForm"]
        writer.update_root()  # type: ignore[no-untyped-call]

    assert verdict(press, update(sealed.data, remove)).reasons == ("signature-structure",)


def test_an_unsigned_file_cannot_be_told(press: Press, page: bytes) -> None:
    found = verdict(press, page)
    assert found.state is State.INDETERMINATE
    assert found.sentences("zh") == ["文件没有电子印章。"]
    assert found.exit_code == 2


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"hello", b"%PDF-1.7\n" + b"/ByteRange [0 1 5 1]" * 3])
def test_rubbish_is_never_valid(press: Press, data: bytes) -> None:
    assert not verdict(press, data).is_valid


def test_an_encrypted_file_is_unsupported(press: Press, page: bytes) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(page)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert verdict(press, out.getvalue()).reasons == ("encrypted",)


def test_a_signed_pdf_embedded_uncompressed_is_not_mistaken_for_the_file(
    press: Press, page: bytes, sealed: SealedDocument
) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(page)) as document:
        document.attachments["inner.pdf"] = sealed.data
        document.save(out, compress_streams=False)
    assert verdict(press, out.getvalue()).reasons == ("no-seal",)


def test_certificates_in_the_file_are_never_anchors(
    press: Press, page: bytes, clock: HandClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("impostor")
    departments = [("housing", "示例市住房和城乡建设局")]
    other = demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), clock, departments)
    impostor = cms.Signatory.of(other.certificate("housing"), "seal-housing", other.keys, (other.root,))
    prepared = signer.prepare(page, impostor, at=clock.now(), name="示例市局", reason="x", stamp=None)
    forged = prepared.fill(cms.sign(impostor, digest=prepared.digest, stamp=other.tsa(RandomIds()).stamp))
    found = verdict(press, forged)
    assert found.state is State.INDETERMINATE
    assert set(found.reasons) == {"issuer-unknown", "token-issuer-unknown"}
    assert "签发机构不在本机信任名录。" in found.sentences("zh")


def zeroed(authority: TimestampAuthority) -> Callable[[bytes], bytes]:
    return lambda imprint: authority.stamp(imprint)[:-384] + bytes(384)


def test_forged_and_foreign_tokens_are_invalid(press: Press, page: bytes, tsa: DemoTsa) -> None:
    other = hashlib.sha256(b"another document").digest()
    forged = verdict(press, seal_with(press, page, zeroed(tsa)))
    foreign = verdict(press, seal_with(press, page, lambda _: tsa.stamp(other)))
    assert (forged.state, forged.reasons) == (State.INVALID, ("token-signature",))
    assert (foreign.state, foreign.reasons) == (State.INVALID, ("token-imprint",))


def test_without_a_token_the_time_is_not_proven(press: Press, page: bytes) -> None:
    assert verdict(press, seal_with(press, page, None)).reasons == ("no-trusted-time",)
