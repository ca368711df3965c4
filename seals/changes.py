# SPDX-License-Identifier: Apache-2.0
"""Read a PDF's structure with pyHanko: its signature fields, and what was changed after each signature.

Nothing here decides whom to trust. Permitted after a signature are filled signature fields without a
new visible widget, time stamps and evidence; a document without its own permission is held to the same
rule, because that is what stops a later signature from covering the page.
"""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, ModificationLevel, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.status import SignatureCoverageLevel

from seals.containers import Container

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
        containers: Its containers, whose content was read already. pyHanko reads hexadecimal digits one
            by one, which would take longer than everything else, so it is shown empty containers.
        strict: Whether irregular structure is an error.
    """

    def __init__(self, data: bytes, containers: Sequence[Container] = (), *, strict: bool = True) -> None:
        self._data = data
        self._strict = strict
        self._reader = PdfFileReader(_Blanked(data, containers), strict=strict)
        self.encrypted = self._reader.encrypted
        self._filled: list[tuple[str, Any, Any]] = []
        if not self.encrypted:
            found = enumerate_sig_fields(self._reader, filled_status=True)
            self._filled = [(name, _resolved(value), reference) for name, value, reference in found]

    def fields(self) -> list[Field]:
        """Give the filled signature fields."""
        certifying = self._certifying()
        return [
            Field(
                name=name,
                byte_range=_numbers(value),
                subfilter=str(value["/SubFilter"]) if "/SubFilter" in value else "",
                timestamp="/Type" in value and str(value["/Type"]) == "/DocTimeStamp",
                certifies=certifying is not None
                and certifying == _raw_reference(reference.get_object(), "/V"),
            )
            for name, value, reference in self._filled
        ]

    def changes_after(self, name: str) -> tuple[str, str]:
        """Compare the file with the revision that a signature covers.

        Returns:
            A reason code (empty when nothing forbidden was found) and the level of change in words:
            ``none``, ``lta_updates``, ``form_filling`` or worse.
        """
        reader = PdfFileReader(io.BytesIO(self._data), strict=self._strict)
        signature = next(item for item in reader.embedded_signatures if item.field_name == name)
        if signature.evaluate_signature_coverage() < SignatureCoverageLevel.ENTIRE_REVISION:
            return "coverage-partial", "other"
        permission = signature.docmdp_level or MDPPerm.FILL_FORMS
        found = DEFAULT_DIFF_POLICY.review_file(
            reader, signature.signed_revision, field_mdp_spec=signature.fieldmdp, doc_mdp=permission
        )
        if isinstance(found, SuspiciousModification):
            return "changed-after-sealing", "other"
        level = found.modification_level
        words = level.name.lower()
        if level is ModificationLevel.OTHER or level.value > permission.value:
            return "changed-after-sealing", words
        return ("" if _same_metadata(reader, signature.signed_revision) else "metadata-replaced"), words

    def _certifying(self) -> Any | None:  # noqa: ANN401 - a pyHanko reference
        root = self._reader.root
        return _raw_reference(root["/Perms"], "/DocMDP") if "/Perms" in root else None

    def pdfa_findings(self) -> list[str]:
        """Check the rules of PDF/A that sealing could break: 6.1.12 permissions and the catalog's version.

        Returns:
            Codes; empty when all hold. Rule 6.4.3 (byte range, one signer, his certificate) is checked
            by the verification itself.
        """
        root, findings = self._reader.root, []
        if "/Perms" in root and set(root["/Perms"]) - {"/UR3", "/DocMDP"}:
            findings.append("pdfa-6.1.12-permissions")
        for _, value, _ in self._filled:
            if "/Reference" not in value:
                continue
            for reference in value["/Reference"]:
                if set(reference) & {"/DigestLocation", "/DigestMethod", "/DigestValue"}:
                    findings.append("pdfa-6.1.12-digest")
        if str(root.get("/Version", "/1.7")) > "/1.7" or self._reader.input_version > (1, 7):
            findings.append("pdfa-6.1.2-version")
        if self._reader.xrefs.total_revisions != 2:
            findings.append("revisions")
        return findings


class _Blanked(io.BytesIO):
    """A file whose containers are empty and followed by white space in their place.

    pyHanko reads white space byte by byte; of a long run it is given the last byte only.
    """

    def __init__(self, data: bytes, containers: Sequence[Container]) -> None:
        blanked = bytearray(data)
        self._runs: list[tuple[int, int]] = []
        for container in containers:
            _, first, second, _ = container.byte_range
            blanked[first:second] = b"<>".ljust(second - first)
            self._runs.append((first + 2, second - 1))
        super().__init__(blanked)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read; a single byte of a run is its last one."""
        if size == 1:
            at = self.tell()
            for start, last in self._runs:
                if start <= at < last:
                    self.seek(last)
        return super().read(size)


def _resolved(value: Any) -> Any:  # noqa: ANN401 - pyHanko's own objects
    thing = value.get_object()
    return thing if isinstance(thing, generic.DictionaryObject) else {}


def _numbers(value: Any) -> tuple[int, ...]:  # noqa: ANN401 - pyHanko's own objects
    return tuple(int(number) for number in value["/ByteRange"]) if "/ByteRange" in value else ()


def _raw_reference(dictionary: Any, key: str) -> Any | None:  # noqa: ANN401 - pyHanko's own objects
    try:
        return dictionary.get_value_as_reference(key)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _same_metadata(reader: PdfFileReader, revision: int) -> bool:
    before, after = (
        bytes(root["/Metadata"].data) if "/Metadata" in root else b""
        for root in (reader.get_historical_resolver(revision).root, reader.root)
    )
    return before == after or _statements(before) == _statements(after)


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
