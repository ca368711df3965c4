# SPDX-License-Identifier: Apache-2.0
"""What the index refuses."""

from storage.errors import CunzhengError, InvalidInputError


class QueryError(InvalidInputError):
    """The query holds nothing to look for, too much, or a cursor of another query."""

    code = "search-query"
    title_zh = "检索条件不符合要求"
    title_en = "The search cannot be run"
    remedy_zh = "请输入汉字、字母或数字；翻页时沿用同一检索条件。"
    remedy_en = "Enter Chinese characters, letters or digits; keep the same search while paging."


class IndexUnavailableError(CunzhengError):
    """The index cannot be opened or read; filing goes on without it."""

    code = "search-unavailable"
    status = 503
    title_zh = "检索暂不可用"
    title_en = "Search is not available"
    remedy_zh = "归档不受影响；请稍后重试，或由运维人员重建索引。"
    remedy_en = "Filing is not affected; try again later or rebuild the index."
