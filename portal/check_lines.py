# SPDX-License-Identifier: Apache-2.0
"""The words of a check: the one large word of a report, and the lines under it.

Page, command line and interface take them from here alone.
"""

import enum
from dataclasses import dataclass

from licenses.copies.terms import CopyCard
from licenses.lifecycle import Standing
from licenses.views import PublicCard
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID


class Headline(enum.StrEnum):
    """The one large word of a report, best first."""

    VALID = "valid"
    CANNOT_TELL = "cannot-tell"
    INVALID = "invalid"


HEADLINE_TITLES = {
    Headline.VALID: ("有效", "Valid"),
    Headline.CANNOT_TELL: ("无法判定", "Cannot tell"),
    Headline.INVALID: ("无效", "Invalid"),
}
EXIT_CODES = {
    Headline.VALID: EXIT_DONE,
    Headline.CANNOT_TELL: EXIT_CANNOT_TELL,
    Headline.INVALID: EXIT_INVALID,
}
_OF_STANDING = {
    Standing.GOOD: Headline.VALID,
    Standing.UNKNOWN: Headline.CANNOT_TELL,
    Standing.BAD: Headline.INVALID,
}


NOT_APPLICABLE = "not-applicable"
"""How the standing of a line reads that does not count, since the file is no licence."""


@dataclass(frozen=True, slots=True)
class Line:
    """One of the two lines under the headline.

    Attributes:
        code: Stable; programs decide by it.
        standing: What it allows the headline to be; ``None`` when it does not count.
        zh: The words for it.
        en: The words for it.
        clause: How it reads inside a sentence, Chinese and English; ``None`` when it adds nothing.
    """

    code: str
    standing: Headline | None
    zh: str
    en: str
    clause: tuple[str, str] | None = None


LINE_TITLES = (("文件", "File"), ("证照状态", "Licence status"))
"""What stands before the two lines, everywhere."""
COPY_TITLE = ("加注件", "Annotated copy")
"""What stands before the third line, when the file is a copy."""

NOT_A_LICENSE = Line("not-a-licence", None, "本文件不是证照", "This file is no licence")
NOT_CHECKED = Line(
    "not-checked",
    Headline.CANNOT_TELL,
    "未核验",
    "Not checked",
    ("证照状态未核验", "the status of the licence was not checked"),
)
NOT_FOUND = Line(
    "not-in-this-library",
    Headline.CANNOT_TELL,
    "未核验：本库无此证照",
    "Not checked: this library does not hold the licence",
    ("证照状态未核验：本库无此证照", "this library does not hold the licence, its status was not checked"),
)
REGISTER_DIFFERS = Line(
    "register-differs",
    Headline.CANNOT_TELL,
    "无法判定：文件所载内容与证照库登记不一致",
    "Cannot tell: what the file states differs from the register",
    (
        "证照状态无法判定：文件所载内容与证照库登记不一致",
        "what it states differs from the register, so the status of the licence cannot be told",
    ),
)
NOT_COMPARED = Line(
    "not-compared",
    Headline.CANNOT_TELL,
    "未比对",
    "Not compared",
)


def card_line(card: PublicCard) -> Line:
    """Say how a licence of the library stands."""
    status = card.status
    clause = (f"证照{status.zh}", f"licence status: {status.en.lower()}")
    return Line(str(status.code), _OF_STANDING[status.standing], status.zh, status.en, clause)


def copy_line(copy: CopyCard) -> Line:
    """Say what a copy is for and whether it may still be relied on."""
    until, purpose = copy.valid_until.isoformat(), copy.purpose
    if copy.good:
        zh = f"仅供{purpose.zh}使用，有效期至 {until}"
        return Line("copy-good", Headline.VALID, zh, f"Only for: {purpose.en}; good until {until}")
    zh = f"加注件已于 {until} 到期（用途：{purpose.zh}）"
    return Line("copy-expired", Headline.INVALID, zh, f"The copy ended on {until} (for: {purpose.en})")
