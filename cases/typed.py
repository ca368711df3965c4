# SPDX-License-Identifier: Apache-2.0
"""What scanners, ID readers and hands type at a window, read as what was meant.

A reader ends with carriage return or tab and may send control characters before; with an input method
switched on, its digits come in full width; hands leave blanks. A case number may rightly hold such signs,
so the reading that changes least comes first and the others are tried after it.
"""

import unicodedata

from cases.errors import HolderCodeError
from cases.identifiers import RESIDENT_ID, USCC, HolderCode, check_holder_code, is_resident_id, is_uscc

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def readings(text: str) -> tuple[str, ...]:
    """Give what a typed number may be, the likeliest first; nothing when there is nothing to see.

    As it came without unseen signs and outer blanks; in half width without any blank; that in capitals.
    """
    seen = _seen(text).strip()
    folded = _folded(text)
    return tuple(dict.fromkeys(one for one in (seen, folded, folded.upper()) if one))


def read_holder(text: str) -> HolderCode:
    """Give scheme and code of what an ID reader sent: a resident's identity number or a credit code.

    Raises:
        HolderCodeError: It is neither, or a check digit is wrong.
    """
    code = _folded(text).upper()
    if is_resident_id(code):
        return check_holder_code(RESIDENT_ID, code)
    if is_uscc(code):
        return check_holder_code(USCC, code)
    raise HolderCodeError(rule="check-digit")


def _seen(text: str) -> str:
    spaced = "".join(" " if char in "\t\r\n" else char for char in text)
    return "".join(char for char in spaced if unicodedata.category(char) not in _UNSEEN)


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", _seen(text)).split())
