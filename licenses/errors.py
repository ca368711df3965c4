# SPDX-License-Identifier: Apache-2.0
"""What the licence room refuses, as data. No error ever carries a number, a name or a face value."""

from licenses.refusing import RecordedRefusalError
from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotFoundError, RefusedError


class CatalogueError(CunzhengError):
    """A data file of the room (type, rule, table) contradicts its own rules; nothing starts with it."""

    code = "license-data-broken"
    status = 500
    title_zh = "证照数据文件有误"
    title_en = "A licence data file is broken"
    remedy_zh = "请按提示更正数据文件后重新启动。"
    remedy_en = "Correct the named data file and start again."


class ProfileUnknownError(NotFoundError):
    """No mapping profile has this id."""

    code = "stock-profile-unknown"
    title_zh = "没有这个映射方案"
    title_en = "There is no such mapping profile"
    remedy_zh = "请从列出的映射方案中选择。"
    remedy_en = "Choose one of the profiles that are listed."


class StockRunUnknownError(NotFoundError):
    """No import run with this id is visible to this identity; unknown and forbidden look alike."""

    code = "stock-run-unknown"
    title_zh = "未找到导入批次"
    title_en = "No such import run"
    remedy_zh = "请从导入批次清单中选择。"
    remedy_en = "Choose it in the list of import runs."


class StockRunBusyError(ConflictError):
    """The file is being imported already, or somebody else took over the records at hand."""

    code = "stock-run-busy"
    title_zh = "该文件正在导入"
    title_en = "This file is being imported already"
    remedy_zh = "请等待该批次结束，或用 --resume 继续中断的批次。"
    remedy_en = "Wait for that run to end, or go on with an interrupted one by --resume."


class StockRunOverError(ConflictError):
    """The import run is over: nothing is added to it."""

    code = "stock-run-over"
    title_zh = "导入批次已结束"
    title_en = "The import run is over"
    remedy_zh = "请另起一个批次。"
    remedy_en = "Start another run."


class StockRecordUnknownError(NotFoundError):
    """No quarantined record with this id is visible to this identity; unknown and forbidden look alike."""

    code = "stock-record-unknown"
    title_zh = "未找到隔离的存量记录"
    title_en = "No such quarantined record"
    remedy_zh = "请从隔离清单中选择。"
    remedy_en = "Choose it in the list of quarantined records."


class StockRecordDecidedError(ConflictError):
    """The quarantined record was decided; that is never changed."""

    code = "stock-record-decided"
    title_zh = "该记录已处理"
    title_en = "The record was decided already"
    remedy_zh = "请查看已有的处理结果。"
    remedy_en = "Look at what was decided."


class StockWordsError(InvalidInputError):
    """A decision lacks its reason, or a correction changes nothing."""

    code = "stock-words"
    title_zh = "缺少理由或更正内容"
    title_en = "Reason or correction missing"
    remedy_zh = "请填写理由（不超过 200 字）并更正至少一栏。"
    remedy_en = "State the reason (at most 200 characters) and correct at least one column."


class StockStillUndecidedError(InvalidInputError):
    """The corrected record still has a reason that keeps it out; ``reasons`` gives the codes."""

    code = "stock-still-undecided"
    title_zh = "更正后仍不能导入"
    title_en = "Even so the record cannot be taken over"
    remedy_zh = "请按所列原因继续更正，或不予导入。"
    remedy_en = "Correct what the reasons name, or reject the record."


class StockProfileChangedError(ConflictError):
    """The mapping profile has another version than the one with which the run began."""

    code = "stock-profile-changed"
    title_zh = "映射方案已换版"
    title_en = "The mapping profile has another version now"
    remedy_zh = "该批次已结束，已导入的保留；请重新导入该文件，已导入的记录不会重复。"
    remedy_en = "The run has ended, what it took over stays; import the file anew: nothing comes twice."


class StockProfileUnfitError(InvalidInputError):
    """The file has no column for something that every record needs; ``items`` names what is missing."""

    code = "stock-profile-unfit"
    title_zh = "文件栏目与映射方案不符"
    title_en = "The file's columns do not fit the profile"
    remedy_zh = "请选择与来源相符的映射方案，或补齐缺少的栏目。"
    remedy_en = "Choose the profile of this source, or add the missing columns."


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


class LicenseHiddenError(RecordedRefusalError):
    """No licence that this identity may see on this basis: unknown and forbidden look the same."""

    code = "license-not-found"
    status = 404
    title_zh = "未找到可查阅的证照"
    title_en = "No licence to be seen on this basis"
    remedy_zh = "请核对证照标识、办件、事项和用途。"
    remedy_en = "Check identifier, case, item and purpose."


class RelationUnknownError(InvalidInputError):
    """The call names a relation that is none of the published kinds."""

    code = "relation-unknown"
    title_zh = "主体关系代码不在目录中"
    title_en = "The relation is not a published code"
    remedy_zh = "请使用公布的主体关系代码。"
    remedy_en = "Use a published code of a relation."


class CodeUnknownError(NotFoundError):
    """No licence answers to this verification code, identifier or file; such checks are only counted."""

    code = "verification-code-unknown"
    title_zh = "没有与此核验码或文件对应的证照"
    title_en = "No licence answers to this code or file"
    remedy_zh = "请核对二维码或证照标识；也可上传文件核验。"
    remedy_en = "Check the code or identifier, or upload the file."


