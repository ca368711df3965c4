# SPDX-License-Identifier: Apache-2.0
"""Find the signatures' containers in the raw bytes of a PDF, without parsing it.

A container is the gap that a ``/ByteRange`` leaves: one hexadecimal string with the CMS object and
zeros. Looking at raw bytes answers the commonest question, "was a protected byte changed?", in about
a millisecond, also for files whose structure the change has broken. It never makes a file valid.
"""

import binascii
import hashlib
import re
from dataclasses import dataclass

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
_WHITE = b"\x00\t\n\x0c\r "


@dataclass(frozen=True, slots=True)
class Container:
    """One gap with what it holds.

    Attributes:
        byte_range: The four numbers.
        cms: The CMS object in DER; empty when the gap holds none.
        problem: ``container-hex``, ``container-padding``, or empty.
    """

    byte_range: tuple[int, int, int, int]
    cms: bytes
    problem: str

    @property
    def end(self) -> int:
        """Give the position after the last protected byte."""
        return self.byte_range[2] + self.byte_range[3]

    @property
    def signed_bytes(self) -> int:
        """Give how many bytes are protected."""
        return self.byte_range[1] + self.byte_range[3]

    def digest(self, data: bytes, algorithm: str = "sha256") -> bytes:
        """Give the digest over the protected ranges; raises ``ValueError`` for an unknown algorithm."""
        _, first, second, length = self.byte_range
        view = memoryview(data)
        digest = hashlib.new(algorithm, view[:first])
        digest.update(view[second : second + length])
        return digest.digest()


def find(data: bytes) -> list[Container]:
    """Give the containers in the order of the file, each once."""
    found: dict[tuple[int, int, int, int], Container] = {}
    for match in _BYTE_RANGE.finditer(data):
        start, first, second, length = (int(number) for number in match.groups())
        if start != 0 or second - first < 2 or second + length > len(data):
            continue
        if not _is_gap(data, first, second):
            continue
        byte_range = (start, first, second, length)
        found[byte_range] = Container(byte_range, *_content(data[first:second]))
    return sorted(found.values(), key=lambda container: container.end)


def signed_digests(data: bytes) -> tuple[str, ...]:
    """Give SHA-256 over the protected ranges of each signature, in hex, the first signature first."""
    return tuple(container.digest(data).hex() for container in find(data))


def only_white_space_after(data: bytes, end: int) -> bool:
    """Tell whether nothing but PDF white space follows a position."""
    return not data[end:].strip(_WHITE)


def _is_gap(data: bytes, first: int, second: int) -> bool:
    # A file embedded uncompressed may hold a signed PDF of its own, whose numbers mean nothing here.
    # One changed byte cannot spoil both signs of a true gap.
    return (data[first] == 0x3C and data[second - 1] == 0x3E) or data[max(first - 64, 0) : first].rstrip(
        _WHITE
    ).endswith(b"/Contents")


def _content(gap: bytes) -> tuple[bytes, str]:
    mixed_case = any(97 <= octet <= 102 for octet in set(gap)) and any(
        65 <= octet <= 70 for octet in set(gap)
    )
    if gap[:1] != b"<" or gap[-1:] != b">" or mixed_case:
        # No writer mixes the cases of hexadecimal digits: it is the change that would otherwise go unseen.
        return b"", "container-hex"
    try:
        raw = binascii.unhexlify(gap[1:-1])
    except binascii.Error:
        return b"", "container-hex"
    size = _der_size(raw)
    if size is None or size > len(raw):
        return b"", ""
    return raw[:size], "container-padding" if raw[size:].strip(b"\0") else ""


def _der_size(raw: bytes) -> int | None:
    if len(raw) < 2 or raw[0] != 0x30:
        return None
    if raw[1] < 0x80:
        return 2 + raw[1]
    octets = raw[1] & 0x7F
    if not 1 <= octets <= 4 or len(raw) < 2 + octets:
        return None
    return 2 + octets + int.from_bytes(raw[2 : 2 + octets], "big")
