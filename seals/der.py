# SPDX-License-Identifier: Apache-2.0
"""A small DER encoder: just what CMS signatures and time-stamp tokens need.

General ASN.1 libraries spend some 20 ms per sealed document on re-encoding constants; joining bytes
takes a few microseconds. Reading stays with ``asn1crypto``.
"""

import datetime as dt
from functools import cache

NULL = b"\x05\x00"


def tlv(tag: int, *parts: bytes) -> bytes:
    """Give tag, length and the joined parts."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """Give a SEQUENCE."""
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    """Give a SET OF, its members in DER order."""
    return tlv(0x31, *sorted(parts))


def context(number: int, *parts: bytes, constructed: bool = True) -> bytes:
    """Give a context-specific element."""
    return tlv((0xA0 if constructed else 0x80) | number, *parts)


def integer(value: int) -> bytes:
    """Give an INTEGER that is not negative."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    """Give an OCTET STRING."""
    return tlv(0x04, value)


@cache
def oid(dotted: str) -> bytes:
    """Give an OBJECT IDENTIFIER."""
    arcs = [int(arc) for arc in dotted.split(".")]
    body = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        shifts = range((max(arc.bit_length(), 1) - 1) // 7 * 7, -1, -7)
        body += bytes((arc >> shift & 0x7F) | (0x80 if shift else 0) for shift in shifts)
    return tlv(0x06, bytes(body))


def generalized_time(instant: dt.datetime) -> bytes:
    """Give a GeneralizedTime in UTC; DER forbids trailing zeros in the fraction."""
    text = instant.astimezone(dt.UTC).strftime("%Y%m%d%H%M%S.%f").rstrip("0").rstrip(".") + "Z"
    return tlv(0x18, text.encode("ascii"))


def utc_time(instant: dt.datetime) -> bytes:
    """Give a UTCTime, as CMS demands for signing times before 2050."""
    return tlv(0x17, instant.astimezone(dt.UTC).strftime("%y%m%d%H%M%SZ").encode("ascii"))