class AnswerInvalidError(CunzhengError):
    """A signed answer does not verify: altered, another key, or not one of ours."""

    code = "answer-invalid"
    status = 422
    exit_code = 1
    title_zh = "核验结论签名无效"
    title_en = "The signed answer does not verify"
    remedy_zh = "请取得原始结论文件和签发方公布的公钥后重试。"
    remedy_en = "Get the original answer and the issuer's published keys, then try again."


class QuestionRefusedError(RecordedRefusalError):
    """A no-proof question is refused: no open case to ask about, or no right to ask."""

    code = "proof-refused"
    title_zh = "核验请求被拒绝：没有可供核验的在办件，或无权询问"
    title_en = "The question is refused: no open case to ask about, or no right to ask"
    remedy_zh = "请核对办件编号、事项、申请人以及调用方的授权范围。"
    remedy_en = "Check case number, item, holder and what this client may ask."


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


class RequirementUnknownError(QuestionRefusedError):
    """The question names a requirement that the item's rule does not have."""

    code = "requirement-unknown"
    title_zh = "所问证明不在该事项的规则内"
    title_en = "The rule of the item has no such requirement"
    remedy_zh = "请按事项的证明清单询问。"
    remedy_en = "Ask only for the requirements that the item's rule lists."


class RuleMissingError(QuestionRefusedError):
    """The item has no rule in force: nothing can be established automatically for it."""

    code = "proof-rule-missing"
    title_zh = "该事项尚无免证规则"
    title_en = "The item has no no-proof rule in force"
    remedy_zh = "请按事项指南收取材料。"
    remedy_en = "Collect the materials as the item's guide says."


class ObjectionSubjectError(NotFoundError):
    """Nothing of the caller's own has this id: no use and no licence."""

    code = "objection-subject-unknown"
    title_zh = "没有可提出异议的记录"
    title_en = "Nothing of yours to object to"
    remedy_zh = "请从“我的证照”页面中选择记录。"
    remedy_en = "Choose it on the page of your licences."


class ObjectionStandsError(ConflictError):
    """An objection to the same use or licence waits for its answer."""

    code = "objection-stands"
    title_zh = "已有一项异议正在等待答复"
    title_en = "An objection to this waits for its answer"
    remedy_zh = "请等待答复；答复后如仍不认可，可再次提出。"
    remedy_en = "Wait for the answer; you may object again after it."


class ObjectionWordsError(InvalidInputError):
    """What the holder says, or what is answered, is missing, too long or holds what cannot be seen."""

    code = "objection-words"
    title_zh = "请用文字说明"
    title_en = "Say it in words"
    remedy_zh = "请填写 1 至 500 字，不含不可见字符。"
    remedy_en = "Write 1 to 500 characters that are seen."


class ObjectionUnknownError(NotFoundError):
    """No objection with this id is visible to this identity; unknown and forbidden look alike."""

    code = "objection-unknown"
    title_zh = "未找到异议"
    title_en = "No such objection"
    remedy_zh = "请从异议清单中选择。"
    remedy_en = "Choose it in the list of objections."


class ObjectionAnsweredError(ConflictError):
    """The objection was answered; an answer is never changed."""

    code = "objection-answered"
    title_zh = "异议已经答复"
    title_en = "The objection is answered already"
    remedy_zh = "请查看已有答复。"
    remedy_en = "Look at the answer that there is."


class ObjectionOwnUseError(RefusedError):
    """Who used the data answers no objection against that use."""

    code = "objection-own-use"
    title_zh = "不得答复针对本人用证的异议"
    title_en = "Nobody answers an objection to the own use"
    remedy_zh = "请由本单位其他人员答复。"
    remedy_en = "Somebody else of the department answers."


class BulkEmptyError(InvalidInputError):
    """The selection comes to no licence that allows the change."""

    code = "bulk-empty"
    title_zh = "没有符合条件的证照"
    title_en = "No licence fits"
    remedy_zh = "请核对证照类型、状态与日期条件。"
    remedy_en = "Check type, status and date."


class BulkTooLargeError(InvalidInputError):
    """The selection comes to more licences than one change may have."""

    code = "bulk-too-large"
    title_zh = "一次变更的证照过多"
    title_en = "Too many licences for one change"
    remedy_zh = "请用状态、日期条件缩小范围，或勾选按编号取前若干件，分批办理。"
    remedy_en = "Narrow it by status and date, or take the first of them by number, and make several changes."


class BulkUnknownError(NotFoundError):
    """No change of many licences with this id is one that the caller may decide."""

    code = "bulk-unknown"
    title_zh = "未找到批量变更"
    title_en = "No such change of many licences"
    remedy_zh = "请从批量变更页面中选择。"
    remedy_en = "Choose it on the page of such changes."


class BulkOwnError(RefusedError):
    """Whoever proposed a change of many licences does not decide it."""

    code = "bulk-own"
    title_zh = "不得审批本人提出的批量变更"
    title_en = "Nobody decides the own proposal"
    remedy_zh = "请由本单位另一名证照管理员审批。"
    remedy_en = "Another licence manager of the department decides."


class BulkClosedError(ConflictError):
    """The change of many licences was decided, or its seven days are over."""

    code = "bulk-closed"
    title_zh = "批量变更已办结或已过期"
    title_en = "It was decided, or its time is over"
    remedy_zh = "仍需办理的，请重新提出。"
    remedy_en = "If it is still wanted, propose it again."
