# SPDX-License-Identifier: Apache-2.0
"""Calls whose address, headers, keys or questions are not what they should be."""

from .calls import BIDI, REFUSED, announce, asked, get
from .ground import CLOSED_CASE, ITEM, OPEN_CASE, PERSON, case_body

NUMBERS = [
    announce("a number of 65 characters", 422, "case-number", path="/api/v1/cases/ycsl/" + "n" * 65),
    announce(
        "a number of ten thousand characters", 422, "case-number", path="/api/v1/cases/ycsl/" + "n" * 10_000
    ),
    announce("a number with NUL", 404, "not-found", path="/api/v1/cases/ycsl/{mark}%00"),
    announce(
        "a number with a line break", 422, "case-number", path="/api/v1/cases/ycsl/{mark}%0d%0aX-Evil:1"
    ),
    announce(
        "a number in composed and decomposed form",
        422,
        "case-number",
        path="/api/v1/cases/ycsl/{mark}e%CC%81",
    ),
    announce("a number from right to left", 422, "case-number", path="/api/v1/cases/ycsl/{mark}%E2%80%AE"),
    announce("a number with outer blanks", 422, "case-number", path="/api/v1/cases/ycsl/%20{mark}"),
    announce("a number with a backslash", 422, "case-number", path="/api/v1/cases/ycsl/..%5C{mark}"),
    announce(
        "a number that is an encoded path", 404, "not-found", path="/api/v1/cases/ycsl/..%2F..%2F{mark}"
    ),
    announce("a number that is dots", 422, "case-number", path="/api/v1/cases/ycsl/.."),
    announce("a number of overlong UTF-8", 422, "case-number", path="/api/v1/cases/ycsl/{mark}%C0%AE"),
    announce("a number of half a surrogate", 422, "case-number", path="/api/v1/cases/ycsl/{mark}%ED%A0%80"),
    announce("another system's source", 403, "not-permitted", path="/api/v1/cases/wtpt/{mark}", acts=REFUSED),
    get(
        "another system's case",
        404,
        "case-not-found",
        who="other",
        path=f"/api/v1/cases/ycsl/{OPEN_CASE}",
        acts=REFUSED,
    ),
    get(
        "two slashes for one",
        404,
        "not-found",
        path="/api//v1/cases/ycsl/{mark}",
        headers={"Host": "{mark}.invalid"},
    ),
]

IDENTITY = [
    get("no key", 401, "unauthenticated", who=""),
    get("a key made up", 401, "unauthenticated", headers={"Authorization": "Bearer {mark}"}),
    get("a key out of date", 401, "unauthenticated", who="expired"),
    get("a password for a key", 401, "unauthenticated", headers={"Authorization": "Basic e21hcms6eA=="}),
    get(
        "a key of a hundred thousand characters",
        401,
        "unauthenticated",
        headers={"Authorization": "Bearer {mark}" + "k" * 100_000},
    ),
    get("a key that is no ASCII", 401, "unauthenticated", headers={"Authorization": "Bearer \xff{mark}"}),
    get("an empty key", 401, "unauthenticated", headers={"Authorization": "Bearer "}),
    get(
        "two keys in one header",
        401,
        "unauthenticated",
        headers={"Authorization": "Bearer {mark}, Bearer {mark}"},
    ),
    get("a key in the address", 401, "unauthenticated", who="", query="access_token={mark}"),
    get("an operator that is not registered", 401, "unauthenticated", headers={"Access-Operator": "{mark}"}),
    get("an operator of blanks", 422, "invalid-input", headers={"Access-Operator": ""}),
    get(
        "an operator of 201 characters",
        422,
        "invalid-input",
        headers={"Access-Operator": "{mark}" + "o" * 201},
    ),
    get(
        "an operator with a control character",
        422,
        "invalid-input",
        headers={"Access-Operator": "{mark}\x7f"},
    ),
    get(
        "a scope that is missing",
        403,
        "not-permitted",
        who="reader",
        method="PUT",
        body=case_body(),
        acts=REFUSED,
    ),
    get("a licence without a basis", 404, "license-not-found", path="/api/v1/licences/{mark}", acts=REFUSED),
    get(
        "a licence on the basis of another's case",
        404,
        "license-not-found",
        who="other",
        path="/api/v1/licences/{mark}",
        headers={"Access-Case": f"ycsl/{OPEN_CASE}", "Access-Item": ITEM["code"], "Access-Purpose": "accept"},
        acts=REFUSED,
    ),
    get(
        "a basis made up",
        404,
        "license-not-found",
        path="/api/v1/licences/{mark}",
        headers={"Access-Case": "{mark}/{mark}", "Access-Item": "{mark}", "Access-Purpose": "{mark}"},
        acts=REFUSED,
    ),
    get(
        "a dossier that is not there", 404, "dossier-not-found", path="/api/v1/dossiers/{mark}", acts=REFUSED
    ),
    get("a dossier by a path", 404, "not-found", path="/api/v1/dossiers/..%2F..%2F{mark}"),
    get("a decision of somebody else", 404, "not-found", path="/api/v1/proofs/{mark}", acts=REFUSED),
    get(
        "entries of the ledger without the right",
        404,
        "not-found",
        path="/api/v1/ledger/tile/entries/000",
        acts=REFUSED,
    ),
    get(
        "entries of the ledger by a stranger",
        404,
        "not-found",
        who="",
        path="/api/v1/ledger/tile/entries/000",
    ),
]

