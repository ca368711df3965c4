# SPDX-License-Identifier: Apache-2.0
"""What the licence room refuses, as data. No error ever carries a number, a name or a face value."""

from storage.base import Base
from storage.database import UnitOfWork
from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotPermittedError, RefusedError
from storage.ledger.acts import Act, Promise


class CatalogueError(CunzhengError):
    """A data file of the room (type, rule, table) contradicts its own rules; nothing starts with it."""

    code = "license-data-broken"
    status = 500
    title_zh = "证照数据文件有误"
    title_en = "A licence data file is broken"
    remedy_zh = "请按提示更正数据文件后重新启动。"
    remedy_en = "Correct the named data file and start again."


class UnknownTypeError(InvalidInputError):
    """The licence data name a type that the catalogue does not hold."""

    code = "license-type-unknown"
    title_zh = "证照类型不在目录中"
    title_en = "The licence type is not in the catalogue"
    remedy_zh = "请使用目录中已发布的证照类型代码。"
    remedy_en = "Use a published type code of the catalogue."


class LicenseDataError(InvalidInputError):
    """The licence data break the type's rules; ``facts`` name the first field and the rule."""

    code = "license-data-invalid"
    title_zh = "证照数据不符合类型要求"
    title_en = "The licence data break the type's rules"
    remedy_zh = "请按证照类型定义更正所列字段。"
    remedy_en = "Correct the named field as the type's definition says."


class LicenseExistsError(ConflictError):
    """The case has a licence with other data, or the number is in use for this type and issuer."""

    code = "license-exists"
    title_zh = "证照已存在"
    title_en = "The licence exists already"
    remedy_zh = "请核对办件与证照编号；变更须另行办理。"
    remedy_en = "Check the case and the licence number; a change is a case of its own."


class LicenseStateError(ConflictError):
    """The licence's state does not allow this event."""

    code = "license-state"
    title_zh = "证照当前状态不允许此操作"
    title_en = "The licence's state does not allow this"
    remedy_zh = "请先查看证照的状态与历史。"
    remedy_en = "Look at the licence's state and history first."


class ReasonRequiredError(InvalidInputError):
    """A change of a licence's state lacks its reason or its legal basis."""

    code = "license-reason-required"
    title_zh = "缺少理由或法律依据"
    title_en = "Reason or legal basis missing"
    remedy_zh = "请填写理由和法律依据（各不超过 200 字）。"
    remedy_en = "State the reason and the legal basis (at most 200 characters each)."


class AccessBasisError(NotPermittedError):
    """The call states no access basis that this reading accepts."""

    code = "access-basis-required"
    title_zh = "未说明查询依据"
    title_en = "No access basis stated"
    remedy_zh = "请在调用中说明办件、事项和用途。"
    remedy_en = "State case, item and purpose with the call."


class AnswerInvalidError(CunzhengError):
    """A signed answer does not verify: altered, another key, or not one of ours."""

    code = "answer-invalid"
    status = 422
    exit_code = 1
    title_zh = "核验结论签名无效"
    title_en = "The signed answer does not verify"
    remedy_zh = "请取得原始结论文件和签发方公布的公钥后重试。"
    remedy_en = "Get the original answer and the issuer's published keys, then try again."


class QuestionRefusedError(RefusedError):
    """A no-proof question is refused; nothing about the case or the holder is revealed.

    The unit of work of the call rolls back with this error; the caller opens another one and calls
    :meth:`record` there, so that the refusal itself is never lost.

    Args:
        act: The ``proof.refused`` act.
        rows: Rows that belong to it (the refused use, where the holder is known).
    """

    code = "proof-refused"
    title_zh = "核验请求被拒绝：没有可供核验的在办件，或无权询问"
    title_en = "The question is refused: no open case to ask about, or no right to ask"
    remedy_zh = "请核对办件编号、事项、申请人以及调用方的授权范围。"
    remedy_en = "Check case number, item, holder and what this client may ask."

    def __init__(self, act: Act, rows: tuple[Base, ...] = ()) -> None:
        super().__init__()
        self.act = act
        self.rows = rows

    def record(self, uow: UnitOfWork) -> Promise:
        """Store the refusal in a unit of work of its own; the caller commits it."""
        uow.session.add_all(self.rows)
        uow.session.flush()
        return uow.record(self.act)


class OperatorRequiredError(QuestionRefusedError):
    """The call names no person who asks; machine addresses are no operators."""

    code = "operator-required"
    title_zh = "未说明经办人"
    title_en = "No operator named"
    remedy_zh = "请在调用中写明经办人。"
    remedy_en = "Name the operator in the call."


class PurposeUnknownError(QuestionRefusedError):
    """The purpose is none of the published codes."""

    code = "purpose-unknown"
    title_zh = "用途代码不在目录中"
    title_en = "The purpose is not a published code"
    remedy_zh = "请使用公布的用途代码。"
    remedy_en = "Use a published purpose code."
