# SPDX-License-Identifier: Apache-2.0
"""What is refused about copies, as data."""

from licenses.refusing import RecordedRefusalError
from storage.errors import ConflictError, InvalidInputError, NotFoundError


class CopyPurposeError(InvalidInputError):
    """No published purpose is stated for this access basis: nothing is handed out for no purpose."""

    code = "copy-purpose"
    title_zh = "未说明公布的用途"
    title_en = "No published purpose is stated"
    remedy_zh = "请写明公布的用途代码；没有用途不提供加注件，也不提供原件。"
    remedy_en = "State a published purpose code; without one neither a copy nor the original is given."


class CopyTermError(InvalidInputError):
    """The term asked for is none, or longer than the longest."""

    code = "copy-term"
    title_zh = "加注件有效天数超出范围"
    title_en = "The term of the copy is out of range"
    remedy_zh = "请在允许的天数内选择。"
    remedy_en = "Choose a number of days within the limits."


class CopyRefusedError(RecordedRefusalError):
    """The licence is not valid, or has no sealed file: there is no copy of it to rely on."""

    code = "copy-refused"
    status = 409
    title_zh = "不予制作加注件：证照当前无效或没有签章文件"
    title_en = "No copy is made: the licence is not valid, or has no sealed file"
    remedy_zh = "请查看证照状态；归档留存或监督检查可制作注明状态的加注件。"
    remedy_en = "Look at the licence's status; for filing and supervision a copy states the status."


class CopyUnknownError(NotFoundError):
    """No copy with this id is visible to this identity; unknown and forbidden look alike."""

    code = "copy-unknown"
    title_zh = "未找到加注件"
    title_en = "No such copy"
    remedy_zh = "请核对加注件编号；只有制作方可以查看。"
    remedy_en = "Check the id; only who ordered a copy sees it."


class CopyNotReadyError(ConflictError):
    """The copy is not made, was refused, or may no longer be relied on: it is not handed out."""

    code = "copy-not-ready"
    title_zh = "加注件目前不能取用"
    title_en = "The copy cannot be handed out"
    remedy_zh = "请查看其状态：制作中的稍后再取，已过期或证照失效的须另行制作。"
    remedy_en = "Look at its state: wait while it is made; when it or the licence has ended, order another."


class CopyEndedError(RecordedRefusalError):
    """The grant on which a system ordered the copy has ended, or the system: nobody gets it any more."""

    code = "copy-right-ended"
    status = 409
    title_zh = "制作该加注件所依据的授权已终止"
    title_en = "The right on which the copy was ordered has ended"
    remedy_zh = "请查看本系统的用证授权；有新的授权后另行制作。"
    remedy_en = "Look at your grants; order another copy once one covers it."


class CopyLinkError(NotFoundError):
    """No copy is handed out for this link: unknown, used, expired and another copy's look alike."""

    code = "copy-link"
    title_zh = "取件凭证无效"
    title_en = "The link is not good"
    remedy_zh = "取件凭证只能使用一次且很快失效，请向制作方另取。"
    remedy_en = "A link is good once and for a short time; ask whoever ordered the copy for another."
