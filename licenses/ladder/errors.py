# SPDX-License-Identifier: Apache-2.0
"""What is refused about rungs of the ladder, as data."""

from licenses.refusing import RecordedRefusalError
from storage.errors import ConflictError, InvalidInputError, NotFoundError


class RungUnknownError(NotFoundError):
    """No rung with this id is this identity's to see; unknown and forbidden look alike."""

    code = "rung-unknown"
    title_zh = "未找到该承诺、协查或补交"
    title_en = "No such commitment, cooperation or later supply"
    remedy_zh = "请从本部门的清单中选择。"
    remedy_en = "Choose it in your department's list."


class RungNotOfferedError(ConflictError):
    """The requirement does not offer this way now: it is established, was taken already, or is excluded."""

    code = "rung-not-offered"
    title_zh = "该证明要求目前不能采取此方式"
    title_en = "The requirement does not offer this way now"
    remedy_zh = "请重新核验，按答复中的下一步办理。"
    remedy_en = "Ask again and follow the next steps that the answer names."


class RungEndedError(RecordedRefusalError):
    """No grant covers the answer any more from which a system took the rung."""

    code = "rung-right-ended"
    status = 403
    title_zh = "该事项的用证授权已终止，不能继续办理"
    title_en = "The grant for this requirement has ended; a system carries nothing on without one"
    remedy_zh = "请查看本系统的用证授权；经办部门可在窗口继续办理。"
    remedy_en = "Look at your grants; the department can go on at its own desk."


class CommitmentBarredError(RecordedRefusalError):
    """The holder is barred from commitments now, or none is taken for the item any more."""

    code = "commitment-barred"
    title_zh = "目前不适用告知承诺，不能作出或受理该承诺"
    title_en = "No commitment is taken here now: it can be neither made nor accepted"
    remedy_zh = "请提交证明；此前的承诺经核查不实的，整改完毕后可再行承诺。"
    remedy_en = "Bring the proof; where an earlier commitment was found false, make that one good first."


class RungEventError(ConflictError):
    """This cannot happen to the rung in its state, or not by this identity."""

    code = "rung-event-refused"
    title_zh = "当前状态下不能这样办理"
    title_en = "This cannot be done in its state"
    remedy_zh = "请刷新页面，按当前状态办理。"
    remedy_en = "Load it again and do what its state allows."


class RungWordsError(InvalidInputError):
    """What is said is missing, too long or not plain text; ``facts`` name the field."""

    code = "rung-words-invalid"
    title_zh = "说明缺失或过长"
    title_en = "What is said is missing or too long"
    remedy_zh = "请填写不超过500字的说明。"
    remedy_en = "Say it in at most 500 characters."
