# SPDX-License-Identifier: Apache-2.0
"""Announcements whose bodies, characters or times are not what they should be."""

import json

from .calls import BIDI, BROKEN, REFUSED, TAG, ZERO_WIDTH, announce, held
from .ground import CLOSED_CASE, ITEM, OPEN_CASE, PERSON, case_body


def deep(opening: bytes, closing: bytes, depth: int = 20_000) -> bytes:
    return opening * depth + b"1" + closing * depth


SHAPES = [
    announce("arrays nested twenty thousand deep", 400, BROKEN, raw=deep(b"[", b"]")),
    announce("objects nested twenty thousand deep", 400, BROKEN, raw=deep(b'{"{mark}":', b"}")),
    announce("objects nested in a known field", 400, BROKEN, raw=b'{"item":' + deep(b"[", b"]") + b"}"),
    announce(
        "an integer of ten thousand digits", 400, BROKEN, raw=b'{"organisation":1' + b"0" * 10_000 + b"}"
    ),
    announce("a float beyond all floats", accepted_at=float("inf"), raw=b'{"organisation":1e9999}'),
    announce("NaN, which JSON has not", 400, BROKEN, raw=b'{"organisation":NaN,"{mark}":1}'),
    announce("Infinity, which JSON has not", 400, BROKEN, raw=b'{"organisation":-Infinity}'),
    announce("a key twice", 400, BROKEN, raw=b'{"organisation":"{mark}","organisation":"scjg"}'),
    announce("a byte order mark", 400, BROKEN, raw=b"\xef\xbb\xbf" + json.dumps(case_body()).encode()),
    announce("JSON in UTF-16", 400, BROKEN, raw=json.dumps(case_body()).encode("utf-16")),
    announce("JSON in UTF-32 without a mark", 400, BROKEN, raw=json.dumps(case_body()).encode("utf-32-le")),
    announce("bytes that are no UTF-8", 400, BROKEN, raw=b'{"organisation":"\xff\xfe"}'),
    announce("overlong UTF-8", 400, BROKEN, raw=b'{"organisation":"\xc0\xae\xc0\xae/"}'),
    announce("a bare NUL", 400, BROKEN, raw=b'{"organisation":"\x00{mark}"}'),
    announce("nothing at all", 400, BROKEN, raw=b""),
    announce("half a body", 400, BROKEN, raw=b'{"organisation":"{mark}'),
    announce("two bodies", 400, BROKEN, raw=b'{"organisation":"scjg"}{"{mark}":1}'),
    announce("a list", 422, "invalid-input", raw=b'["{mark}"]'),
    announce("a text", 422, "invalid-input", raw=b'"{mark}"'),
    announce("null", 422, "invalid-input", raw=b"null"),
    announce("an unknown key", **{"{mark}": 1}),
    announce("a key of another language's objects", __proto__={"{mark}": 1}),
    announce("twenty thousand unknown keys", body={f"{{mark}}{n}": n for n in range(20_000)}),
    announce("a number for a text", organisation=1),
    announce("true for a text", organisation=True),
    announce("a list for a text", organisation=["{mark}"]),
    announce("a text for an object", item="{mark}"),
    announce("more than a megabyte", 413, "too-large", raw=b'{"organisation":"' + b"a" * (1 << 20) + b'"}'),
    announce("gzip that says so", 400, BROKEN, raw=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}),
    announce("JSON called text", 415, "unsupported-media", headers={"Content-Type": "text/plain"}),
    announce(
        "JSON called a form",
        415,
        "unsupported-media",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    announce("JSON without a type", 415, "unsupported-media", headers={"Content-Type": ""}),
    announce(
        "JSON in a type made up", 415, "unsupported-media", headers={"Content-Type": "application/{mark}"}
    ),
    announce(
        "JSON that calls itself UTF-7",
        201,
        None,
        headers={"Content-Type": "application/json; charset=utf-7"},
        acts=("case.announced",),
    ),
    announce(
        "a multipart body",
        415,
        "unsupported-media",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    ),
]

