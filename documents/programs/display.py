# SPDX-License-Identifier: Apache-2.0
"""Says what each cell of a workbook shows, from its value and its number format alone.

Worked out here and not asked of the office program, so that its rendition can be compared with something
else than itself. Only what every program shows alike is worked out: where the display depends on the width
of a column, on the reader's region or on names of months, the answer is that it cannot be told.
"""

import datetime as dt
import json
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

# Formats that a workbook names by number only. Where two codes stand, regions write the date in either way.
_BUILTIN: dict[int, tuple[str, ...]] = {
    0: ("General",),
    1: ("0",),
    2: ("0.00",),
    3: ("#,##0",),
    4: ("#,##0.00",),
    9: ("0%",),
    10: ("0.00%",),
    14: ("yyyy/m/d", "yyyy/mm/dd"),
    20: ("h:mm",),
    21: ("h:mm:ss",),
    22: ("yyyy/m/d h:mm", "yyyy/mm/dd hh:mm"),
    27: ('yyyy"年"m"月"',),
    28: ('m"月"d"日"',),
    29: ('m"月"d"日"',),
    31: ('yyyy"年"m"月"d"日"',),
    32: ('h"时"mm"分"',),
    33: ('h"时"mm"分"ss"秒"',),
    37: ("#,##0 ;(#,##0)",),
    38: ("#,##0 ;[Red](#,##0)",),
    39: ("#,##0.00 ;(#,##0.00)",),
    40: ("#,##0.00 ;[Red](#,##0.00)",),
    45: ("mm:ss",),
    49: ("@",),
    57: ('yyyy"年"m"月"',),
    58: ('m"月"d"日"',),
}
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<space>_.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>(?i:General))|(?P<digits>[#0?][#0?,.]*|\.[#0?]+)|(?P<date>y+|m+|d+|h+|s+|Y+|M+|D+|H+|S+)"
    r"|(?P<end>;)|(?P<other>.)",
    re.DOTALL,
)
_COLOURS = re.compile(r"(?i)black|blue|cyan|green|magenta|red|white|yellow|color ?\d{1,2}")
_MONEY = re.compile(r"\$([^-\]]*)(?:-([0-9A-Fa-f]{1,8}))?")
_REGIONS = {0, 0x409, 0x804}  # none, English, simplified Chinese: all three write digits alike
_LITERALS = set("$-+/():!^&'~{}<>= ,.")
_DIGITS = re.compile(r"([#0?,]*)(?:(\.)(0*)([#?]*))?")
_MOST_GENERAL = 10  # digits; with more, or a point, the width of the column decides
_FIRST_SURE_DAY = 61  # before 1 March 1900 programs count days differently
_LAST_DAY = 2_958_465
_EARLY_EPOCH_DAYS = 1462
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a serial number has no time zone
_DAY = 86_400
_SECTION_OF_TEXT = 3


class Token(NamedTuple):
    """One piece of a format's code."""

    kind: str
    text: str


class Unsure(Exception):  # noqa: N818 - a finding, not an error
    """What the cell shows cannot be told."""


def sections(code: str) -> list[list[Token]]:
    """Cut a format's code into its sections."""
    found: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind = str(match.lastgroup)
        text = match[kind]
        if kind == "end":
            found.append([])
        elif kind in {"quoted", "escaped"}:
            found[-1].append(Token("literal", text))
        elif kind == "bracket":
            found[-1].extend(_bracket(text))
        elif kind == "other":
            found[-1].append(_other(text))
        elif kind == "fill":
            if not text.isspace():
                raise Unsure
        elif kind != "space":
            found[-1].append(Token(kind, text))
    return found


def _bracket(text: str) -> list[Token]:
    money = _MONEY.fullmatch(text)
    if money is not None and int(money[2] or "0", 16) in _REGIONS:
        return [Token("literal", money[1])]
    if _COLOURS.fullmatch(text):
        return []
    raise Unsure


def _other(text: str) -> Token:
    if text == "@":
        return Token("text", text)
    if text == "%":
        return Token("percent", text)
    if text in _LITERALS or not text.isascii():
        return Token("separator" if text == "/" else "literal", text)
    raise Unsure


def shown(kind: str, value: str, form: int | str, *, early: bool) -> list[str]:
    """Give what a cell shows: one text, or the ways in which regions write it.

    Args:
        kind: ``n`` number, ``b`` truth value, ``e`` error, else text.
        value: What is stored.
        form: The format's code, or its number.
        early: Days are counted from 1904.

    Raises:
        Unsure: It cannot be told.
    """
    codes = (form,) if isinstance(form, str) else _BUILTIN.get(form, ())
    if kind == "b":
        return ["TRUE" if value in {"1", "true"} else "FALSE"]
    if kind == "e":
        return [value]
    if not codes or "" in codes or kind == "d":
        raise Unsure
    found: list[str] = []
    for code in codes:
        parts = sections(code)
        if kind == "n":
            text = _number(parts, value, early=early)
            found += [text, text.replace("/", "-")] if _is_date(parts[0]) and "/" in code else [text]
        else:
            found.append(_text(parts, value))
    return list(dict.fromkeys(found))


def _text(parts: list[list[Token]], value: str) -> str:
    if len(parts) > _SECTION_OF_TEXT:
        chosen = parts[_SECTION_OF_TEXT]
    elif len(parts) == 1 and any(token.kind == "text" for token in parts[0]):
        chosen = parts[0]
    else:
        return value
    if any(token.kind not in {"text", "literal", "separator", "general"} for token in chosen):
        raise Unsure
    return "".join(value if token.kind in {"text", "general"} else token.text for token in chosen)


def _is_date(section: list[Token]) -> bool:
    return any(token.kind == "date" for token in section)


def _number(parts: list[list[Token]], value: str, *, early: bool) -> str:
    try:
        number = Decimal(f"{float(value):.15g}")
    except (ValueError, InvalidOperation):
        raise Unsure from None
    if not number.is_finite():
        raise Unsure
    section, sign = parts[0], "-" if number < 0 else ""
    if number < 0 and len(parts) > 1:
        section, sign = parts[1], ""
    elif number == 0 and len(parts) > 2:
        section = parts[2]
    if _is_date(section):
        if sign:
            raise Unsure
        return _date(section, float(value) + (_EARLY_EPOCH_DAYS if early else 0))
    text = _figures(section, abs(number))
    if sign and not any(figure in text for figure in "123456789"):
        # Programs differ in whether a number that was rounded to nothing keeps its sign.
        raise Unsure
    return sign + text


def _figures(section: list[Token], number: Decimal) -> str:
    patterns = [token for token in section if token.kind in {"digits", "general", "text"}]
    if len(patterns) > 1:
        raise Unsure
    for token in section:
        if token.kind == "percent":
            number *= 100
        elif token.kind == "separator":
            raise Unsure
    return "".join(
        _digits(token.text, number)
        if token.kind == "digits"
        else _general(number)
        if token.kind in {"general", "text"}
        else token.text
        for token in section
    )


def _general(number: Decimal) -> str:
    if number and not Decimal("0.0001") <= number < Decimal(10) ** 11:
        raise Unsure
    text = format(number.normalize(), "f")
    if "." in text and len(text) > _MOST_GENERAL:
        raise Unsure
    return text


def _digits(pattern: str, number: Decimal) -> str:
    found = _DIGITS.fullmatch(pattern)
    if found is None or found[1].endswith(","):
        raise Unsure
    whole, point, always, sometimes = found[1], found[2] or "", found[3] or "", found[4] or ""
    with localcontext() as context:
        context.prec = 400
        places = Decimal(1).scaleb(-len(always + sometimes))
        rounded = format(number.quantize(places, ROUND_HALF_UP), "f")
    before, _, after = rounded.partition(".")
    before = before.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole:
        before = _grouped(before)
    while sometimes and len(after) > len(always) and after.endswith("0"):
        after = after[:-1]
    return before + point + after


def _grouped(figures: str) -> str:
    first = len(figures) % 3
    groups = [figures[:first], *(figures[at : at + 3] for at in range(first, len(figures), 3))]
    return ",".join(group for group in groups if group)


def _date(section: list[Token], serial: float) -> str:
    dates = [token for token in section if token.kind == "date"]
    if any(token.kind not in {"date", "literal", "separator"} for token in section):
        raise Unsure
    words = _words(dates)
    days = any(word[0] in "yMd" for word in words)
    if not (_FIRST_SURE_DAY if days else 0) <= serial < _LAST_DAY:
        raise Unsure
    seconds = round(serial * _DAY)
    if any(word[0] in "hms" for word in words):
        if abs(serial * _DAY - seconds) > 0.001:
            raise Unsure
    else:
        seconds = int(serial) * _DAY
    at = _EPOCH + dt.timedelta(seconds=seconds)
    made = iter([_written(word, at) for word in words])
    return "".join(next(made) if token.kind == "date" else token.text for token in section)


def _words(dates: list[Token]) -> list[str]:
    """Give the words of a date with months as ``M`` and minutes as ``m``."""
    words = [token.text.lower() for token in dates]
    beside = [("", words[0]), *pairwise(words)]
    following = [*words[1:], ""]
    return [
        word.upper() if word[0] == "m" and before[:1] != "h" and after[:1] != "s" else word
        for (before, word), after in zip(beside, following, strict=True)
    ]


def _written(word: str, at: dt.datetime) -> str:
    values = {"y": at.year, "M": at.month, "d": at.day, "h": at.hour, "m": at.minute, "s": at.second}
    if word in {"yyyy", "yyy"}:
        return f"{at.year:04d}"
    if word in {"yy", "y"}:
        return f"{at.year % 100:02d}"
    if len(word) > 2:
        raise Unsure
    return f"{values[word[0]]:0{len(word)}d}"


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Write what the cells in ``cells`` and the ``texts`` of drawings show to ``text``.

    Returns:
        ``problem``; whether anything ``shows``.
    """
    read = json.loads(Path(request["cells"]).read_text("utf-8"))
    found: list[list[str]] = []
    try:
        for kind, value, form in read["cells"]:
            found.append(shown(kind, value, form, early=read["early"]))
    except Unsure:
        return {"problem": "cell-display", "shows": True}
    if request["texts"]:
        found.extend([text] for text in json.loads(Path(request["texts"]).read_text("utf-8")))
    Path(request["text"]).write_text(json.dumps(found), "utf-8")
    return {"problem": None, "shows": any(text.strip() for ways in found for text in ways)}
