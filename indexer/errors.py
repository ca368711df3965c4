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


class IndexOutdatedError(IndexUnavailableError):
    """The index was made with another tokeniser or analyser: its answers would be wrong."""

    code = "search-outdated"
    title_zh = "索引版本与本程序不符"
    title_en = "The index was made with other rules"
    remedy_zh = "归档不受影响；请由运维人员执行 cunzheng index rebuild。"
    remedy_en = "Filing is not affected; the operator runs `cunzheng index rebuild`."


class DocumentRefusedError(CunzhengError):
    """The engine cannot hold this document; others are not touched."""

    code = "search-document-refused"
    status = 500
    title_zh = "检索引擎无法收录此条目"
    title_en = "The search engine cannot hold this document"
    remedy_zh = "归档不受影响；请运维人员查看检索引擎的日志后重试步骤。"
    remedy_en = "Filing is not affected; the operator looks at the engine's log and tries the step again."


class RebuildOvertakenError(CunzhengError):
    """Another rebuild began while this one ran."""

    code = "search-rebuild-overtaken"
    status = 409
    title_zh = "另一次索引重建已开始"
    title_en = "Another rebuild of the index has begun"
    remedy_zh = "无需处理：后开始的重建会完成。"
    remedy_en = "Nothing to do: the rebuild that began later goes on."
