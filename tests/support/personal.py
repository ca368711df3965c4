# SPDX-License-Identifier: Apache-2.0
"""What personal data look like in the tests: every person, number and enterprise of theirs is synthetic.

Identity numbers and credit codes of the tests and of the demonstration begin with divisions that do not exist
(3399 99, and 91 3399 99); names hold 演示 or are one of those listed. Logs must hold none of them.
"""

import re
from typing import Final

_SURNAMES = "张王李赵刘陈周吴郑孙钱施严诸葛"
_PERSONAL: Final = re.compile(
    r"339999(?:18|19|20)\d{9}[\dXx]"  # resident identity numbers
    r"|9[1-3]339999[0-9A-HJ-NPQRTUWXY]{10}"  # unified social credit codes
    rf"|[{_SURNAMES}](?:演示|示例|样例)|诸葛例|演示[甲乙丙丁]"  # persons
    r"|(?:演示|示例)[\u4e00-\u9fff0-9]{0,12}有限公司"  # enterprises
)


def personal_in(text: str) -> list[str]:
    """Give the shapes of what is personal in a text: enough to find it, never the whole of it."""
    return [f"{found[0][:2]}…({len(found[0])})" for found in _PERSONAL.finditer(text)]
