# SPDX-License-Identifier: Apache-2.0
"""Hostile filings: nothing is kept of what is refused, and what is received is complete."""

from typing import Any

import pytest

from .calls import REFUSED, filled
from .filings import BOUNDARY, FORM, PDF, RECEIVED, Filing, Part, body_of, metadata
from .ground import FILED_CASE, HOLDER, MOST_UPLOAD, PERSON, Ground, mark_of, nothing_told
from .test_calls import code_of

SUBMISSION, INCOMPLETE = "submission", "filing-incomplete"


def bad(name: str, code: str = SUBMISSION, status: int = 422, **more: Any) -> Filing:
    return Filing(name=name, status=status, code=code, **more)


def named(name: str, file_name: str) -> Filing:
    return bad(f"a file called {name}", material={"file_name": file_name})


NAMES = [
    named("a way up", "../{mark}"),
    named("a way up in Windows", "..\\{mark}"),
    named("an absolute path", "/etc/{mark}"),
    named("dots", ".."),
    named("NUL in the middle", "{mark}.pdf\0.exe"),
    named("a name from right to left", "{mark}\u202efdp.exe"),
    named("a zero-width space", "{mark}\u200b.pdf"),
    named("a line break", "{mark}\r\n.pdf"),
    named("blanks", "   "),
    named("nothing", ""),
    named("three hundred Han characters", "材" * 300),
    bad(
        "two files of one name in two forms of Unicode",
        materials=[{"file_name": "é.pdf"}, {"file_name": "e\u0301.pdf", "part": "m1"}],
        parts=[Part("m0"), Part("m1")],
    ),
    Filing(
        name="a part's file called by a path",
        status=202,
        code=None,
        acts=RECEIVED,
        parts=[Part("m0", file_name="../../../../tmp/{mark}")],
    ),
    Filing(
        name="a part's file called by nothing legible",
        status=202,
        code=None,
        acts=RECEIVED,
        parts=[Part("m0", file_name="\u202e\u0000'; DROP TABLE filing; --")],
    ),
]

PARTS = [
    bad("a part twice", INCOMPLETE, parts=[Part("m0"), Part("m0")]),
    bad("a part that nobody listed", INCOMPLETE, parts=[Part("m0"), Part("{mark}")]),
    bad("a listed part that is missing", INCOMPLETE, parts=[]),
    bad("a part called like another case", INCOMPLETE, parts=[Part("M0")]),
    bad("a part called in full width", INCOMPLETE, parts=[Part("ｍ0")]),
    bad("a part called by NUL", INCOMPLETE, parts=[Part("m0\0")]),
    bad("a part listed twice", materials=[{}, {"file_name": "b.pdf"}]),
    bad("metadata listed as a material", material={"part": "metadata"}),
    bad("no metadata", unlisted=True),
    bad("metadata twice", INCOMPLETE, parts=[Part("m0"), Part("metadata", b"{}", "b.json")]),
    bad("metadata as a field, not a file", unlisted=True, parts=[Part("m0"), Part("metadata", b"{}", None)]),
    bad("a material as a field, not a file", INCOMPLETE, parts=[Part("m0", file_name=None)]),
    bad("five hundred and two parts", "too-large", 413, parts=[Part(f"m{n}", b"") for n in range(502)]),
    bad(
        "five hundred and one materials",
        materials=[{"part": f"m{n}", "file_name": f"{n}"} for n in range(501)],
        parts=[Part(f"m{n}", b"x") for n in range(400)],
    ),
    bad("no materials", materials=[], parts=[]),
    bad("a field of a megabyte", "too-large", 413, parts=[Part("m0"), Part("f", b"a" * (1 << 20), None)]),
]

