# SPDX-License-Identifier: Apache-2.0
"""What is refused about authorisation codes, as data."""

from licenses.refusing import RecordedRefusalError
from storage.errors import InvalidInputError, NotFoundError


class CodeRefusedError(RecordedRefusalError):
    """The code is good for nothing here: wrong, expired, revoked, used up and another's all look alike."""

    code = "authorisation-code-refused"
    status = 404
    title_zh = "用证码无效"
    title_en = "The authorisation code is not good"
    remedy_zh = "请向持证主体另取用证码，并在有效时间内使用。"
    remedy_en = "Ask the holder for another code and use it in time."


class CodeNotGrantedError(RecordedRefusalError):
    """Nobody may make such a code: the item's rule and the licence type do not go together."""

    code = "authorisation-code-not-granted"
    title_zh = "该事项不使用此类证照，不能生成用证码"
    title_en = "The item does not use this licence type: no code is made"
    remedy_zh = "请核对事项与证照类型；确需使用的由持证主体本人授权。"
    remedy_en = "Check item and licence type; otherwise the holder has to authorise the use."


class CodeTermsError(InvalidInputError):
    """Purpose, minutes or delegate of a code are missing or out of range; ``facts`` name the field."""

    code = "authorisation-code-terms"
    title_zh = "用证码的用途、时限或受托人不符合要求"
    title_en = "Purpose, minutes or delegate of the code are not as required"
    remedy_zh = "请选择公布的用途和允许的时限；委托时填写受托人的证件类型与号码。"
    remedy_en = "Choose a published purpose and a time within the limits; name whom you delegate to."


class CodeOfAnotherError(NotFoundError):
    """The holder has made no such code; unknown and another's look alike."""

    code = "authorisation-code-unknown"
    title_zh = "未找到本人的用证码"
    title_en = "No such code of yours"
    remedy_zh = "请从“我的证照”页面中选择。"
    remedy_en = "Choose it on the page of your licences."
