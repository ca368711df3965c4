# SPDX-License-Identifier: Apache-2.0
"""Examples of answers, for the interface description; every person and number in them is made up."""

from typing import Any, Final

_AT: Final = "2026-11-24T01:00:00.000000Z"
_ID: Final = "2pzhja9ctv1fffpq9enrkxjdz6"
_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PROMISE: Final = {
    "log": "demo.cunzheng.invalid/log",
    "core_sha256": _HASH,
    "redeem_by": "2026-11-24T01:05:00.000000Z",
}

CASE: Final[dict[str, Any]] = {
    "id": _ID,
    "source": "ycsl",
    "number": "YC-2026-000140",
    "item": {"code": "339999010002", "edition": "2026-03"},
    "holder": {"scheme": "001", "code": "9133**********011X", "name": "演示食品有限公司"},
    "organisation": "scjg",
    "state": "open",
    "accepted_at": "2026-11-20T01:00:00.000000Z",
    "closed_at": None,
}
CASE_PAGE: Final[dict[str, Any]] = {"cases": [CASE], "next": None}
RECEIPT: Final[dict[str, Any]] = {
    "v": 1,
    "receipt": _ID,
    "case": {"source": "ycsl", "number": "YC-2026-000140"},
    "filing": _ID,
    "attempt": 1,
    "set_sha256": _HASH,
    "metadata": {"sha256": _HASH, "sm3": _HASH, "size": 1200},
    "materials": [
        {"file_name": "申请书.pdf", "code": "application-form", "sha256": _HASH, "sm3": _HASH, "size": 48211}
    ],
    "received_at": _AT,
    "promise": _PROMISE,
}
SUPPLEMENT_RECEIPT: Final[dict[str, Any]] = RECEIPT | {"attempt": 2, "supplement": 1}
PROOF: Final[dict[str, Any]] = {
    "jws": "eyJhbGciOiJFUzI1NiJ9.eyJkZWNpc2lvbiI6e319.c2lnbmF0dXJl",
    "decision": {
        "v": 1,
        "id": _ID,
        "case": {"source": "ycsl", "number": "YC-2026-000140"},
        "item": {"code": "339999010002", "edition": "2026-03"},
        "purpose": "accept",
        "result": "UNKNOWN",
        "requirements": [
            {
                "id": "R1",
                "zh": "营业执照",
                "en": "Business licence",
                "material": "business-license",
                "result": "MET",
                "reason": {
                    "code": "R.ESTABLISHED",
                    "zh": "已由电子证照库核实",
                    "en": "Established by the licence library",
                },
                "source": None,
                "next": [],
            }
        ],
    },
    "promise": _PROMISE,
    "expected_at": None,
}
_ASKED_DEPARTMENT: Final = {
    "code": "R.ASKED_DEPARTMENT",
    "zh": "已请主管部门协查，等待答复",
    "en": "The responsible department was asked and has not answered",
}
_WAITS: Final[dict[str, Any]] = {
    "result": "PENDING",
    "reason": _ASKED_DEPARTMENT,
    "standing": {"kind": "cooperation", "id": _ID, "due": "2026-11-24T09:00:00.000000Z"},
}
PROOF_PENDING: Final[dict[str, Any]] = PROOF | {
    "decision": PROOF["decision"]
    | {"result": "PENDING", "requirements": [PROOF["decision"]["requirements"][0] | _WAITS]},
    "expected_at": "2026-11-24T09:00:00.000000Z",
}
LICENCE: Final[dict[str, Any]] = {
    "id": _ID,
    "identifier": "1.2.156.3005.2.11100000MB0143028R001.11339999DEM0010178.DEMO000001.001.X",
    "type": {"code": "11100000MB0143028R001", "zh": "营业执照", "en": "Business licence"},
    "status": {"code": "valid", "zh": "有效", "en": "Valid"},
    "ministry_status": {"code": "01", "zh": "有效", "en": "Valid"},
    "as_of": "2026-05-02T08:00:00.000000Z",
    "issuer": "演示市市场监督管理局",
    "holder": {"scheme": "001", "code": "9133**********011X", "name": "演示食品有限公司"},
    "number": "91339999MADEM0011X",
    "issued_on": "2026-05-02",
    "valid_from": "2026-05-02",
    "valid_until": None,
    "face": {"name": "演示食品有限公司"},
    "version": 1,
    "trust": "A",
    "pending": "renewal",
    "holders": [
        {"holder": {"scheme": "111", "code": "3399**********0012", "name": "张*"}, "share": "1/2"},
    ],
}
_RELATION: Final[dict[str, Any]] = {
    "relation": {"code": "legal-representative", "zh": "法定代表人", "en": "Legal representative"},
    "direction": "from-holder",
    "result": "UNKNOWN",
    "reason": "name-only",
    "other": {"scheme": "", "code": "", "name": "张*"},
    "source": {
        "identifier": "1.2.156.3005.2.11100000MB0143028R001.11339999DEM0010178.DEMO000001.001.X",
        "type": {"code": "11100000MB0143028R001", "zh": "营业执照", "en": "Business licence"},
        "issuer": "演示市市场监督管理局",
        "issued_on": "2026-05-02",
        "age_days": 206,
        "trust": "B",
        "status": {"code": "valid", "zh": "有效", "en": "Valid"},
    },
}
LICENCES: Final[dict[str, Any]] = {
    "holder": {"scheme": "001", "code": "9133**********011X", "name": "演示食品有限公司"},
    "relations": [_RELATION],
    "licences": [LICENCE | {"face": {}}],
    "next": None,
}
_SEAL_HOLDS: Final[dict[str, Any]] = {
    "code": "seal-holds",
    "state": "valid",
    "rule": "PAdES B-T",
    "zh": "电子印章有效：文件自用章以来未被改动，用章时间有可信时间戳。",
    "en": "The seal holds: the file is unchanged since sealing, and a trusted time stamp proves when.",
}
REPORT: Final[dict[str, Any]] = {
    "headline": {"code": "invalid", "zh": "无效", "en": "Invalid"},
    "sentence": {"zh": "文件真实，证照已过期", "en": "The file is genuine; licence status: expired"},
    "file": {
        "code": "seal-holds",
        "standing": "valid",
        "zh": _SEAL_HOLDS["zh"],
        "en": _SEAL_HOLDS["en"],
    },
    "licence": {"code": "expired", "standing": "invalid", "zh": "已过期", "en": "Expired"},
    "file_check": {"code": 0, "zh": "文件验证通过", "en": "Passed"},
    "information_check": {"code": 3, "zh": "信息正确，证照已失效", "en": "Correct, no longer valid"},
    "copy": {
        "code": "copy-good",
        "standing": "valid",
        "zh": "仅供收件受理使用，有效期至 2026-07-30",
        "en": "Only for: Acceptance of an application; good until 2026-07-30",
    },
    "card": {
        "type": {"code": "11339999DEM0010178001", "zh": "食品经营许可证", "en": "Food operation licence"},
        "issuer": "演示市市场监督管理局",
        "status": {"code": "expired", "zh": "已过期", "en": "Expired"},
        "valid_from": "2026-05-01",
        "valid_until": "2026-06-30",
        "holder": "演示食品有限公司",
        "trust": "A",
        "pending": "renewal",
    },
    "verdict": {
        "state": "valid",
        "title": {"zh": "有效", "en": "Valid"},
        "reasons": [_SEAL_HOLDS],
        "signatures": [
            {
                "field": "Seal1",
                "kind": "certification",
                "state": "valid",
                "reasons": [_SEAL_HOLDS],
                "signer": "演示市市场监督管理局证照专用章",
                "issuer": "演示印章签发机构",
                "certificate_sha256": _HASH,
                "seal_id": _ID,
                "seal_name": "演示市市场监督管理局证照专用章",
                "department": "scjg",
                "sealed_at": _AT,
                "token_serial": "1",
                "token_authority": "演示时间戳服务",
                "signed_sha256": _HASH,
                "signed_bytes": 48211,
                "covers_whole_file": True,
                "changes": "",
            }
        ],
        "sha256": _HASH,
        "size": 48211,
        "at": _AT,
    },
    "promise": _PROMISE,
}
INFORMATION: Final[dict[str, Any]] = {
    "checks": [
        {
            "code": 3,
            "zh": "信息正确，证照已失效",
            "en": "Correct, no longer valid",
            "reasons": [{"code": "cancelled", "zh": "证照已注销", "en": "The licence was cancelled"}],
            "items": [],
            "trust": "A",
            "promise": _PROMISE,
        }
    ]
}
INFORMATION_NULLABLE: Final = ("promise", "trust")
REPORT_NULLABLE: Final = (
    "information_check",
    "card",
    "copy",
    "promise",
    "valid_from",
    "valid_until",
    "pending",
    "seal_id",
    "seal_name",
    "department",
    "sealed_at",
    "token_serial",
    "token_authority",
)
"""Members of :data:`REPORT` that may be ``null``."""
COPY: Final[dict[str, Any]] = {
    "id": _ID,
    "state": "made",
    "reason": None,
    "purpose": {"code": "accept", "zh": "收件受理", "en": "Acceptance of an application"},
    "case": _ID,
    "ordered_at": _AT,
    "made_at": _AT,
    "valid_until": "2026-12-23",
    "licence_status": "valid",
    "original_sha256": _HASH,
    "sha256": _HASH,
    "size": 137340,
    "verification": "https://cunzheng.invalid/v/" + _ID,
}
COPY_NULLABLE: Final = ("case", "made_at", "licence_status", "sha256", "size", "verification")
AUTHORISATION_CODE: Final[dict[str, Any]] = {
    "id": _ID,
    "code": "AAAAAAAAAAAAAAAAAAAAAA",
    "expires_at": _AT,
}
COPY_LINK: Final[dict[str, Any]] = {"token": "AAAAAAAAAAAAAAAAAAAAAA", "expires_at": _AT}
PROOF_NULLABLE: Final = ("material",)
PROOF_PENDING_NULLABLE: Final = ("material", "expected_at", "due")
LICENCE_NULLABLE: Final = ("valid_from", "share", "pending", "ministry_status", "as_of")
DOSSIER_NULLABLE: Final = ("filed_at", "pages", "level", "manifest", "seal_sha256", "sha256")
CASE_STATE_NULLABLE: Final = ("due", "decided_at", "material", "licence_waiting", "problem")
JWKS: Final[dict[str, Any]] = {
    "keys": [{"kty": "EC", "crv": "P-256", "x": "…", "y": "…", "kid": "…", "use": "sig", "alg": "ES256"}]
}
CHECKPOINT: Final = (
    "demo.cunzheng.invalid/log\n42\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— demo.cunzheng.invalid/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n"
)
DOSSIER: Final[dict[str, Any]] = {
    "id": _ID,
    "archival_number": "Z901·2026-SP-D30-0001",
    "title": "演示食品有限公司食品经营许可核发",
    "case": {"source": "ycsl", "number": "YC-2026-000131"},
    "item": {"code": "339999010002", "edition": "2026-03"},
    "holder": {"scheme": "001", "code": "9133**********011X", "name": "演示食品有限公司"},
    "organisation": "scjg",
    "retention": {
        "code": "D30",
        "zh": "准予食品经营许可的案卷保管30年",
        "en": "Files of granted food licences are kept for 30 years",
    },
    "filed_at": _AT,
    "version": 1,
    "manifest": {"sha256": _HASH, "seal_sha256": _HASH},
    "members": [
        {
            "position": 1,
            "role": "catalogue",
            "code": "catalogue",
            "title": "卷内目录",
            "sha256": _HASH,
            "sm3": _HASH,
            "size": 48211,
            "media_type": "application/pdf",
            "pages": 1,
            "level": "3b",
        }
    ],
}
ATTEMPT: Final[dict[str, Any]] = {
    "filing": _ID,
    "attempt": 1,
    "supplement": None,
    "state": "returned",
    "received_at": _AT,
    "decided_at": _AT,
    "original_only": 0,
    "findings": [
        {
            "code": "M03",
            "material": "decision",
            "zh": "缺少必需材料：行政许可决定书",
            "en": "Missing",
            "remedy_zh": "请补充后重新归档。",
            "remedy_en": "Add it and file again.",
        }
    ],
    "waiting": None,
}
CASE_STATE: Final[dict[str, Any]] = CASE | {
    "due": "2026-12-01",
    "attempts": [ATTEMPT],
    "licence_waiting": {
        "step": "license.issue",
        "state": "waiting",
        "problem": "seals-refused",
        "since": _AT,
    },
    "dossier": None,
    "archival_number": None,
    "supplements": [],
}