ADDRESSES = [
    get(
        "a tile that leads out of the folder",
        404,
        "not-found",
        who="",
        path="/api/v1/ledger/tile/..%2F..%2Fkeys",
    ),
    get("a tile by an absolute path", 404, "not-found", who="", path="/api/v1/ledger/tile//etc/passwd"),
    get("a tile in foreign digits", 404, "not-found", who="", path="/api/v1/ledger/tile/0/٠٠٠"),
    get(
        "a tile of a level beyond all trees",
        404,
        "not-found",
        who="",
        path="/api/v1/ledger/tile/99999999999999999999/000",
    ),
    get(
        "a tile of a number beyond all numbers",
        404,
        "not-found",
        who="",
        path="/api/v1/ledger/tile/0/" + "x999/" * 2_000 + "999",
    ),
    get("a tile of a negative level", 404, "not-found", who="", path="/api/v1/ledger/tile/-1/000"),
    get("the receipt of no act", 404, "not-found", who="", path="/api/v1/ledger/receipts/" + "0" * 64),
    get("a receipt by capital letters", 404, "not-found", who="", path="/api/v1/ledger/receipts/" + "A" * 64),
    get(
        "a receipt by 64 Han characters",
        404,
        "not-found",
        who="",
        path="/api/v1/ledger/receipts/" + "印" * 64,
    ),
    get(
        "a receipt by an injection", 404, "not-found", who="", path="/api/v1/ledger/receipts/'%20OR%20'1'='1"
    ),
    get("no such address", 404, "not-found", who="", path="/api/v1/{mark}"),
    get(
        "an address of a hundred thousand characters",
        404,
        "not-found",
        who="",
        path="/api/v1/{mark}" + "a" * 100_000,
    ),
    get("a cursor made up", 422, "cursor", path="/api/v1/cases", query="after={mark}"),
    get("a cursor of NUL", 422, "cursor", path="/api/v1/cases", query="after=%00"),
    get("two numbers of lines", 422, "invalid-input", path="/api/v1/cases", query="limit=1&limit={mark}"),
    get(
        "an item of blanks where no case is named",
        422,
        "invalid-input",
        path="/api/v1/cases",
        headers={"Access-Item": ""},
    ),
    get("no lines", 422, "invalid-input", path="/api/v1/cases", query="limit=0"),
    get("less than no lines", 422, "invalid-input", path="/api/v1/cases", query="limit=-1"),
    get(
        "more lines than there are numbers",
        422,
        "invalid-input",
        path="/api/v1/cases",
        query="limit=" + "9" * 5_000,
    ),
    get("lines in full-width digits", 422, "invalid-input", path="/api/v1/cases", query="limit=%EF%BC%95"),
    get("a parameter that nobody knows", 422, "invalid-input", path="/api/v1/cases", query="{mark}=1"),
    get("a search for nothing", 422, "invalid-input", path="/api/v1/search", query="q="),
    get("a search for a sign only", 422, "search-query", path="/api/v1/search", query="q=%22"),
    get(
        "a search that is a program",
        200,
        path="/api/v1/search",
        query="q=%22x%22%20OR%20title:%7Bmark%7D%20NEAR(a%20b,2)%20*",
    ),
    get("a search for NUL", 422, "search-query", path="/api/v1/search", query="q=%00"),
    get("a search for half a surrogate", 200, path="/api/v1/search", query="q=%ED%A0%80"),
    get(
        "a search for 201 characters",
        422,
        "invalid-input",
        path="/api/v1/search",
        query="q={mark}" + "a" * 201,
    ),
    get("a search in no such kind", 422, "invalid-input", path="/api/v1/search", query="q=a&kind={mark}"),
    get("a search cursor made up", 422, "cursor", path="/api/v1/search", query="q=a&after={mark}"),
]

PROOFS = [
    asked("a question by nobody", 403, "operator-required", "proof.refused", operator=None),
    asked(
        "a question about a case made up",
        403,
        "proof-refused",
        "proof.refused",
        case={"source": "ycsl", "number": "{mark}"},
    ),
    asked(
        "a question about another system's case",
        403,
        "proof-refused",
        "proof.refused",
        case={"source": "wtpt", "number": OPEN_CASE},
    ),
    asked(
        "a question about a closed case",
        403,
        "proof-refused",
        "proof.refused",
        case={"source": "ycsl", "number": CLOSED_CASE},
    ),
    asked("a question for a purpose made up", 403, "purpose-unknown", "proof.refused", purpose="{mark}"),
    asked(
        "a question about an item that was not granted",
        403,
        "proof-refused",
        "proof.refused",
        item="339999010001",
    ),
    asked(
        "a question about somebody else",
        403,
        "proof-refused",
        "proof.refused",
        holder={"scheme": "111", "code": PERSON["code"]},
    ),
    asked(
        "a question about a number that is none",
        403,
        "proof-refused",
        "proof.refused",
        holder={"scheme": "111", "code": "339999190001010013"},
    ),
    asked(
        "a requirement that is not there",
        403,
        "requirement-unknown",
        "proof.refused",
        requirements=["{mark}"],
    ),
    asked("fifty-one requirements", 422, "invalid-input", requirements=["business-license"] * 51),
    asked("a case that is a path", 422, "invalid-input", case={"source": "ycsl", "number": "../{mark}"}),
    asked(
        "a case from right to left",
        403,
        "proof-refused",
        "proof.refused",
        case={"source": "ycsl", "number": f"{{mark}}{BIDI}"},
    ),
    asked(
        "a holder in full width",
        422,
        "invalid-input",
        holder={"scheme": "111", "code": "３39999190001010012"},
    ),
]
