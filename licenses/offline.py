# SPDX-License-Identifier: Apache-2.0
"""Judges a licence by its file, the signed directory and the status list alone; pure.

The file's own seal is judged elsewhere (``seals``); here stands what its metadata, the directory and the
list make of it. Nothing is better than what was established: without a list that is recent enough, or with
a file that names no place in it, the status cannot be told.
"""

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from licenses.identifiers import Shape, classify, parse
from licenses.published import Directory
from licenses.status_list import ListedStatus, StatusList
from storage.clock import legal_date


class OfflineStatus(enum.StrEnum):
    """What can be said of a licence without asking its library."""

    VALID = "valid"
    NOT_ACTIVATED = "not-activated"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    ENDED = "ended"
    NOT_LISTED = "not-listed"
    LIST_TOO_OLD = "list-too-old"
    LIST_FOREIGN = "list-foreign"
    FOREIGN = "foreign"
    SEAL_FOREIGN = "seal-foreign"
    COPY_VALID = "copy-valid"
    COPY_EXPIRED = "copy-expired"
    METADATA_BROKEN = "metadata-broken"


_LICENSE, _COPY = "licence", "copy"
_UNTIL: Final = "copy_valid_until"
GOOD: Final = frozenset({OfflineStatus.VALID, OfflineStatus.COPY_VALID})
BAD: Final = frozenset(
    {
        OfflineStatus.NOT_ACTIVATED,
        OfflineStatus.EXPIRED,
        OfflineStatus.SUSPENDED,
        OfflineStatus.SUPERSEDED,
        OfflineStatus.ENDED,
        OfflineStatus.COPY_EXPIRED,
    }
)
TITLES: Final[Mapping[OfflineStatus, tuple[str, str]]] = {
    OfflineStatus.VALID: ("有效", "Valid"),
    OfflineStatus.NOT_ACTIVATED: ("尚未生效", "Not yet in force"),
    OfflineStatus.EXPIRED: ("已过期", "Expired"),
    OfflineStatus.SUSPENDED: ("暂停（冻结）", "Suspended"),
    OfflineStatus.SUPERSEDED: ("已被新版证照替代", "Replaced by a later version"),
    OfflineStatus.ENDED: ("已注销、撤销、吊销或作废", "Cancelled, withdrawn, revoked or void"),
    OfflineStatus.NOT_LISTED: ("状态列表中没有此证照", "The status list does not have this licence"),
    OfflineStatus.LIST_TOO_OLD: ("状态列表已过期，请重新下载", "The status list is too old: fetch it again"),
    OfflineStatus.LIST_FOREIGN: ("状态列表不是该目录的列表", "The status list is not the directory's"),
    OfflineStatus.FOREIGN: (
        "颁发机构或证照类型不在该目录中",
        "Issuer or type of the licence is not in this directory",
    ),
    OfflineStatus.SEAL_FOREIGN: (
        "印章不是该颁发机构用于此类文件的印章",
        "The seal is none that the issuer has for such a file",
    ),
    OfflineStatus.COPY_VALID: (
        "有效加注件，仅限所载用途",
        "A valid annotated copy, for the purpose that it states",
    ),
    OfflineStatus.COPY_EXPIRED: ("加注件已过有效期", "The annotated copy has expired"),
    OfflineStatus.METADATA_BROKEN: ("文件所载证照元数据不完整", "The file's metadata are incomplete"),
}
_OF_LISTED: Final = {
    ListedStatus.INVALID: OfflineStatus.ENDED,
    ListedStatus.SUSPENDED: OfflineStatus.SUSPENDED,
    ListedStatus.SUPERSEDED: OfflineStatus.SUPERSEDED,
}


@dataclass(frozen=True, slots=True)
class OfflineAnswer:
    """The status, and what it was told from.

    Attributes:
        issuer: Name of the issuer as the directory has it, Chinese and English; none for a foreign one.
        kind: Name of the licence type, likewise.
        as_of: Instant of the status list; none where the list was not reached.
    """

    status: OfflineStatus
    issuer: tuple[str, str] | None = None
    kind: tuple[str, str] | None = None
    as_of: dt.datetime | None = None


def judge_offline(
    stated: Mapping[str, str],
    directory: Directory,
    listed: StatusList | None,
    at: dt.datetime,
    sealed_by: Collection[str],
) -> OfflineAnswer:
    """Judge what a licence file states about itself.

    Args:
        stated: Its metadata as canonical items; the file's seal must hold, or nothing in it is believed.
        directory: The directory, already checked.
        listed: The status list, already checked; ``None`` when there is none.
        at: The instant of the question.
        sealed_by: Fingerprints of the certificates whose seals hold on the file.

    Returns:
        The first that applies: broken metadata, foreign, sealed by somebody else, the list's word, the file's
        dates; and for an annotated copy its own term.
    """
    identifier = stated.get("identifier", "")
    if classify(identifier) is not Shape.CONFORMING or not stated.get("issued_on"):
        return OfflineAnswer(OfflineStatus.METADATA_BROKEN)
    parts = parse(identifier)
    issuer, kind = directory.issuers.get(parts.issuer_code), directory.types.get(parts.type_code)
    own = (stated.get("issuer_code"), stated.get("type_code")) == (parts.issuer_code, parts.type_code)
    if issuer is None or kind is None or not own:
        return OfflineAnswer(OfflineStatus.FOREIGN)
    document = _COPY if _UNTIL in stated else _LICENSE
    sealed = (directory.seals.get(one) for one in sealed_by)
    if not any(one and parts.issuer_code in one.issuers and document in one.documents for one in sealed):
        return OfflineAnswer(OfflineStatus.SEAL_FOREIGN, issuer, kind)
    status = _listed(stated, directory, listed, at)
    if status is OfflineStatus.VALID:
        status = _dated(stated, at)
    if status is OfflineStatus.VALID and document == _COPY:
        over = legal_date(at).isoformat() > stated[_UNTIL][:10]
        status = OfflineStatus.COPY_EXPIRED if over else OfflineStatus.COPY_VALID
    return OfflineAnswer(status, issuer, kind, listed.at if listed else None)


def _listed(
    stated: Mapping[str, str], directory: Directory, listed: StatusList | None, at: dt.datetime
) -> OfflineStatus:
    if listed is None:
        return OfflineStatus.NOT_LISTED
    if directory.until < at or listed.expires < at:
        return OfflineStatus.LIST_TOO_OLD
    if stated.get("status_list") != directory.status_list or listed.uri != directory.status_list:
        return OfflineStatus.LIST_FOREIGN
    index = stated.get("status_index", "")
    entry = listed.of(int(index)) if index.isascii() and index.isdigit() and len(index) < 10 else None
    if entry is None:
        return OfflineStatus.NOT_LISTED
    return _OF_LISTED.get(entry, OfflineStatus.VALID)


def _dated(stated: Mapping[str, str], at: dt.datetime) -> OfflineStatus:
    """Judge by the validity dates; both are legal dates of Shanghai, the last one inclusive."""
    today = legal_date(at).isoformat()
    start, end = stated.get("valid_from"), stated.get("valid_until")
    if start and today < start:
        return OfflineStatus.NOT_ACTIVATED
    return OfflineStatus.EXPIRED if end and today > end else OfflineStatus.VALID
