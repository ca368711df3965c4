# SPDX-License-Identifier: Apache-2.0
"""Read a PDF's structure with pyHanko: its signature fields, and what was changed after each signature.

Nothing here decides whom to trust. Permitted after a signature are filled signature fields without a
new visible widget, time stamps and evidence; a document without its own permission is held to the same
rule, because that is what stops a later signature from covering the page.
"""

import io
import re
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

_XMP_DATES = re.compile(
    rb"<(xmp:(?:ModifyDate|MetadataDate|CreateDate)|pdf:Producer)>[^<]*</\1>"
    rb"|(?:xmp:(?:ModifyDate|MetadataDate)|pdf:Producer)=\"[^\"]*\"|<\?xpacket[^>]*\?>|\s+"
)


@dataclass(frozen=True, slots=True)
class Field:
    """A filled signature field.

    Attributes:
        name: Fully qualified name.
        byte_range: The four numbers, or something else when they are no four numbers.
        subfilter: Kind of signature.
        timestamp: Whether it is a document time stamp.
        certifies: Whether it is the document's certification (DocMDP).
    """

    name: str
    byte_range: tuple[int, ...]
    subfilter: str
    timestamp: bool
    certifies: bool


class Structure:
    """A PDF opened for inspection.

    Args:
        data: The file.
        strict: Whether irregular structure is an error.
    """

    def __init__(self, data: bytes, *, strict: bool = True) -> None:
        self._reader = PdfFileReader(io.BytesIO(data), strict=strict)
        self.strict = strict
        self.encrypted = self._reader.encrypted
        self._signatures: list[EmbeddedPdfSignature] = []
        self.filled_fields = 0
        if not self.encrypted:
            self.filled_fields = sum(1 for _ in enumerate_sig_fields(self._reader, filled_status=True))
            self._signatures = list(self._reader.embedded_signatures) if self.filled_fields else []

    def fields(self) -> list[Field]:
        """Give the filled signature fields that pyHanko can read."""
        certifying = self._certifying()
        return [
            Field(
                name=str(signature.field_name),
                byte_range=tuple(int(number) for number in signature.byte_range),
                subfilter=str(signature.sig_object.get("/SubFilter", "")),
                timestamp=str(signature.sig_object_type) == "/DocTimeStamp",
                certifies=certifying is not None and certifying == _raw_reference(signature.sig_field, "/V"),
            )
            for signature in self._signatures
        ]

    def changes_after(self, name: str) -> tuple[str, str]:
        """Compare the file with the revision that a signature covers.

        Returns:
            A reason code (empty when nothing forbidden was found) and the level of change in words:
            ``none``, ``lta_updates``, ``form_filling`` or worse.
        """
        signature = next(item for item in self._signatures if item.field_name == name)
        if signature.evaluate_signature_coverage() < SignatureCoverageLevel.ENTIRE_REVISION:
            return "coverage-partial", "other"
        permission = signature.docmdp_level or MDPPerm.FILL_FORMS
        found = DEFAULT_DIFF_POLICY.review_file(
            self._reader, signature.signed_revision, field_mdp_spec=signature.fieldmdp, doc_mdp=permission
        )
        if isinstance(found, SuspiciousModification):
            return "changed-after-sealing", "other"
        level = found.modification_level
        words = level.name.lower()
        if level is ModificationLevel.OTHER or level.value > permission.value:
            return "changed-after-sealing", words
        return ("" if self._same_metadata(signature.signed_revision) else "metadata-replaced"), words

    def _certifying(self) -> Any | None:  # noqa: ANN401 - a pyHanko reference
        permissions = self._reader.root.get("/Perms")
        return None if permissions is None else _raw_reference(permissions, "/DocMDP")

    def _same_metadata(self, revision: int) -> bool:
        before = self._reader.get_historical_resolver(revision).root
        after = self._reader.root
        old, new = (_metadata(root) for root in (before, after))
        return old == new

    def pdfa_findings(self) -> list[str]:
        """Check the rules of PDF/A that sealing could break: 6.1.12 permissions and the catalog's version.

        Returns:
            Codes; empty when all hold. Rule 6.4.3 (byte range, one signer, his certificate) is checked
            by the verification itself.
        """
        root, findings = self._reader.root, []
        if set(root.get("/Perms", {})) - {"/UR3", "/DocMDP"}:
            findings.append("pdfa-6.1.12-permissions")
        for signature in self._signatures:
            for reference in signature.sig_object.get("/Reference", ()):
                if set(reference.get_object()) & {"/DigestLocation", "/DigestMethod", "/DigestValue"}:
                    findings.append("pdfa-6.1.12-digest")
        if str(root.get("/Version", "/1.7")) > "/1.7" or self._reader.input_version > (1, 7):
            findings.append("pdfa-6.1.2-version")
        if self._reader.xrefs.total_revisions != 2:
            findings.append("revisions")
        return findings


def _raw_reference(dictionary: Any, key: str) -> Any | None:  # noqa: ANN401 - pyHanko's own objects
    try:
        return dictionary.get_value_as_reference(key)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _metadata(root: Any) -> bytes:  # noqa: ANN401 - a pyHanko dictionary
    stream = root.get("/Metadata")
    return b"" if stream is None else _XMP_DATES.sub(b"", bytes(stream.data))
