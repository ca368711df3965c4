# SPDX-License-Identifier: Apache-2.0
"""Read a PDF's structure with pyHanko: its signature fields, and what was changed after each signature.

Nothing here decides whom to trust. Permitted after a signature are filled signature fields without a
new visible widget, time stamps and evidence; a document without its own permission is held to the same
rule, because that is what stops a later signature from covering the page.
"""

import io
from collections import Counter
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

_MAY_CHANGE = frozenset(
    {"ModifyDate", "MetadataDate", "Producer", "InstanceID", "about", "parseType", "xmptk"}
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
        root = self._reader.root
        return _raw_reference(root["/Perms"], "/DocMDP") if "/Perms" in root else None

    def _same_metadata(self, revision: int) -> bool:
        before, after = (
            bytes(root["/Metadata"].data) if "/Metadata" in root else b""
            for root in (self._reader.get_historical_resolver(revision).root, self._reader.root)
        )
        return before == after or _statements(before) == _statements(after)

    def pdfa_findings(self) -> list[str]:
        """Check the rules of PDF/A that sealing could break: 6.1.12 permissions and the catalog's version.

        Returns:
            Codes; empty when all hold. Rule 6.4.3 (byte range, one signer, his certificate) is checked
            by the verification itself.
        """
        root, findings = self._reader.root, []
        if "/Perms" in root and set(root["/Perms"]) - {"/UR3", "/DocMDP"}:
            findings.append("pdfa-6.1.12-permissions")
        for signature in self._signatures:
            if "/Reference" not in signature.sig_object:
                continue
            for reference in signature.sig_object["/Reference"]:
                if set(reference) & {"/DigestLocation", "/DigestMethod", "/DigestValue"}:
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


def _statements(xmp: bytes) -> Counter[tuple[str, str]]:
    """Give what a metadata packet states, as names and values; software reorders packets when it saves."""
    found: Counter[tuple[str, str]] = Counter()
    if not xmp:
        return found
    for element in ElementTree.fromstring(xmp).iter():  # noqa: S314 - expat limits entity expansion
        name = str(element.tag).rpartition("}")[2]
        values = [(name, (element.text or "").strip())]
        for attribute, value in element.attrib.items():
            local = attribute.rpartition("}")[2]
            values.append((name if local == "resource" else local, value))
        found.update((key, value) for key, value in values if value and key not in _MAY_CHANGE)
    return found
