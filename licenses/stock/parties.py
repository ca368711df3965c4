# SPDX-License-Identifier: Apache-2.0
"""Who holds a licence of the stock: one party, or several with shares that stood in one field."""

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

_SHARE: Final = re.compile(
    r"(?P<name>.*?)[\s(:,]*(?:(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,4})?)%|(?P<over>[0-9]{1,4})/(?P<under>[1-9][0-9]{0,3})"
    r"|(?P<parts>[1-9][0-9]{0,3})分之(?P<of>[0-9]{1,4}))\)?\s*"
)
MOST_PARTIES: Final = 20


class NamedShare(NamedTuple):
    """One of several names in a field, with the share that stood beside it."""

    name: str
    share: Fraction | None


def split_field(text: str, separators: Sequence[str]) -> list[str]:
    """Give the parts of a field that holds several values; one part when no separator stands in it."""
    for separator in separators:
        if separator in text:
            return [part.strip() for part in text.split(separator)]
    return [text.strip()]


def read_share(text: str) -> NamedShare:
    """Take the share off a name: ``张三 50%``, ``张三（1/2）``, ``张三 二分之一`` in digits."""
    found = _SHARE.fullmatch(unicodedata.normalize("NFKC", text))
    if found is None:
        return NamedShare(text.strip(), None)
    if found["percent"] is not None:
        share = Fraction(found["percent"]) / 100
    elif found["over"] is not None:
        share = Fraction(int(found["over"]), int(found["under"]))
    else:
        share = Fraction(int(found["of"]), int(found["parts"]))
    # The name is a part of the text as it came; only the share was read in half width.
    return NamedShare(text[: len(found["name"])].strip(), share)


def shares_close(shares: Sequence[Fraction | None]) -> bool:
    """Tell whether shares say all of it: none is stated, or each is, is positive, and they make one."""
    stated = [share for share in shares if share is not None]
    if not stated:
        return True
    return len(stated) == len(shares) and min(stated) > 0 and sum(stated) == 1
