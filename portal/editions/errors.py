# SPDX-License-Identifier: Apache-2.0
"""Errors of proposing and deciding editions of data."""

from storage.errors import ConflictError, InvalidInputError, NotFoundError


class EditionFaultyError(InvalidInputError):
    """The lint found errors in the edition; fact ``findings`` names their codes."""

    code = "edition-faulty"
    title_zh = "该版本未通过校验"
    title_en = "The lint found errors in the edition"
    remedy_zh = "请按校验意见改正文件后重新提交；命令行用 cunzheng edition check 查看意见。"
    remedy_en = "Mend what the findings name and propose it again; `cunzheng edition check` lists them, too."


class EditionUnknownError(NotFoundError):
    """No edition has this id, or the caller may not touch it."""

    code = "edition-unknown"
    title_zh = "没有这个目录版本"
    title_en = "No such edition"
    remedy_zh = "请在目录版本页面核对编号。"
    remedy_en = "See the ids on the page of editions."


class EditionClosedError(ConflictError):
    """The edition was decided already, or the time for it is over."""

    code = "edition-closed"
    title_zh = "该版本已办结或已过期"
    title_en = "The edition was decided, or its time is over"
    remedy_zh = "仍需更新的，请由系统管理员重新提交。"
    remedy_en = "If it is still wanted, a system administrator proposes it again."
