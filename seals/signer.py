# SPDX-License-Identifier: Apache-2.0
"""Put a certifying PAdES signature into a PDF: pyHanko lays out the PDF, our own CMS goes in.

The file gains exactly one revision: the signature, its field and, where asked for, the visible seal.
Metadata is left alone. The certification permits only signatures and time stamps afterwards (P=2),
which together with single-revision input is what stops covering-signature and shadow attacks.
"""

import datetime as dt
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner
from pyhanko.stamp.base import BaseStampStyle

from seals import appearance, cms
from seals.orders import Placement
from seals.presealing import UnsealableError

FIELD = "Seal"
_EMPTY = zlib.compress(b"")
_RESERVED = 6_144
_POINTS_PER_MM = 72 / 25.4


class _Revision(IncrementalPdfFileWriter):
    """Leaves document information and XMP as they are; pyHanko would rewrite both."""

    def _update_meta(self) -> None:
        return


class _CachedSigner(Signer):
    """Tells pyHanko the certificate; the signature itself is made by :mod:`seals.cms`.

    pyHanko's own signers reload the key and re-encode every certificate for each signature, some 30 to
    250 ms per document.
    """

    def __init__(self, signatory: cms.Signatory) -> None:
        super().__init__(signing_cert=asn1_x509.Certificate.load(signatory.certificate))
        self._signatory = signatory

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign with the cached key, or give a placeholder of the right size in a dry run."""
        if dry_run:
            return bytes(512)
        if digest_algorithm != "sha256":
            raise NotImplementedError
        return self._signatory.keys.sign(self._signatory.key, data)


class _EsicOnlySigner(PdfSigner):
    """Registers the PAdES extension only; for P-256 pyHanko would raise the catalog to PDF 2.0."""

    def register_extensions(self, pdf_out: Any, *, md_algorithm: str) -> None:  # noqa: ANN401, ARG002 - signature given
        """Register ESIC, which keeps the catalog at PDF 1.7 as PDF/A-3 demands."""
        pdf_out.ensure_output_version(version=(1, 7))
        pdf_out.register_extension(ESIC_EXTENSION_1)


@dataclass(frozen=True)
class _VectorSeal(BaseStampStyle):
    """Gives the widget one deflated form XObject with the seal's outlines."""

    content: bytes = b""

    def create_stamp(self, writer: Any, box: Any, text_params: Any) -> Any:  # noqa: ANN401, ARG002 - signature given
        """Give an object that pyHanko asks to apply itself to the widget."""
        return _VectorStamp(writer, self.content)


class _VectorStamp:
    def __init__(self, writer: IncrementalPdfFileWriter, content: bytes) -> None:
        self._writer = writer
        self._content = content

    def apply_appearance(self, annotation: generic.DictionaryObject) -> None:
        """Register the form and make it the widget's normal appearance."""
        form = generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/FormType"): _number(1),
                pdf_name("/BBox"): generic.ArrayObject(
                    map(_number, (0, 0, appearance.SIZE, appearance.SIZE))
                ),
                pdf_name("/Resources"): _dictionary({}),
                pdf_name("/Filter"): pdf_name("/FlateDecode"),
            },
            encoded_data=self._content,
        )
        annotation[pdf_name("/AP")] = _dictionary({pdf_name("/N"): self._writer.add_object(form)})


def _number(value: int) -> generic.PdfObject:
    return generic.NumberObject(value)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped


def _dictionary(entries: dict[generic.NameObject, generic.PdfObject]) -> generic.DictionaryObject:
    return generic.DictionaryObject(entries)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped


@dataclass(frozen=True, slots=True)
class Prepared:
    """A PDF with its empty container, ready to be signed.

    Attributes:
        digest: SHA-256 over the protected ranges.
        fill: Takes the CMS object, gives the finished file.
    """

    digest: bytes
    fill: Callable[[bytes], bytes]


def prepare(
    pdf: bytes,
    signatory: cms.Signatory,
    *,
    at: dt.datetime,
    name: str,
    reason: str,
    stamp: Placement | None,
) -> Prepared:
    """Add field, appearance and an empty container to a PDF.

    Args:
        pdf: A single-revision PDF/A that ends with a line end.
        signatory: Who will sign.
        at: Stated time of signing (``/M``); the proof of time is the token.
        name: Name of the seal, stated in the signature dictionary and drawn in the ring.
        reason: Why it is sealed, for readers.
        stamp: Where the visible seal stands; ``None`` makes it invisible.

    Raises:
        UnsealableError: The file has earlier revisions, or page or name do not allow the visible seal.
    """
    writer = _Revision(io.BytesIO(pdf))
    if writer.prev.xrefs.total_revisions != 1:
        raise UnsealableError("several-revisions")
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        name=name,
        reason=reason,
        certify=True,
        subfilter=SigSeedSubFilter.PADES,
        docmdp_permissions=MDPPerm.FILL_FORMS,
    )
    signer = _EsicOnlySigner(
        metadata,
        signer=_CachedSigner(signatory),
        stamp_style=_VectorSeal(content=b"" if stamp is None else appearance.demo_seal(name)),
        new_field_spec=_field(writer, stamp),
    )
    session = signer.init_signing_session(writer)
    session.system_time = at
    if stamp is None:
        # PDF/A-1 wants an appearance of every field, even of one that nobody sees (6.9).
        _VectorStamp(writer, _EMPTY).apply_appearance(session.sig_field)
    reserved = 2 * (_RESERVED + len(signatory.certificate) + sum(map(len, signatory.chain)))
    document = session.prepare_tbs_document(
        validation_info=None, bytes_reserved=reserved, appearance_text_params=None
    )
    prepared, output = document.digest_tbs_document(output=io.BytesIO())
    finished = cast(io.BytesIO, output)

    def fill(signature: bytes) -> bytes:
        prepared.fill_with_cms(finished, signature)
        return finished.getvalue()

    return Prepared(prepared.document_digest, fill)


def _field(writer: IncrementalPdfFileWriter, stamp: Placement | None) -> SigFieldSpec:
    if stamp is None:
        return SigFieldSpec(FIELD)
    pages = int(writer.root["/Pages"]["/Count"])
    if not 1 <= stamp.page <= pages:
        raise UnsealableError("page-missing")
    found = writer.find_page_for_modification(stamp.page - 1)  # type: ignore[no-untyped-call]  # as above
    page_ref = found[0]
    left, bottom, right, top = (float(edge) for edge in _media_box(page_ref.get_object()))
    x = left + stamp.x_mm * _POINTS_PER_MM
    y = top - stamp.y_mm * _POINTS_PER_MM
    side = stamp.size_mm * _POINTS_PER_MM
    if stamp.size_mm <= 0 or x < left or x + side > right or y > top or y - side < bottom:
        raise UnsealableError("placement-off-page")
    box = (round(x), round(y - side), round(x) + round(side), round(y - side) + round(side))
    return SigFieldSpec(FIELD, on_page=stamp.page - 1, box=box)


def _media_box(page: Any) -> Any:  # noqa: ANN401 - pyHanko's own objects
    while "/MediaBox" not in page:
        page = page["/Parent"]
    return page["/MediaBox"]
