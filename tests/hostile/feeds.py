# SPDX-License-Identifier: Apache-2.0
"""Hostile files of records, as data: what each tries, its bytes, and the stable code with which it ends.

``rule`` is the code of a file that is refused as a whole; ``rows`` are the codes of malformed records of one
that is read. Whatever is not malformed is still read: each file that is read holds the record ``kept``.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import made_workbooks as xlsx

HEAD = "certificate_number,certificate_holder,status\n"
KEPT = "KEPT-1,演示保留公司,有效\n"
SECRET = "演示机密内容339999199001010012"
"""Stands in every hostile file; no error, report or log may repeat it."""


@dataclass(frozen=True)
class HostileFeed:
    """A file.

    Attributes:
        name: What it tries.
        make: Gives its bytes.
        rule: Code with which it is refused; empty when it is read.
        rows: Codes of its malformed records, in their order.
    """

    name: str
    make: Callable[[], bytes]
    rule: str = ""
    rows: tuple[str, ...] = ()


def _table(*lines: str) -> Callable[[], bytes]:
    return (HEAD + "".join(lines) + KEPT).encode


def _zip(name: str, data: bytes, times: int = 1) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(times):
            archive.writestr(name if times == 1 else f"{number}-{name}", data)
    return out.getvalue()


def _sheet(*rows: str, extra: xlsx.Extra | None = None) -> bytes:
    head = xlsx.row(
        *(xlsx.text(f"{at}1", name) for at, name in zip("ABC", HEAD.strip().split(","), strict=True))
    )
    kept = xlsx.row(xlsx.text("A9", "KEPT-1"), xlsx.text("B9", "演示保留公司"), number=9)
    return xlsx.workbook(head + "".join(rows) + kept, extra=extra)


def _entity() -> bytes:
    book = b'<!DOCTYPE x [<!ENTITY a "' + SECRET.encode() + b'">]><x>&a;</x>'
    return _sheet(extra=xlsx.Extra(parts={"xl/extra.xml": book}))


FEEDS = (
    HostileFeed("empty", lambda: b"", "file-size"),
    HostileFeed("blanks only", lambda: b" \r\n\t\n" * 100, "file-empty"),
    HostileFeed("a million columns", (",".join(["a"] * 1_000_000) + "\n" + SECRET).encode, "file-head"),
    HostileFeed(
        "half a million named columns",
        lambda: ",".join(f"c{n}" for n in range(120_000)).encode(),
        "file-columns",
    ),
    HostileFeed("a head without an end", lambda: b"x" * (3 << 20), "file-head"),
    HostileFeed("one column twice", f"a,a\n{SECRET},1\n".encode, "file-head"),
    HostileFeed("UTF-16 with a mark", lambda: (HEAD + SECRET).encode("utf-16"), "file-encoding"),
    HostileFeed("UTF-16 without a mark", lambda: (HEAD + SECRET).encode("utf-16-le"), "file-encoding"),
    HostileFeed("UTF-32", lambda: (HEAD + SECRET).encode("utf-32"), "file-encoding"),
    HostileFeed("zeros", lambda: b"\0" * 4096, "file-encoding"),
    HostileFeed("no archive behind its sign", lambda: b"PK\x03\x04" + SECRET.encode(), "workbook-damaged"),
    HostileFeed("an archive that is no workbook", lambda: _zip("a.txt", SECRET.encode()), "workbook-damaged"),
    HostileFeed("an archive bomb", lambda: _zip("[Content_Types].xml", b" " * (200 << 20)), "workbook-bomb"),
    HostileFeed("ten thousand entries", lambda: _zip("a", b"", 10_000), "workbook-bomb"),
    HostileFeed("a document type with an entity", _entity, "workbook-doctype"),
    HostileFeed("a stray quote", _table(f'1,"{SECRET},x\n'), rows=("row-quotes",)),
    HostileFeed("a cell beyond all measure", _table(f"1,{SECRET * 8000},x\n"), rows=("row-size",)),
    HostileFeed("a line beyond all measure", _table("1," + "x" * (5 << 20) + ",x\n"), rows=("row-size",)),
    HostileFeed("a NUL", _table(f"1,{SECRET}\0,x\n"), rows=("row-control",)),
    HostileFeed("cells missing", _table(f"{SECRET}\n"), rows=("row-cells",)),
    HostileFeed("cells too many", _table(f"1,2,3,{SECRET}\n"), rows=("row-cells",)),
    HostileFeed("thousands of cells", _table("," * 90_000 + "\n"), rows=("row-cells",)),
    HostileFeed(
        "a formula in a workbook",
        lambda: _sheet(xlsx.row(xlsx.formula("A2", f'WEBSERVICE("{SECRET}")', SECRET, "str"), number=2)),
        rows=("row-formula",),
    ),
    HostileFeed(
        "a number that lost digits",
        lambda: _sheet(xlsx.row(xlsx.number("A2", "339999199001010012"), number=2)),
        rows=("row-number",),
    ),
    HostileFeed(
        "a cell far to the right",
        lambda: _sheet(xlsx.row(xlsx.text("XFD2", SECRET), number=2)),
        rows=("row-cells",),
    ),
    HostileFeed("an array of brackets", lambda: b"[" * (4 << 20), "file-broken"),
    HostileFeed(
        "an object nested deep",
        lambda: b'[{"a":' + b"[" * 900 + b"]" * 900 + b'},{"certificate_number":"KEPT-1"}]',
        rows=("row-depth",),
    ),
    HostileFeed(
        "a string without an end",
        f'[{{"certificate_number":"KEPT-1"}},{{"a":"{SECRET}'.encode,
        "file-broken",
    ),
    HostileFeed("bare words", f'{{"certificate_number":"KEPT-1"}}\n{SECRET}\n'.encode, rows=("row-json",)),
    HostileFeed(
        "a thousand keys",
        ('{"certificate_number":"KEPT-1"}\n{' + ",".join(f'"k{n}":1' for n in range(1000)) + "}").encode,
        rows=("row-cells",),
    ),
    HostileFeed(
        "bytes of another encoding",
        lambda: (
            (HEAD + "".join(f"{n},演示,有效\n" for n in range(40)) + KEPT).encode() + b"9,\xff\xfe\xff,x\n"
        ),
        rows=("row-encoding",),
    ),
)