BODIES = [
    bad("a body that ends in the middle of a file", "malformed-request", 400, cut=30),
    bad("a body that ends before it is closed", "malformed-request", 400, cut=len(f"--{BOUNDARY}--\r\n")),
    bad("more announced than sent", "malformed-request", 400, length=10_000, cut=20),
    bad("a body of nothing", kind=FORM, cut=1 << 20),
    bad("no boundary", "malformed-request", 400, kind="multipart/form-data"),
    bad("another boundary", "malformed-request", 400, kind="multipart/form-data; boundary={mark}"),
    bad(
        "a boundary of ten thousand characters",
        "malformed-request",
        400,
        kind="multipart/form-data; boundary=" + "b" * 10_000,
    ),
    bad("another multipart", "unsupported-media", 415, kind=f"multipart/mixed; boundary={BOUNDARY}"),
    bad("a form that is not multipart", "unsupported-media", 415, kind="application/x-www-form-urlencoded"),
    bad("JSON alone", "unsupported-media", 415, kind="application/json"),
    bad(
        "more than the installation takes", "too-large", 413, parts=[Part("m0", b"%PDF" + b"a" * MOST_UPLOAD)]
    ),
    bad(
        "headers of a part beyond all measure",
        "too-large",
        413,
        parts=[Part("m0", more="X-{mark}: " + "h" * 300_000 + "\r\n")],
    ),
    bad("a transfer encoding inside a part", SUBMISSION, raw=b"e30=", parts=[Part("m0")]),
]

METADATA = [
    bad("metadata of two megabytes and a byte", raw=b" " * (2 * 2**20 + 1)),
    bad("metadata nested without end", raw=b'{"item":' * 20_000),
    bad("metadata with a key twice", raw=b'{"source":"{mark}","source":"ycsl"}'),
    bad("metadata with NaN", raw=b'{"source":NaN}'),
    bad("metadata that are no UTF-8", raw=b'{"source":"\xff{mark}"}'),
    bad("metadata with half a surrogate", raw=b'{"source":"\\ud800{mark}"}'),
    bad("metadata that are a list", raw=b'["{mark}"]'),
    bad("metadata with an unknown key", metadata={"{mark}": "x"}),
    bad("a size below nothing", material={"size": -1}),
    bad("a size beyond all disks", material={"size": 2**63}),
    bad("a size as a text", material={"size": "10"}),
    bad("a size as a fraction", material={"size": 10.5}),
    bad("a size as a power", raw=b'{"materials":[{"size":1e400}]}'),
    bad("a digest in capital letters", material={"sha256": "A" * 64}),
    bad("a digest in full width", material={"sha256": "０" * 64}),
    bad("a digest that is short", material={"sha256": "a" * 63}),
    bad("a media type with a line break", material={"media_type": "application/pdf\r\nX-Evil: {mark}"}),
    bad("a group that there is not", material={"group": "{mark}"}),
    bad("a title from right to left", material={"name": "{mark}\u202e"}),
    bad("a code that is a path", material={"code": "../{mark}"}),
    bad("a holder's name with invisible tags", metadata={"holder": HOLDER | {"name": "{mark}\U000e0041"}}),
    bad("a marking that nobody knows", metadata={"secrecy": "{mark}"}),
    bad(
        "classified material",
        "classified-material",
        acts=("filing.refused",),
        metadata={"secrecy": "机密★10年"},
    ),
    bad("another system's case", "not-permitted", 403, who="other", acts=REFUSED),
    bad("a client that may not file", "not-permitted", 403, who="reader", acts=REFUSED),
    bad("a number that is not the address's", "invalid-input", metadata={"number": "other-{mark}"}),
    bad("a source that is not the address's", "invalid-input", metadata={"source": "wtpt"}),
    bad("closed before it was accepted", "case-dates", metadata={"closed_at": "2026-11-01T09:00:00Z"}),
    bad("closed in the future", "case-dates", metadata={"closed_at": "2036-11-01T09:00:00Z"}),
    bad("closed in the year 9999", metadata={"closed_at": "9999-12-31T23:59:59-12:00"}),
    bad("closed without a zone", metadata={"closed_at": "2026-11-16T16:00:00"}),
    bad(
        "a person's number with a wrong digit",
        "holder-code",
        metadata={"holder": PERSON | {"code": "339999190001010013"}},
    ),
    bad(
        "an item that is not there",
        "item-unknown",
        metadata={"item": {"code": "339999019999", "edition": "2026-03"}},
    ),
    Filing(
        name="a case that stands with another holder",
        status=202,
        code=None,
        acts=("filing.received",),
        number=FILED_CASE,
        metadata={"holder": PERSON},
    ),
    bad("a number of 65 characters", "case-number", number="n" * 65),
    bad("a number with outer blanks", number=" {mark}"),
    bad(
        "two hundred and one opinions",
        metadata={
            "opinions": [
                {
                    "node": "受理",
                    "author": "甲",
                    "role": "窗口",
                    "opinion": "{mark}",
                    "at": "2026-11-02T09:05:00+08:00",
                }
            ]
            * 201
        },
    ),
    bad(
        "an opinion at no time",
        metadata={
            "opinions": [
                {
                    "node": "受理",
                    "author": "甲",
                    "role": "窗口",
                    "opinion": "{mark}",
                    "at": "2026-11-02T24:05:00+08:00",
                }
            ]
        },
    ),
    bad(
        "a called-up licence that is a control character",
        metadata={"called_up": [{"kind": "licence", "identifier": "{mark}\x07"}]},
    ),
    bad(
        "a licence face that is a tree", metadata={"license": {"type": "x", "face": {"{mark}": {"a": ["b"]}}}}
    ),
]