SUBSCRIPTION: Final[dict[str, Any]] = {
    "id": _ID,
    "name": "食品经营许可变更",
    "about": "licences",
    "types": ["11339999DEM0010178001"],
    "items": ["339999010002"],
    "holders": 0,
    "purpose": "keep-current",
    "endpoint": "https://events.example/licences",
    "public_key": "whpk_LqciuOW3hkfMW0NqK7fuPeEscSYflgxiXzemS24vgO8=",
    "state": "approved",
    "asked_at": _AT,
    "expires_at": _AT,
    "decided_at": _AT,
    "decision": "同意共享",
    "ended_at": _AT,
    "ended_because": "client",
    "told": 12,
    "told_at": _AT,
    "problem": "no-connection",
    "problem_at": _AT,
}
SUBSCRIPTION_NULLABLE: Final = (
    "decided_at",
    "ended_at",
    "ended_because",
    "endpoint",
    "problem",
    "problem_at",
    "secret",
    "told_at",
)
SUBSCRIPTION_MADE: Final[dict[str, Any]] = {
    "subscription": SUBSCRIPTION,
    "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "promise": _PROMISE,
}
SUBSCRIPTION_LIST: Final[dict[str, Any]] = {"subscriptions": [SUBSCRIPTION]}
SUBSCRIPTION_SECRET: Final[dict[str, Any]] = {"secret": SUBSCRIPTION_MADE["secret"], "promise": _PROMISE}
SUBSCRIPTION_ENDED: Final[dict[str, Any]] = {"promise": _PROMISE}
SUBSCRIPTION_PING: Final[dict[str, Any]] = {"event": _ID}
DISPUTE: Final[dict[str, Any]] = {
    "id": _ID,
    "identifier": LICENCE["identifier"],
    "reason": {"code": "face-wrong", "zh": "照面信息有误", "en": "What its face states is wrong"},
    "state": "open",
    "late": False,
    "organisation": "scjg",
    "opened_at": _AT,
    "due_on": "2026-12-08",
    "answered_at": None,
    "answer": None,
    "remedy": None,
    "correction": None,
}
DISPUTE_MADE: Final[dict[str, Any]] = {"dispute": DISPUTE, "promise": _PROMISE}
