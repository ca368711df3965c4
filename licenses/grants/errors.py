# SPDX-License-Identifier: Apache-2.0
"""What is refused about grants, as data."""

import datetime as dt

from licenses.refusing import RecordedRefusalError
from storage.clock import legal_date, rfc3339, start_of_day
from storage.errors import InvalidInputError, NotFoundError


class QuotaExhaustedError(RecordedRefusalError):
    """Every grant that covers the call has been used as often as it may be today.

    The fact ``renews_at`` says when the next legal day begins.

    Args:
        refusal: The refusal as the call's own rules state it; its act and its rows are kept.
        now: When it was refused.
    """

    code = "quota-exhausted"
    status = 429
    title_zh = "今日授权额度已用完"
    title_en = "Today's quota of the grant is used up"
    remedy_zh = "额度于北京时间次日零时重新起算；确需更多的，请系统管理员另行申请授权。"
    remedy_en = (
        "It begins anew at midnight in China; if you need more, have a system administrator ask for it."
    )

    def __init__(self, refusal: RecordedRefusalError, now: dt.datetime) -> None:
        super().__init__(refusal.act, refusal.rows)
        renews = start_of_day(legal_date(now) + dt.timedelta(days=1))
        self.facts["renews_at"] = rfc3339(renews)
        self.retry_after = int((renews - now).total_seconds()) + 1


class GrantUnknownError(NotFoundError):
    """No running grant has this id, or the caller may not see it."""

    code = "grant-unknown"
    title_zh = "没有这项用证授权，或已终止"
    title_en = "No such grant, or it has ended"
    remedy_zh = "请在用证授权清单中选择。"
    remedy_en = "Choose it in the list of grants."


class GrantTermsError(InvalidInputError):
    """The terms of a grant are missing or out of range; ``facts`` name field and rule."""

    code = "grant-terms"
    title_zh = "授权内容不符合要求"
    title_en = "The terms of the grant are not as required"
    remedy_zh = "请按提示更正所列字段。"
    remedy_en = "Correct the named field."
