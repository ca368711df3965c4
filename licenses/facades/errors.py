# SPDX-License-Identifier: Apache-2.0
"""What a façade refuses before anything is looked up; the dialect has its own code for it."""

from licenses.facades.profiles import Result
from storage.errors import InvalidInputError


class FacadeCallError(InvalidInputError):
    """A call through a façade lacks something, or says what it may not say.

    Args:
        result: How the call ended.
        name: Which of the profile's names is concerned; never anything that was sent.
    """

    code = "facade-call"
    title_zh = "接口调用的参数不符合要求"
    title_en = "The call does not fit the interface"
    remedy_zh = "请按返回码和所列参数更正后重新调用。"
    remedy_en = "Correct the named parameter as the return code says, then call again."

    def __init__(self, result: Result, name: str = "") -> None:
        super().__init__(result=str(result), field=name)
        self.result = result
        self.name = name
