# SPDX-License-Identifier: Apache-2.0
"""Calls through a façade that want more than they may, or say what nobody should."""

from typing import Any

from .calls import BIDI, REFUSED, Call
from .ground import HOLDER, ITEM, OPEN_CASE, OPERATOR

DATA, BY_HOLDER = "/elssp/v1/GetCertificateDataByCertificateID", "/elssp/v1/GetCertificateDataByHolder"
FILE = "/elssp/v1/GetCertificateFileByCertificateID"
HEAD = {
    "orgName": "演示市市场监督管理局",
    "username": OPERATOR,
    "itemName": "食品经营许可核发",
    "itemCode": ITEM["code"],
    "businessCode": OPEN_CASE,
}
NOTHING, KEYLESS, EMPTY, WRONG, OTHER = 10, 11, 12, 102, 99
_UNFIT = frozenset({KEYLESS, EMPTY, 13, 14, WRONG})
"""Told of a call that does not fit the interface, whoever calls."""


def spoken(name: str, result: int, *acts: str, status: int = 200, **more: Any) -> Call:
    """A call to the national dialect with changes to its head and data, or with a body of its own."""
    head = HEAD | more.pop("head", {})
    data = {"UseFor": "accept", "CertificateID": "{mark}"} | more.pop("data", {})
    if "raw" not in more and "body" not in more:
        more["body"] = {"head": head, "data": {key: one for key, one in data.items() if one is not None}}
    if status == 200 and result in _UNFIT:
        status = 422
    headers = {"Content-Type": "application/json"} | more.pop("headers", {})
    path = more.pop("path", DATA)
    return Call(
        name=name,
        status=status,
        result=result,
        acts=acts,
        method="POST",
        path=path,
        headers=headers,
        **more,
    )


def held(**changes: str) -> dict[str, Any]:
    return {
        "CertificateID": None,
        "CertificateHolderType": HOLDER["scheme"],
        "CertificateHolderCode": HOLDER["code"],
        "CertificateType": "11339999DEM0010178001",
    } | changes


FACADES = [
    spoken("an identifier of nothing", NOTHING, *REFUSED),
    spoken("a file of nothing", NOTHING, *REFUSED, path=FILE),
    spoken("another's case", NOTHING, *REFUSED, who="other"),
    spoken("a case made up", NOTHING, *REFUSED, head={"businessCode": "{mark}"}),
    spoken("a source made up", NOTHING, *REFUSED, head={"businessCode": "{mark}/" + OPEN_CASE}),
    spoken("an item made up", NOTHING, *REFUSED, head={"itemCode": "{mark}"}),
    spoken("an item by another name", NOTHING, *REFUSED, head={"itemName": "{mark}"}),
    spoken("an office by another name", NOTHING, *REFUSED, head={"orgName": "{mark}"}),
    spoken("an operator made up", KEYLESS, status=401, head={"username": "{mark}"}),
    spoken("a purpose made up", WRONG, data={"UseFor": "{mark}"}),
    spoken("a purpose from right to left", WRONG, data={"UseFor": f"accept{BIDI}{{mark}}"}),
    spoken("a purpose of ten thousand characters", WRONG, data={"UseFor": "{mark}" + "事" * 10_000}),
    spoken("no purpose", EMPTY, data={"UseFor": ""}),
    spoken("a key in the head", KEYLESS, head={"AccessToken": "{mark}"}),
    spoken("a key in the data", KEYLESS, data={"access_token": "{mark}"}),
    spoken("a digest of a password", KEYLESS, head={"PasswdDigest": "{mark}", "Nonce": "1", "Created": "1"}),
    spoken("a key in the address", WRONG, query="accessToken={mark}"),
    spoken("no key for a façade", KEYLESS, status=401, who=""),
    spoken("the right to read is missing", KEYLESS, *REFUSED, status=403, who="auditor"),
    spoken("a member that no profile has", WRONG, head={"{mark}": "1"}),
    spoken("a text where an object belongs", WRONG, body={"head": "{mark}", "data": {}}),
    spoken("a third part", WRONG, body={"head": {}, "data": {}, "{mark}": {}}),
    spoken("a list for a call", WRONG, body=["{mark}"]),
    spoken("a call cut short", WRONG, status=400, raw=b'{"head":{"orgName":"{mark}'),
    spoken("a call called text", OTHER, status=415, headers={"Content-Type": "text/plain"}),
    spoken("a holder who is not the case's", NOTHING, *REFUSED, path=BY_HOLDER, data=held(
        CertificateHolderType="111", CertificateHolderCode="339999190001010012")),
    spoken("a holder's code with a wrong digit", WRONG, path=BY_HOLDER, data=held(
        CertificateHolderCode="91339999MADEM0012X")),
    spoken("a scheme that there is not", 14, path=BY_HOLDER, data=held(CertificateHolderType="{mark}")),
    spoken("a type that there is not", 13, path=BY_HOLDER, data=held(CertificateType="{mark}")),
    spoken("a number of quotes", NOTHING, "license.read", path=BY_HOLDER, data=held(
        CertificateNumber="' OR 1=1 --{mark}")),
]  # fmt: skip

