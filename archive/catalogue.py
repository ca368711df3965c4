# SPDX-License-Identifier: Apache-2.0
"""The catalogue page of a dossier: what it holds, each file with its role, pages, size and digest.

The page is set from data alone and carries the seal on its first page, at the right of the facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.models import Dossier, DossierMember, Role
from archive.numbering import supplement_number
from cases.items import Department, Item
from cases.models import Case
from documents.errors import GlyphMissingError
from documents.ports import Typesets
from documents.reasons import REASONS
from documents.typesetting import surely_set
from seals.orders import Placement
from storage.clock import SHANGHAI, parse_rfc3339, rfc3339
from storage.ledger.canonical import Json

TEMPLATE = Path(__file__).parent / "templates" / "catalogue.typ"
SEAL = Placement(page=1, x_mm=155, y_mm=30, size_mm=40)
"""Right of the facts, which end at 148 mm."""

ROLE_TITLES: dict[Role, tuple[str, str]] = {
    Role.METADATA: ("元数据", "Metadata"),
    Role.ORIGINAL: ("原件", "Original"),
    Role.RENDITION: ("版式件", "Rendition"),
    Role.LICENCE: ("证照", "Licence"),
    Role.CALLED_UP: ("调用证照", "Called-up licence"),
    Role.DECISION: ("核验结论", "Decision"),
    Role.COMMITMENT: ("承诺书", "Written commitment"),
    Role.CHECKS: ("检测报告", "Report of checks"),
    Role.CATALOGUE: ("目录", "Catalogue"),
}
RETENTION_TITLES: dict[str, tuple[str, str]] = {
    "Y": ("永久", "Permanent"),
    "D30": ("30年", "30 years"),
    "D10": ("10年", "10 years"),
}
_NOTE = "原件保持接收时的字节不变；版式件为 PDF/A，由本机构用章；摘要可用任何 SHA-256 工具核对。"


@dataclass(frozen=True, slots=True)
class CatalogueFacts:
    """What the catalogue needs beside the members."""

    dossier: Dossier
    case: Case
    item: Item
    department: Department


def catalogue_data(facts: CatalogueFacts) -> dict[str, Json]:
    """Give the head of the catalogue as data; members are added when their digests are final."""
    dossier, case = facts.dossier, facts.case
    closed = case.closed_at or dossier.assembled_at
    period = f"{_day(rfc3339(case.accepted_at))} 至 {_day(rfc3339(closed))}"
    adds: list[Json] = []
    if dossier.supplement is not None:
        adds.append(["补充归档", _adds(dossier, dossier.supplement)])
    return {
        "number": dossier.archival_number,
        "facts": [
            ["档号", dossier.archival_number],
            *adds,
            ["题名", dossier.title],
            ["立档单位", facts.department.zh],
            ["事项", f"{facts.item.zh}（{facts.item.code}，{facts.item.edition}版）"],
            ["办件编号", f"{case.source} / {case.number}"],
            ["受理至办结", period],
            [
                "保管期限",
                f"{RETENTION_TITLES[dossier.retention][0]}（{dossier.retention}）：{dossier.retention_zh}",
            ],
            ["组卷日期", _day(rfc3339(dossier.assembled_at))],
        ],
        "at": rfc3339(dossier.assembled_at),
        "note": _NOTE,
    }


def member_data(member: DossierMember, alone: str | None = None) -> dict[str, Json]:
    """Give a member as a line of the catalogue; ``alone`` is the code why an original has no rendition."""
    remark = f"（仅存原件：{_reason(alone)}）" if alone else ""
    return {
        "id": member.id,
        "position": str(member.position),
        "role": ROLE_TITLES[Role(member.role)][0],
        "title": member.title,
        "file": member.file_name + remark,
        "pages": "—" if member.pages is None else str(member.pages),
        "size": str(member.size),
        "sha256": member.sha256,
    }


def typeset(typesetter: Typesets, data: Mapping[str, Json]) -> bytes:
    """Set the catalogue.

    Characters that the font lacks would stop the filing, so they are printed as 〓, the mark for a missing
    glyph; the metadata keep them.
    """
    at = parse_rfc3339(str(data["at"]))
    try:
        return typesetter.typeset(TEMPLATE, data, (), at)
    except GlyphMissingError:
        return typesetter.typeset(TEMPLATE, surely_set(data), (), at)


def _adds(dossier: Dossier, number: int) -> str:
    main = dossier.archival_number.removesuffix(supplement_number("", number))
    return f"第{number}次，补充案卷 {main}（该案卷不变）"


def _reason(code: str) -> str:
    known = REASONS.get(code)
    return known.zh.rstrip("。") if known else code


def _day(instant: str) -> str:
    local = parse_rfc3339(instant).astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"