CASES = [*NAMES, *PARTS, *BODIES, *METADATA]


def send(ground: Ground, filing: Filing, mark: str) -> Any:
    body = body_of(filing, mark)
    environ = {} if filing.length is None else {"CONTENT_LENGTH": str(filing.length)}
    return ground.app.test_client().post(
        f"/api/v1/cases/ycsl/{filled(filing.number, mark)}/filings",
        data=body,
        content_type=filled(filing.kind, mark),
        headers=ground.bearer(filing.who),
        environ_overrides=environ,
    )


@pytest.mark.parametrize("filing", CASES, ids=lambda filing: filing.name)
def test_a_hostile_filing(ground: Ground, filing: Filing) -> None:
    mark = mark_of(filing.name)
    with ground.watched(mark, filing.acts):
        answer = send(ground, filing, mark)
        told = f"{answer.headers}\n{answer.text}"
        assert (answer.status_code, code_of(answer)) == (filing.status, filing.code), told[-300:]
    if filing.code is not None:
        nothing_told(mark, told, "the answer")


def test_a_filing_replayed_gives_the_receipt_again_and_changes_nothing(ground: Ground) -> None:
    first = Filing(name="a filing replayed", status=202, code=None, number="REPLAYED")
    mark = mark_of(first.name)
    with ground.watched(mark, RECEIVED):
        receipt = send(ground, first, mark)
    for _ in range(3):
        with ground.watched(mark):
            again = send(ground, first, mark)
        assert (again.status_code, again.data) == (200, receipt.data)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("other bytes", {"parts": [Part("m0", b"%PDF-1.7 others {mark}")]}),
        ("other words", {"material": {"name": "{mark}"}}),
        ("another digest", {"material": {"sha256": "0" * 64}}),
        ("another size", {"material": {"size": 1}}),
    ],
)
def test_a_replay_with_something_else_is_a_conflict(
    ground: Ground, what: str, change: dict[str, Any]
) -> None:
    number = f"CHANGED-{what.replace(' ', '-')}"
    mark = mark_of(number)
    first = Filing(name=what, status=202, code=None, number=number)
    assert send(ground, first, mark).status_code == 202
    with ground.watched(mark, REFUSED):
        answer = send(
            ground, Filing(name=what, status=409, code="filing-conflict", number=number, **change), mark
        )
        assert (answer.status_code, code_of(answer)) == (409, "filing-conflict")
    nothing_told(mark, answer.text, "the answer")


def test_the_filings_are_what_their_names_say() -> None:
    sound = Filing(name="sound", status=202, code=None)
    assert metadata("x", sound)["materials"][0]["size"] == len(filled(PDF, "x"))
    assert len({one.name for one in CASES}) == len(CASES)