FILE_BY_HOLDER, TYPES, VERIFY = (
    f"/elssp/v1/{one}" for one in ("GetCertificateFileByHolder", "GetCertificateType", "VerifyCertificate")
)


def checked(name: str, result: int, *acts: str, **more: Any) -> Call:
    """A verification: it demands a purpose and what is stated, and takes none of the five elements."""
    said = {"UseFor": "accept", "CertificateID": "{mark}"} | more.pop("data", {})
    body = {"head": {}, "data": {key: one for key, one in said.items() if one is not None}}
    return spoken(name, result, *acts, path=VERIFY, body=body, **more)


def in_shandong(name: str, result: int, service: str, data: dict[str, Any], *acts: str, **more: Any) -> Call:
    """A call in the other dialect, whose head holds nothing that it must not."""
    body = {"head": more.pop("head", {}), "data": data}
    return spoken(name, result, *acts, path=f"/elssp/shandong/{service}", body=body, **more)


SERVICES = [
    spoken("a file of a holder who is not the case's", NOTHING, *REFUSED, path=FILE_BY_HOLDER, data=held(
        CertificateHolderType="111", CertificateHolderCode="339999190001010012")),
    spoken("a file for another's case", NOTHING, *REFUSED, path=FILE_BY_HOLDER, data=held(), who="other"),
    spoken("a file of a holder without a purpose", EMPTY, path=FILE_BY_HOLDER, data=held() | {"UseFor": ""}),
    spoken("a type made up", 13, path=TYPES, body={"head": {}, "data": {"CertificateType": "{mark}"}}),
    spoken("a type with a member besides", WRONG, path=TYPES, body={"head": {}, "data": {"{mark}": "1"}}),
    spoken("types for nobody", KEYLESS, status=401, path=TYPES, body={"head": {}, "data": {}}, who=""),
    checked("a check of nothing by a façade", 0),
    checked("a check for no purpose", EMPTY, data={"UseFor": ""}),
    checked("a check for a purpose made up", WRONG, data={"UseFor": "{mark}"}),
    checked("a check of no identifier", EMPTY, data={"CertificateID": None}),
    checked("a check of what is stated as a text", WRONG, data={"CertificateData": "{mark}"}),
    checked("a check of what no profile names", WRONG, data={"CertificateData": {"{mark}": "1"}}),
    checked("a check by nobody", KEYLESS, status=401, who=""),
    checked("a check without the right to read", KEYLESS, *REFUSED, status=403, who="auditor"),
    in_shandong("a key in the other dialect", KEYLESS, "queryCertInfo", {}, head={
        "accessId": "{mark}", "accessToken": "{mark}"}),
    *(
        in_shandong(f"nothing said to {service}", EMPTY, service, {})
        for service in (
            "queryCertInfo", "queryCertInfoByHolderCode", "downloadFile", "verifyCertInfo", "verifyFile")
    ),
    *(
        in_shandong(f"a member besides for {service}", WRONG, service, {"{mark}": "1"})
        for service in (
            "queryCertInfo", "queryCertInfoByHolderCode", "downloadFile", "verifyCertInfo", "verifyFile")
    ),
]  # fmt: skip

