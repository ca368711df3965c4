# SPDX-License-Identifier: Apache-2.0
"""Synthetic records of an old register, dirty in twelve ways, with what must come of each.

Each is made of its number and a seed alone. Names say that they are made up; codes lie in a division (339999)
that does not exist. Every twentieth of the numbers has one kind of defect, eight of twenty have none.
"""

import csv
import datetime as dt
import io
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from cases.identifiers import organisation_check, resident_id_check, uscc_check
from licenses import identifiers
from licenses.stock.profiles import Item, ProfileBook

FOOD, BUSINESS = "11339999DEM0010178001", "11100000MB0143028R001"
ISSUER, ISSUER_CODE = "演示市市场监督管理局", "11339999DEM0010178"
EXCLUDED = "JY33999900000000"
KINDS = 20
"""Numbers that follow one another in each round: remainders 1 to 12 are the kinds of defects."""

Cells = dict[Item, str]


@dataclass(frozen=True)
class Dirty:
    """A record and what must come of it.

    Attributes:
        number: Which one it is, from 0.
        kind: Kind of its defect, 0 for none.
        cells: What stands in it.
        face: Face fields by technical name.
        verdict: ``accepted``, ``quarantined`` or ``rejected``.
        reason: The code that tells of the defect, if there is one.
    """

    number: int
    kind: int
    cells: Cells
    face: Mapping[str, str]
    verdict: str
    reason: str | None


def uscc(number: int) -> str:
    """Give a credit code of the division that does not exist."""
    body = f"D{number:07d}"
    body = "91339999" + body + organisation_check(body)
    return body + uscc_check(body)


def resident(number: int) -> str:
    """Give a resident number of the division that does not exist."""
    born = dt.date(1950, 1, 1) + dt.timedelta(days=number % 18_000)
    body = f"339999{born:%Y%m%d}{number // 18_000 % 1000:03d}"
    return body + resident_id_check(body)


def dirty(number: int, seed: int = 1) -> Dirty:
    """Give the record of this number."""
    chance = random.Random(seed * 1_000_003 + number)
    cells, face = _clean(number, chance)
    kind = number % KINDS if number % KINDS <= 12 else 0
    verdict, reason = "accepted", None
    if kind == 7:
        verdict, reason = _again(number, cells, dirty(number - EARLIER_BY, seed).cells)
    elif kind:
        verdict, reason = _SPOIL[kind](number, cells, chance)
    if reason == "duplicate":
        face = dirty(number - EARLIER_BY, seed).face
    if cells[Item.TYPE_CODE] == BUSINESS:
        face = {"entity_type": "有限责任公司", "scope": "演示餐饮", "founded_on": "2001-02-03"}
    return Dirty(number, kind, cells, face, verdict, reason)


def _holder(number: int) -> int:
    return number * 2 // 3


def _clean(number: int, chance: random.Random) -> tuple[Cells, dict[str, str]]:
    start = dt.date(2019, 1, 1) + dt.timedelta(days=chance.randrange(2_000))
    serial = f"JY3399{number + 1:010d}"
    cells: Cells = {
        Item.NAME: "食品经营许可证",
        Item.TYPE_CODE: FOOD,
        Item.NUMBER: serial,
        Item.IDENTIFIER: identifiers.compose(FOOD, ISSUER_CODE, serial),
        Item.ISSUER_NAME: ISSUER,
        Item.ISSUER_CODE: ISSUER_CODE,
        Item.ISSUED_ON: start.isoformat(),
        Item.HOLDER_NAME: f"演示第{_holder(number)}号餐饮有限公司",
        Item.HOLDER_CODE: uscc(_holder(number)),
        Item.HOLDER_SCHEME: "01",
        Item.VALID_FROM: start.isoformat(),
        Item.VALID_UNTIL: (start + dt.timedelta(days=1825)).isoformat(),
        Item.STATUS: "有效",
        Item.ADDRESS: f"演示市不存在路{number % 900 + 1}号",
    }
    face = {
        "legal_representative": f"演示人{number % 1000}",
        "domicile": cells[Item.ADDRESS],
        "premises": cells[Item.ADDRESS],
        "business_form": chance.choice(("食品销售经营者", "餐饮服务经营者", "集中用餐单位食堂")),
        "permitted_items": "热食类食品制售，冷食类食品制售",
    }
    return cells, face


