# SPDX-License-Identifier: Apache-2.0
"""Errors of explaining unusual queries."""

from storage.errors import InvalidInputError, NotFoundError


class PatternUnknownError(NotFoundError):
    """No such pattern is in the list of whoever explains, or it is one of their own queries."""

    code = "pattern-unknown"
    title_zh = "没有可以说明的异常查询"
    title_en = "No unusual query that you may explain"
    remedy_zh = "请在异常查询列表中选择；本人的查询由他人说明。"
    remedy_en = "Choose it in the list of unusual queries; somebody else explains your own."


class PatternReasonError(InvalidInputError):
    """The explanation is empty, too long, or holds characters that cannot be shown."""

    code = "pattern-reason-invalid"
    title_zh = "请写明说明，不超过 200 字"
    title_en = "Say why, in at most 200 characters"
    remedy_zh = "请用一句话写明核查结果，不要写个人信息。"
    remedy_en = "Say in a sentence what you found; no personal data."
