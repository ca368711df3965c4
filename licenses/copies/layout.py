# SPDX-License-Identifier: Apache-2.0
"""What stands on an annotated copy and in its attachments; pure, so the same plan gives the same bytes.

Everything that the licence states comes out of the original's own bytes; only what the copy adds is new.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from documents.copying import HEIGHT_MM, WIDTH_MM, embedded_in
from documents.typesetting import Attachment
from licenses.copies.metadata import with_copy_json, with_copy_xml
from licenses.copies.models import LicenseCopy
from licenses.layout import qr_svg, verification_url, zh_date
from licenses.metadata import Metadata
from seals.orders import Placement
from storage.clock import legal_date
from storage.ledger.canonical import Json

STRIP_MM: Final = 40
"""Height of the strip at the foot of each page."""
_STAMP_MM: Final = 34.0
STAMP: Final = Placement(
    page=1,
    x_mm=WIDTH_MM - _STAMP_MM - 6.0,
    y_mm=HEIGHT_MM - STRIP_MM + (STRIP_MM - _STAMP_MM) / 2,
    size_mm=_STAMP_MM,
)
"""In the strip of the first page, at the right."""
JSON_FILE, XML_FILE = "metadata.json", "metadata.xml"


def marks_data(plan: Mapping[str, Json], pages: int) -> dict[str, Json]:
    """Give what the template of the marks sets.

    Args:
        plan: The plan of the step: title, code's address, purpose, maker, days, identifier, status.
        pages: Number of pages.
    """
    status = plan["status"]
    facts: list[Json] = [
        ["用途", plan["purpose"]],
        ["制作", f"{plan['maker']}　{plan['made_on']}"],
        ["有效期至", f"{plan['until']}（含当日）"],
        ["证照标识", plan["identifier"]],
        ["原件 SHA-256", plan["original"]],
        ["核验", plan["url"]],
    ]
    watermark: list[Json] = [f"仅供{plan['purpose']}使用", plan["maker"], f"有效期至{plan['until']}"]
    if status is not None:
        watermark.append(status)
    return {
        "title": plan["title"],
        "heading": "加注件",
        "strip": STRIP_MM,
        "pages": pages,
        "watermark": watermark,
        "status": status,
        "facts": facts,
        "url": plan["url"],
        "qr": qr_svg(str(plan["url"])),
    }


def facts_of(
    copy: LicenseCopy, names: Mapping[str, str], public_url: str, at: dt.datetime
) -> dict[str, Json]:
    """Give the words of a copy, as its plan keeps them.

    Args:
        copy: The copy.
        names: ``type``, ``identifier``, ``purpose``, ``maker``, and ``status`` where it must be stated.
        public_url: Base of the QR link.
        at: When it is made.
    """
    return {
        "title": f"{names['type']}加注件 {names['identifier']}",
        "identifier": names["identifier"],
        "purpose": names["purpose"],
        "maker": names["maker"],
        "made_on": zh_date(legal_date(at)),
        "until": zh_date(copy.valid_until),
        "status": f"制作时证照状态：{names['status']}" if "status" in names else None,
        "original": copy.original_sha256,
        "url": verification_url(public_url, copy.code),
        "metadata": {
            "copy_made_at": at.isoformat(timespec="seconds"),
            "copy_maker": names["maker"],
            "copy_purpose": names["purpose"],
            "copy_valid_until": copy.valid_until.isoformat(),
        },
    }


def copy_attachments(original: bytes, identifier: str, sha256: str, more: Metadata) -> Sequence[Attachment]:
    """Give what is embedded in a copy: the original's metadata with the copy's items.

    The original itself is not: taken out of the copy it would be good for every purpose and without term.

    Raises:
        UnreadableError: The original is no PDF.
        LicenseDataError: Its embedded metadata are malformed.
    """
    carried = embedded_in(original, (JSON_FILE, XML_FILE))
    source = {"identifier": identifier, "sha256": sha256}
    made: list[Attachment] = []
    if JSON_FILE in carried:
        data = with_copy_json(carried[JSON_FILE], more, source)
        made.append(Attachment(JSON_FILE, data, "application/json", "data", "加注件元数据 GB/T 36903"))
    if XML_FILE in carried:
        data = with_copy_xml(carried[XML_FILE], more, source)
        made.append(Attachment(XML_FILE, data, "application/xml", "alternative", "加注件元数据 XML"))
    return made
