# SPDX-License-Identifier: Apache-2.0
"""Errors of the room of cases."""

from storage.errors import ConflictError, InvalidInputError, NotFoundError


class HolderCodeError(InvalidInputError):
    """The holder's code does not fit its scheme; ``facts`` name the scheme and the rule."""

    code = "holder-code"
    title_zh = "持证主体代码不正确"
    title_en = "The holder's code is not right"
    remedy_zh = "请核对代码类型与代码（含校验位）。"
    remedy_en = "Check the code's scheme and the code with its check digit."


class CaseNumberError(InvalidInputError):
    """The source or the case number is not one path segment of 1 to 64 characters."""

    code = "case-number"
    title_zh = "办件来源或编号格式不正确"
    title_en = "The source or number of the case is malformed"
    remedy_zh = "编号须为1至64个字符，不含斜杠和控制字符。"
    remedy_en = "Use 1 to 64 characters without slash or control character."


class CaseDatesError(InvalidInputError):
    """The dates of the case are out of order or lie in the future; ``facts`` name the rule."""

    code = "case-dates"
    title_zh = "办件时间不合理"
    title_en = "The dates of the case are out of order"
    remedy_zh = "受理时间不得晚于办结时间，二者均不得晚于当前时间。"
    remedy_en = "Acceptance comes before closing, and neither lies in the future."


class ItemUnknownError(InvalidInputError):
    """The catalogue has no such item in that edition."""

    code = "item-unknown"
    title_zh = "事项目录中没有该事项或该版本"
    title_en = "The catalogue has no such item or edition"
    remedy_zh = "请核对事项编码与版本。"
    remedy_en = "Check the item's code and edition."


class DepartmentUnknownError(InvalidInputError):
    """The item belongs to another department, or there is no such department."""

    code = "department-unknown"
    title_zh = "部门不存在或不办理该事项"
    title_en = "No such department, or it does not handle the item"
    remedy_zh = "请核对部门代码与事项。"
    remedy_en = "Check the department's code and the item."


class CaseConflictError(ConflictError):
    """The case stands with other content, or is closed; ``facts`` name the fields that differ."""

    code = "case-conflict"
    title_zh = "该办件已以不同内容登记或已办结"
    title_en = "The case stands with other content or is closed"
    remedy_zh = "请先查询该办件；更正须由来源系统撤回后重新登记。"
    remedy_en = "Look the case up first; a correction needs a new case of the source system."


class CaseNotFoundError(NotFoundError):
    """No such case is visible to this identity; unknown and forbidden look alike."""

    code = "case-not-found"
    title_zh = "未找到该办件"
    title_en = "No such case"
    remedy_zh = "请核对来源与办件编号。"
    remedy_en = "Check the source and the number."