def _dates(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    day = dt.date.fromisoformat(cells[Item.ISSUED_ON])
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    form = chance.choice(
        (
            f"{day:%Y%m%d}",
            f"{day.year}-{day.month}-{day:%d}",
            f"{day:%Y/%m/%d}",
            f"{day.year}年{day.month}月{day.day}日",
            f"{day:%Y-%m-%d}-",
            f"{day:%Y-%m-%d} 00:00:00",
            str(int(midnight.timestamp() * 1000)),
            "2020-13-45",
        )
    )
    cells[Item.ISSUED_ON] = form
    if form == "2020-13-45":
        return "quarantined", "date-unreadable"
    return "accepted", None if form == day.isoformat() else "date-form"


def _numerals(day: dt.date) -> str:
    digits = "〇一二三四五六七八九"
    year = "".join(digits[int(char)] for char in str(day.year))
    return f"{year}年{_ten(day.month)}月{_ten(day.day)}日"


def _ten(value: int) -> str:
    digits = "〇一二三四五六七八九"
    tens, ones = divmod(value, 10)
    first = ("十" if tens == 1 else f"{digits[tens]}十") if tens else ""
    return first + (digits[ones] if ones else "")


def _packed(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    start, end = (dt.date.fromisoformat(cells.pop(one)) for one in (Item.VALID_FROM, Item.VALID_UNTIL))
    form = chance.randrange(4)
    if form == 0:
        cells[Item.VALID_FROM] = f"{_numerals(start)}至"
        return "quarantined", "dates-unreadable"
    if form == 1:
        cells[Item.VALIDITY] = f"{_numerals(start)}至{_numerals(end)}"
        return "accepted", "date-numerals"
    between = "至" if form == 2 else "-"
    cells[Item.VALIDITY] = f"{start:%Y%m%d}{between}{end:%Y%m%d}"
    return "accepted", "dates-packed"


def _brackets(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    left, right = chance.choice(("（）", "()", "〔〕", "【】"))
    cells[Item.NUMBER] = f"演食{left}2020{right}第{number + 1:08d}号"
    return "accepted", None if left == "(" else "brackets-differ"


def _swapped(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    cells[Item.ISSUER_NAME], cells[Item.ADDRESS] = cells[Item.ADDRESS], cells[Item.ISSUER_NAME]
    return "quarantined", "agency-address-swapped"


def _codes(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    form = chance.randrange(3)
    if form == 0:
        cells[Item.HOLDER_CODE] = resident(_holder(number))
        cells[Item.HOLDER_NAME] = f"演示第{_holder(number)}号小店"
        return "accepted", "sole-trader"
    if form == 1:
        cells[Item.HOLDER_CODE] = cells[Item.HOLDER_CODE].lower()
        return "accepted", "code-case"
    del cells[Item.HOLDER_CODE]
    return "quarantined", "holder-code-missing"


def _masked(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    cells[Item.HOLDER_NAME] = "演*" if chance.random() < 0.5 else "演示＊＊公司"
    return "quarantined", "name-masked"


def _again(number: int, cells: Cells, before: Cells) -> tuple[str, str | None]:
    """Repeat the number of a record without defects: newer, the same, or in contradiction."""
    form = number // KINDS % 4
    keep = (
        Item.NUMBER,
        Item.HOLDER_NAME,
        Item.HOLDER_CODE,
        Item.VALID_FROM,
        Item.VALID_UNTIL,
        Item.ISSUED_ON,
    )
    cells.update({item: before[item] for item in keep})
    cells[Item.IDENTIFIER] = identifiers.compose(FOOD, ISSUER_CODE, before[Item.NUMBER], 2)
    day = dt.date.fromisoformat(before[Item.ISSUED_ON])
    if form in {0, 1}:
        later = day + dt.timedelta(days=200)
        cells[Item.ISSUED_ON] = cells[Item.VALID_FROM] = later.isoformat()
        return "accepted", "version-chained"
    if form == 2:
        cells.clear()
        cells.update(before)
        return "rejected", "duplicate"
    return "quarantined", "version-unordered"


def _ended(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    cells[Item.STATUS] = chance.choice(("注销", "吊销", "已撤销", "暂停"))
    return "accepted", "ended-in-source"


def _start(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    del cells[Item.VALID_FROM]
    if chance.random() < 0.5:
        return "quarantined", "start-required"
    cells[Item.TYPE_CODE], cells[Item.NAME] = BUSINESS, "营业执照"
    cells[Item.IDENTIFIER] = identifiers.compose(BUSINESS, ISSUER_CODE, cells[Item.NUMBER])
    return "accepted", "start-missing"


def _status(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    cells[Item.STATUS] = word = chance.choice(("启用", "NULL", "待定"))
    verdicts = {"NULL": ("quarantined", "status-unknown"), "待定": ("quarantined", "status-word")}
    return verdicts.get(word, ("accepted", None))


def _excluded(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    cells[Item.NUMBER] = EXCLUDED
    return "rejected", "excluded"


def _several(number: int, cells: Cells, chance: random.Random) -> tuple[str, str | None]:
    first, second = _holder(number), _holder(number) + 3_000_000
    open_ = chance.random() < 0.3
    cells[Item.HOLDER_NAME] = f"演示第{first}号商行 50%、演示第{second}号商行 {20 if open_ else 50}%"
    cells[Item.HOLDER_CODE] = f"{uscc(first)}、{uscc(second)}"
    return ("quarantined", "shares-open") if open_ else ("accepted", "holders-several")


_SPOIL = {
    1: _dates,
    2: _packed,
    3: _brackets,
    4: _swapped,
    5: _codes,
    6: _masked,
    7: _again,
    8: _ended,
    9: _start,
    10: _status,
    11: _excluded,
    12: _several,
}
EARLIER_BY = 7
"""A record of kind 7 repeats the number of the one so many before it: remainder 0, without a defect."""


@cache
def _columns(profile: str) -> Mapping[Item, str]:
    found = ProfileBook.load().get(profile).columns
    return {item: column.names[0] for item, column in found.items()}


def in_columns(record: Dirty, profile: str = "provincial-exchange") -> dict[str, str]:
    """Give a record in the spelling of a shipped profile."""
    spelt = _columns(profile)
    cells = {spelt[item]: text for item, text in record.cells.items() if item in spelt}
    extension = ProfileBook.load().get(profile).extension
    assert extension is not None
    if extension.kind == "object":
        cells[extension.column] = json.dumps(dict(record.face), ensure_ascii=False)
    elif extension.kind == "list":
        pairs = [{extension.name: name, extension.value: value} for name, value in record.face.items()]
        cells[extension.column] = json.dumps(pairs, ensure_ascii=False)
    return cells


def csv_lines(count: int, seed: int = 1, *, malformed_every: int = 0) -> Iterator[str]:
    """Give a file of the provincial exchange line by line, its head first.

    Args:
        count: Records.
        seed: Of the records.
        malformed_every: Let each so-manieth record be followed by a row of two cells.
    """
    head = [*_columns("provincial-exchange").values(), "extend_info"]
    yield _line(head)
    for number in range(count):
        cells = in_columns(dirty(number, seed))
        yield _line([cells.get(name, "") for name in head])
        if malformed_every and number % malformed_every == malformed_every - 1:
            yield _line(["演示", "缺列"])


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