CHARACTERS = [
    announce("NUL in a name", holder=held(name="{mark}\0")),
    announce(
        "a lone surrogate in a name",
        raw=json.dumps(case_body(holder=held(name="x"))).replace('"x"', '"{mark}\\ud800"').encode(),
    ),
    announce("a name written from right to left", holder=held(name=f"{{mark}}{BIDI}fdp")),
    announce("a name with a zero-width space", holder=held(name=f"{{mark}}{ZERO_WIDTH}")),
    announce("a name with invisible tags", holder=held(name=f"{{mark}}{TAG}")),
    announce("a name of blanks", holder=held(name="   ")),
    announce("a name with outer blanks", holder=held(name=" {mark} ")),
    announce("a name with a line break", holder=held(name="{mark}\n")),
    announce("a name with a line separator", holder=held(name="{mark}\u2028")),
    announce("a name of one soft hyphen", holder=held(name="\u00ad")),
    announce("a name of ten thousand characters", holder=held(name="{mark}" + "名" * 10_000)),
    announce("an empty name", holder=held(name="")),
    announce("a code in full-width digits", holder=held(code="９1339999MADEM0011X")),
    announce("a Cyrillic letter in a code", holder=held(code="91339999M\u0410DEM0011X")),
    announce("a zero-width joiner in a code", holder=held(code="91339999MADEM0011X\u200d")),
    announce("a full-width scheme", holder=held(scheme="００１")),
    announce("an Arabic scheme", holder=held(scheme="٠٠١")),
    announce("a scheme and a line break", holder=held(scheme="001\n")),
    announce("an unknown scheme", 422, "holder-code", holder=held(scheme="000")),
    announce("a wrong check digit", 422, "holder-code", holder=held(code="91339999MADEM0012X")),
    announce(
        "a person's number under an organisation's scheme",
        422,
        "holder-code",
        holder=PERSON | {"scheme": "001"},
    ),
    announce(
        "a person's number with a wrong check digit",
        422,
        "holder-code",
        holder=PERSON | {"code": "339999190001010013"},
    ),
    announce(
        "a birth date that never was", 422, "holder-code", holder=PERSON | {"code": "33999919000230001X"}
    ),
    announce("a code of quotes and comments", holder=held(code="' OR 1=1 --{mark}")),
    announce("an organisation that is a path", organisation="../../{mark}"),
    announce("an organisation of another item", 422, "department-unknown", organisation="jtys"),
    announce(
        "an item that is not there", 422, "item-unknown", item={"code": "339999019999", "edition": "2026-03"}
    ),
    announce("an edition to come", 422, "item-unknown", item=ITEM | {"edition": "2099-01"}),
    announce("an item code in full width", item=ITEM | {"code": "３３９９９９０１０００２"}),
]

NOT_YET = "case-dates"
TIMES = [
    announce("closed before it was accepted", 422, NOT_YET, closed_at="2026-11-01T09:00:00+08:00"),
    announce("accepted in the future", 422, NOT_YET, accepted_at="2036-11-01T09:00:00+08:00"),
    announce("closed in the future", 422, NOT_YET, closed_at="2036-11-01T09:00:00+08:00"),
    announce("the first instant there is, further east", accepted_at="0001-01-01T00:00:00+14:00"),
    announce("the last instant there is, further west", accepted_at="9999-12-31T23:59:59-12:00"),
    announce("in the year 1", accepted_at="0001-01-02T00:00:00Z"),
    announce("in the year 9999", accepted_at="9999-12-31T00:00:00Z"),
    announce("in the year 10000", accepted_at="10000-01-01T00:00:00Z"),
    announce("before there were offices", accepted_at="1066-10-14T09:00:00Z"),
    announce("a date without a zone", accepted_at="2026-11-02T09:00:00"),
    announce("a date without a time", accepted_at="2026-11-02"),
    announce("a week date", accepted_at="2026-W45-1T09:00:00+08:00"),
    announce("a date without hyphens", accepted_at="20261102T090000+0800"),
    announce("an offset with seconds", accepted_at="2026-11-02T09:00:00+08:00:30"),
    announce("an offset of a day", accepted_at="2026-11-02T09:00:00+24:00"),
    announce("the sixty-first second", accepted_at="2026-11-02T09:00:60+08:00"),
    announce("the twenty-fifth hour", accepted_at="2026-11-02T25:00:00+08:00"),
    announce("the thirtieth of February", accepted_at="2026-02-30T09:00:00+08:00"),
    announce("full-width digits in a date", accepted_at="２０２６-11-02T09:00:00+08:00"),
    announce("seconds since 1970", accepted_at=1762045200),
    announce("a date of ten thousand characters", accepted_at="2026-11-02T09:00:00." + "0" * 10_000 + "Z"),
    announce(
        "a closing that changes the past",
        409,
        "case-conflict",
        path=f"/api/v1/cases/ycsl/{CLOSED_CASE}",
        closed_at="2026-11-20T09:00:00+08:00",
        acts=REFUSED,
    ),
    announce(
        "a closed case opened again",
        409,
        "case-conflict",
        path=f"/api/v1/cases/ycsl/{CLOSED_CASE}",
        accepted_at="2026-11-03T09:00:00+08:00",
        acts=REFUSED,
    ),
    announce("an announcement replayed", 200, None, path=f"/api/v1/cases/ycsl/{OPEN_CASE}"),
    announce(
        "a case taken over by another holder",
        409,
        "case-conflict",
        path=f"/api/v1/cases/ycsl/{OPEN_CASE}",
        holder=PERSON,
        acts=REFUSED,
    ),
]