ACCESS = {
    "Access-Operator": OPERATOR,
    "Access-Case": f"ycsl/{OPEN_CASE}",
    "Access-Item": ITEM["code"],
    "Access-Purpose": "accept",
}
HIDDEN = "license-not-found"


def listed(name: str, status: int, code: str | None, *acts: str, **more: Any) -> Call:
    """A list of licences, or one, for an open case."""
    headers = ACCESS | more.pop("headers", {})
    path = more.pop("path", "/api/v1/licences")
    return Call(name=name, status=status, code=code, acts=acts, path=path, headers=headers, **more)


LOOKUPS = [
    listed("a list for a case made up", 404, HIDDEN, *REFUSED, headers={"Access-Case": "ycsl/{mark}"}),
    listed("a list without a case", 404, HIDDEN, *REFUSED, who="reader", headers={"Access-Case": "{mark}"}),
    listed("a list for another's case", 404, HIDDEN, *REFUSED, who="other"),
    listed("a relation made up", 422, "relation-unknown", query="relation={mark}"),
    listed("a relation that the item names not", 404, HIDDEN, *REFUSED, query="relation=spouse"),
    listed("a relation twice", 422, "invalid-input", query="relation=spouse&relation={mark}"),
    listed("a cursor made up", 422, "cursor", query="after={mark}"),
    listed("a page of a million", 422, "invalid-input", query="limit=1000000"),
    listed("a filter that there is not", 422, "invalid-input", query="{mark}=1"),
    listed(
        "a licence over a relation made up",
        422,
        "relation-unknown",
        path="/api/v1/licences/{mark}",
        query="relation=cousin",
    ),
    listed(
        "a licence made up over a relation",
        404,
        HIDDEN,
        *REFUSED,
        path="/api/v1/licences/{mark}",
        query="relation=legal-representative",
    ),
]


def contested(name: str, status: int, problem: str | None, *acts: str, **changes: Any) -> Call:
    """A dispute about a licence that there is not, or that nobody was shown."""
    more = {key: changes.pop(key) for key in ("who", "headers", "path", "method") if key in changes}
    body = {"identifier": "{mark}", "code": "0" * 26, "reason": "face-wrong", "words": "{mark}"} | changes
    headers = {"Content-Type": "application/json", "Access-Operator": OPERATOR} | more.pop("headers", {})
    call: dict[str, Any] = {"who": "verifier", "method": "POST", "path": "/api/v1/disputes"} | more
    return Call(name=name, status=status, code=problem, acts=acts, body=body, headers=headers, **call)


DISPUTES = [
    contested("a dispute about nothing", 404, HIDDEN, *REFUSED),
    contested("a dispute without the right", 403, "not-permitted", *REFUSED, who="reader"),
    contested("a dispute of nobody", 401, "unauthenticated", who=""),
    contested("a dispute of an operator made up", 401, "unauthenticated", headers={"Access-Operator": "x"}),
    contested("a dispute for a reason made up", 422, "dispute-reason", reason="because"),
    contested("a dispute with a code of quotes", 422, "invalid-input", code="' OR 1=1 --{mark}"),
    contested("a dispute of ten thousand words", 422, "invalid-input", words="{mark} " * 10_000),
    contested("a dispute without words", 422, "invalid-input", words=""),
    contested("a dispute whose words are unseen", 422, "invalid-input", words=f"{BIDI}{{mark}}"),
    contested("a dispute that names its answer", 422, "invalid-input", state="upheld"),
    contested(
        "a dispute made up", 404, "objection-unknown", *REFUSED, method="GET", path="/api/v1/disputes/{mark}"
    ),
]
