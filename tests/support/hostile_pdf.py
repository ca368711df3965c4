# SPDX-License-Identifier: Apache-2.0
"""PDF files that mean harm, each made of a few objects by hand."""

import zlib
from collections.abc import Mapping

_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"


def pdf(
    objects: Mapping[int, bytes] | None = None, *, trailer: bytes = b"", head: bytes = b"%PDF-1.7\n"
) -> bytes:
    """Write a PDF with a right table; objects given replace or join those of one empty page."""
    plain = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>", 3: _PAGE}
    every = plain | dict(objects or {})
    out, places = bytearray(head), {}
    for number, body in sorted(every.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max(every) + 1
    out += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(data), entries, data)


def catalog(entries: bytes) -> dict[int, bytes]:
    return {1: b"<</Type/Catalog/Pages 2 0 R%b>>" % entries}


def page(entries: bytes) -> dict[int, bytes]:
    return {3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]%b>>" % entries}


def signed(field: bytes, value: bytes) -> bytes:
    """Give a PDF with a signature field whose value is whatever is given."""
    return pdf(
        catalog(b"/AcroForm<</SigFlags 3/Fields[5 0 R]>>")
        | {5: b"<</FT/Sig/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 3 0 R/T(%b)/V 6 0 R>>" % field, 6: value}
    )


def bomb(layers: int, size: int) -> bytes:
    """Give zeros that were deflated several times over."""
    data = bytes(size)
    for _ in range(layers):
        data = zlib.compress(data, 9)
    return data
