# SPDX-License-Identifier: Apache-2.0
"""Errors as data: the one root class of every error that crosses a room's boundary.

Each subclass states a stable ``code``, the HTTP status, the process exit code, a title in Chinese and
English and what to do about it. An error never carries the offending input: ``facts`` holds only
values that are safe to show and to log (counts, limits, names of fields, positions).
"""

from collections.abc import Iterator
from typing import ClassVar

EXIT_DONE = 0
EXIT_INVALID = 1
EXIT_CANNOT_TELL = 2
EXIT_REFUSED = 3
EXIT_USAGE = 64
EXIT_INTERNAL = 70


class CunzhengError(Exception):
    """Root of all errors of the product; subclasses fill the class attributes.

    Args:
        facts: Safe values only: never an input, never personal data.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = EXIT_INTERNAL
    title_zh: ClassVar[str] = "系统内部错误"
    title_en: ClassVar[str] = "Internal error"
    remedy_zh: ClassVar[str] = "请稍后重试；仍然失败时联系运维人员。"
    remedy_en: ClassVar[str] = "Try again later; if it still fails, call the operator."

    def __init__(self, **facts: str | int) -> None:
        super().__init__(self.code)
        self.facts: dict[str, str | int] = facts

    def __str__(self) -> str:
        """Give the code and the safe facts, nothing else."""
        facts = " ".join(f"{name}={value}" for name, value in sorted(self.facts.items()))
        return f"{self.code} {facts}".rstrip()


class RefusedError(CunzhengError):
    """The request was understood and is refused with a reason (exit code 3)."""

    code = "refused"
    status = 403
    exit_code = EXIT_REFUSED
    title_zh = "请求被拒绝"
    title_en = "Refused"
    remedy_zh = "请核对权限与办件状态。"
    remedy_en = "Check your rights and the state of the case."


class NotPermittedError(RefusedError):
    """The identity lacks the right; unknown and forbidden objects look the same."""

    code = "not-permitted"
    status = 403
    title_zh = "无权操作或对象不存在"
    title_en = "Not permitted, or no such object"
    remedy_zh = "请以有相应权限的身份登录，并核对编号。"
    remedy_en = "Sign in with the right role and check the number."


class NotFoundError(RefusedError):
    """No such object is visible to this identity."""

    code = "not-found"
    status = 404
    title_zh = "未找到"
    title_en = "Not found"
    remedy_zh = "请核对编号。"
    remedy_en = "Check the number."


class ConflictError(RefusedError):
    """The object's state does not allow this change."""

    code = "conflict"
    status = 409
    title_zh = "与现有记录冲突"
    title_en = "Conflict with the existing record"
    remedy_zh = "请先查询现有记录，再决定是否更正。"
    remedy_en = "Look at the existing record first."


class InvalidInputError(CunzhengError):
    """The input is malformed; ``facts`` name the field and the rule, never the value."""

    code = "invalid-input"
    status = 422
    exit_code = EXIT_USAGE
    title_zh = "输入不符合要求"
    title_en = "The input is malformed"
    remedy_zh = "请按接口说明更正所列字段。"
    remedy_en = "Correct the named fields as the interface describes."


class StepKeepsDyingError(CunzhengError):
    """A step was begun again and again, and none of the processes that ran it lived to say how it went."""

    code = "step-keeps-dying"
    title_zh = "步骤一再导致处理进程中断"
    title_en = "The step keeps ending its worker"
    remedy_zh = "请查看系统日志与内存、磁盘用量，排除原因后由运维人员重试该步骤。"
    remedy_en = "Look at the system's log, memory and disk; mend the cause, then try the step again."


def all_errors() -> Iterator[type[CunzhengError]]:
    """Give the root error and everything that derives from it in the rooms that are loaded."""
    coming: list[type[CunzhengError]] = [CunzhengError]
    while coming:
        error = coming.pop()
        yield error
        coming.extend(error.__subclasses__())


def title_of(code: str) -> tuple[str, str]:
    """Give the Chinese and English title of an error code; the code itself when no loaded room has it."""
    for error in all_errors():
        if error.code == code:
            return error.title_zh, error.title_en
    return code, code
