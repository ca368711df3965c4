# SPDX-License-Identifier: Apache-2.0
"""Synthetic index documents in any number, and what people would look for among them.

Each is made of its number alone. Items follow one another in frequency as one to one over their rank;
holders' names are as rare as names are; a text is what the product indexes: titles of materials and the case.
"""

import datetime as dt
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from indexer.document import IndexDocument
from indexer.query import Query
from indexer.validity import Judged

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "contracts" / "golden_queries.json").read_text("utf-8")
)
START = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
DEPARTMENTS = tuple(f"D{number:02d}" for number in range(12))
JUDGED = Judged(dt.datetime(2100, 1, 1, tzinfo=dt.UTC), frozenset({"seal-7"}))
EARLY = "EARLY"
"""A department whose documents all lie among the first hundred thousand: the same in every index at size."""
_EARLY_LAST, _EARLY_EACH = 100_000, 20
_ACTIONS = ("核发", "变更", "延续", "注销", "补办")
_THINGS = (
    *("食品经营许可", "企业设立登记", "道路货物运输经营许可", "占用城市道路审批", "公共场所卫生许可"),
    *("特种设备使用登记", "医疗器械经营备案", "建筑工程施工许可", "排水许可", "烟草专卖零售许可"),
    *("出版物经营许可", "人力资源服务许可", "劳务派遣经营许可", "户外广告设置审批", "危险化学品经营许可"),
    *("取水许可", "林木采伐许可", "渔业捕捞许可", "民办学校设立审批", "娱乐场所经营许可"),
)
_MATERIALS = (
    *("申请书", "营业执照副本", "法定代表人身份证明", "经营场所使用证明", "平面布局图", "安全管理制度"),
    *("设备清单", "人员资格证书", "受理通知书", "现场核查记录", "审批决定书", "送达回证"),
)
_NAME = (
    "华盛恒泰瑞祥鑫源宏达永兴嘉禾顺安康博远志诚德隆裕丰润泽"
    "明辉天佑景云海山林川江河湖春秋晨曦月星光耀金玉珠宝文武英杰"
)
_TRADES = ("餐饮", "商贸", "运输", "建筑", "科技", "食品", "医药", "物业", "印务", "服装")


def document(number: int) -> IndexDocument:
    """Give the document of this number."""
    chance = random.Random(number)
    thing = _THINGS[min(int(chance.paretovariate(1.0)) - 1, len(_THINGS) - 1)]
    licence = number % 3 == 2
    title = f"演示市{_holder(chance)}{thing}{'证' if licence else chance.choice(_ACTIONS)}"
    materials = chance.sample(_MATERIALS, 6)
    early = number < _EARLY_LAST and number % _EARLY_EACH == 0
    return IndexDocument(
        id=f"{number:026d}",
        kind="licence" if licence else "dossier",
        title=title,
        text="\n".join([*materials, f"YCTB-2026-{number:08d}"]),
        organisation=EARLY if early else chance.choice(DEPARTMENTS),
        number=f"Z339-XK·2026-D30-{number:08d}",
        at=START + dt.timedelta(seconds=60 * number),
        trust="B" if licence else "",
        since=START if licence else None,
        # Of all licences of a city three in five are not valid any more.
        until=JUDGED.at if number % 5 < 3 else None,
        seal=f"seal-{number % 40}" if licence else "",
    )


def _holder(chance: random.Random) -> str:
    return f"{''.join(chance.choices(_NAME, k=3))}{chance.choice(_TRADES)}有限公司"


def batches(count: int, size: int = 500) -> Iterator[Sequence[IndexDocument]]:
    """Give so many documents with the golden ones among them."""
    planted = {
        (order + 1) * count // (len(GOLDEN["documents"]) + 1): IndexDocument(
            **entry, at=START + dt.timedelta(seconds=60 * count + order)
        )
        for order, entry in enumerate(GOLDEN["documents"])
    }
    numbers = iter(range(count))
    while part := list(itertools.islice(numbers, size)):
        yield [one for number in part for one in (planted.get(number), document(number)) if one is not None]


def golden_departments() -> frozenset[str]:
    """Give the departments of the golden documents; no other document is theirs."""
    return frozenset(one["organisation"] for one in GOLDEN["documents"])


def queries(count: int, documents: int, seed: int = 7) -> Iterator[Query]:
    """Give what clerks and archivists of one or two departments would look for.

    Of ten: four names or parts of them, two items, one item with a part of a name, two numbers, whole or by
    prefix, one material. Half of what is looked for is a document of one's own.
    """
    chance = random.Random(seed)
    for place in range(count):
        aim = document(chance.randrange(documents))
        own = aim.organisation if chance.random() < 0.5 else chance.choice(DEPARTMENTS)
        kind = place % 10
        if kind < 4:
            text = aim.title[3 : 3 + chance.choice((2, 3, 5))]
        elif kind < 6:
            text = chance.choice(_THINGS)
        elif kind == 6:
            text = f"{chance.choice(_THINGS)[:4]} {aim.title[3:5]}"
        elif kind == 7:
            text = aim.number
        elif kind == 8:
            text = f"YCTB-2026-{aim.number[-8:-3]}*"
        else:
            text = chance.choice(_MATERIALS)
        yield Query(text, frozenset({own, chance.choice(DEPARTMENTS)}), judged=JUDGED)
