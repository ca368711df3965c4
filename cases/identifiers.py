# SPDX-License-Identifier: Apache-2.0
"""Codes that name holders and cases: schemes, check digits, and how codes and names are masked.

Schemes are the holder-code types of GB/T 36903 (``001`` unified social credit code, ``111`` resident
identity number, …). A code means nothing without its scheme: always carry the pair.
"""

import datetime as dt
import unicodedata
from operator import mul
from typing import NamedTuple

from cases.errors import CaseNumberError, HolderCodeError

USCC = "001"
RESIDENT_ID = "111"

SCHEMES: dict[str, tuple[str, str]] = {
    "001": ("统一社会信用代码", "Unified social credit code"),
    "099": ("其他法人或其他组织有效证件代码", "Other organisation"),
    "111": ("公民身份号码", "Resident identity number"),
    "114": ("中国人民解放军军官证", "Officer of the People's Liberation Army"),
    "115": ("中国人民武装警察部队警官证", "Officer of the armed police"),
    "118": ("中国人民解放军士兵证", "Soldier of the People's Liberation Army"),
    "119": ("中国人民武装警察部队士兵证", "Soldier of the armed police"),
    "120": ("中国人民解放军文职人员证", "Civilian of the People's Liberation Army"),
    "122": ("中国人民武装警察部队文职人员证", "Civilian of the armed police"),
    "411": ("外交护照", "Diplomatic passport"),
    "412": ("公务护照", "Service passport"),
    "413": ("公务普通护照", "Public-affairs ordinary passport"),
    "414": ("普通护照", "Ordinary passport"),
    "511": ("台湾居民来往大陆通行证", "Taiwan residents' travel permit"),
    "516": ("港澳居民来往内地通行证", "Hong Kong and Macao residents' travel permit"),
    "999": ("其他自然人有效证件代码", "Other natural person"),
}
"""Scheme → title in Chinese and English."""

ORGANISATION_SCHEMES = frozenset({"001", "099"})

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_VALUES = {char: value for value, char in enumerate(_ORGANISATION_ALPHABET)}
_USCC_VALUES = {char: value for value, char in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_RESIDENT_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_RESIDENT_CHECKS = "10X98765432"
_CODE_LIMIT = 64
_NOT_UTF8 = "\ufffd"
"""What the web's libraries make of bytes in an address that are no UTF-8."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class HolderCode(NamedTuple):
    """A holder's code in its normal form, with its scheme."""

    scheme: str
    code: str


def organisation_check(body: str) -> str:
    """Give the MOD 11 check character of the first 8 characters of an organisation code (GB 11714)."""
    # Registers are read by the million: mapping takes a third of the time of a generator.
    total = sum(map(mul, map(_ORGANISATION_VALUES.__getitem__, body), _ORGANISATION_WEIGHTS))
    return "0123456789X0"[11 - total % 11]


def uscc_check(body: str) -> str:
    """Give the check character of the first 17 characters of a credit code (GB 32100)."""
    total = sum(map(mul, map(_USCC_VALUES.__getitem__, body), _USCC_WEIGHTS))
    return _USCC_ALPHABET[-total % 31]


def resident_id_check(body: str) -> str:
    """Give the MOD 11-2 check character of the first 17 digits of a resident number (GB 11643)."""
    total = sum(map(mul, map(int, body), _RESIDENT_WEIGHTS))
    return _RESIDENT_CHECKS[total % 11]


def is_uscc(code: str) -> bool:
    """Tell whether a code is a unified social credit code with both check characters right."""
    if len(code) != 18 or not _USCC_VALUES.keys() >= set(code):
        return False
    return organisation_check(code[8:16]) == code[16] and uscc_check(code[:17]) == code[17]


def divisions_above(division: str) -> tuple[str, ...]:
    """Give the divisions (GB/T 2260, six digits) that stand above one, the highest first.

    ``100000`` is the central level and stands above every province.
    """
    levels = ("100000", f"{division[:2]}0000", f"{division[:4]}00")
    own = levels.index(division) if division in levels else len(levels)
    return tuple(dict.fromkeys(levels[:own]))


def is_resident_id(code: str) -> bool:
    """Tell whether a code is a resident identity number: digits, a real birth date, check character."""
    body = code[:17]
    if len(code) != 18 or not (body.isascii() and body.isdigit()):
        return False
    try:
        dt.date(int(body[6:10]), int(body[10:12]), int(body[12:14]))
    except ValueError:
        return False
    return resident_id_check(body) == code[17]


def check_holder_code(scheme: str, code: str) -> HolderCode:
    """Bring a holder's code into its normal form (no outer blanks, capital letters) and check it.

    Args:
        scheme: One of ``SCHEMES``.
        code: The code as it was sent.

    Returns:
        The pair to store and to look up by.

    Raises:
        HolderCodeError: Unknown scheme, wrong length or characters, wrong check digit.
    """
    if scheme not in SCHEMES:
        raise HolderCodeError(rule="scheme")
    normal = unicodedata.normalize("NFKC", code).strip().upper()
    if not 1 <= len(normal) <= _CODE_LIMIT or not normal.isprintable():
        raise HolderCodeError(scheme=scheme, rule="length-or-characters")
    right = {USCC: is_uscc, RESIDENT_ID: is_resident_id}.get(scheme)
    if right is not None and not right(normal):
        raise HolderCodeError(scheme=scheme, rule="check-digit")
    return HolderCode(scheme, normal)


def check_segment(text: str, field: str) -> str:
    """Check that a source or case number is one path segment; gives it back unchanged.

    Raises:
        CaseNumberError: Not 1–64 characters, not in NFC, outer blanks, a slash, a backslash,
            a control character, bytes that were no UTF-8, or a name that a path would swallow
            (``.``, ``..``).
    """
    if not 1 <= len(text) <= 64:
        raise CaseNumberError(field=field, rule="length")
    if not text.isprintable() or any(char in text for char in f"/\\{_NOT_UTF8}"):
        raise CaseNumberError(field=field, rule="characters")
    if text in {".", ".."} or text != text.strip() or not unicodedata.is_normalized("NFC", text):
        raise CaseNumberError(field=field, rule="form")
    return text


def is_plain(text: str) -> bool:
    """Tell whether a text is what it looks like: no outer blanks, nothing unseen, no line turned."""
    # What is printable has none of them; most texts are.
    return text == text.strip() and (
        text.isprintable() or not any(unicodedata.category(char) in _UNSEEN for char in text)
    )


def mask_code(code: str) -> str:
    """Show the first and last four characters of a long code, the first of a short one."""
    if len(code) < 12:
        return code[:1] + "*" * (len(code) - 1)
    return code[:4] + "*" * (len(code) - 8) + code[-4:]


def mask_person(name: str) -> str:
    """Show the first character of a person's name and one star, whatever its length."""
    return f"{name[:1]}*"
