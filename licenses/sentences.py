# SPDX-License-Identifier: Apache-2.0
"""What each finding of the lint of licence types says, in two languages; warnings block nothing."""

from collections.abc import Mapping
from typing import Final

WARNINGS: Final = frozenset(
    {
        "code-uscc-unpublished",
        "cover-incomplete",
        "cover-mutual",
        "example-missing",
        "field-narrowed",
        "field-removed",
        "provisional-again",
        "related-item-unknown",
        "sensitive-dropped",
        "source-missing",
        "validity-unseen",
    }
)
"""Codes of findings that are for the two persons to weigh."""

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "type-twice": ("同一证照类型列出了两次", "A licence type is listed twice"),
    "type-altered": (
        "该类型版本已生效，不得更改；请另立新版本",
        "This version of the type is in force and never altered: make a new version",
    ),
    "type-contradicts": ("类型定义自相矛盾", "The definition contradicts itself"),
    "version-backwards": (
        "版本号须排在该类型现有版本之后，否则不会生效",
        "The version must sort after those that the type has, or it would not take effect",
    ),
    "code-uscc": (
        "类型代码前18位不是有效的统一社会信用代码，不得发布",
        "The first 18 characters of the code are no valid credit code: it cannot be published",
    ),
    "code-uscc-unpublished": (
        "类型代码前18位不是有效的统一社会信用代码，改正前不能发布",
        "The first 18 characters of the code are no valid credit code: it cannot be published until mended",
    ),
    "template-unknown": ("没有这个版式模板", "There is no such template"),
    "related-item-unknown": ("没有这个事项（可随后另行提交）", "There is no such item (yet)"),
    "validity-contradicts": ("有效期规则自相矛盾", "The rule of validity contradicts itself"),
    "validity-field": (
        "必填的有效期照面项与有效期规则矛盾，永远无法或不必填写",
        "A required field of validity is one that the rule of validity does not always fill",
    ),
    "validity-unseen": ("必有截止日期而照面不载", "Licences end, and no field says when"),
    "holders-detail": (
        "允许多个持证主体时，须有且只有一个明细项列明持证主体；否则不得有",
        "Several holders need exactly one detail that lists them, one holder needs none",
    ),
    "holders-columns": (
        "持证主体明细须各含一次姓名或名称、代码、份额，且须有姓名或名称",
        "A detail of holders has a column for the name and at most one each for code and share",
    ),
    "source-twice": ("两个照面项取自同一来源", "Two fields are filled from the same source"),
    "source-missing": (
        "照面不载持证主体或颁发机构",
        "The face does not say who holds it, or who gave it",
    ),
    "name-twice": ("技术名称重复", "A technical name is used twice"),
    "pinyin-twice": ("拼音键重复", "A pinyin key is used twice"),
    "detail-columns": ("明细项须有列，照面项不得有列", "A detail has columns, a face item has none"),
    "detail-value": (
        "明细项自身不取值，不得有来源、数据类型、值域",
        "A detail has no value of its own: no source, data type or range",
    ),
    "choice-values": ("选项须列出可选值，其他类型不得列", "A choice lists its values, nothing else does"),
    "precision-not-decimal": ("只有小数有精度", "Only a decimal has a precision"),
    "pattern-not-text": ("只有文本有格式要求", "Only a text has a form"),
    "range-form": (
        "上下限不符合数据类型（仅整数、小数、日期可有）",
        "A limit does not fit the data type (whole numbers, decimals and dates have limits)",
    ),
    "range-empty": ("下限大于上限，没有可填的值", "The least value is above the greatest: nothing fits"),
    "example-missing": ("必填项没有示例值", "A required item has no example"),
    "example-rule": ("示例值不符合本项规则", "The example breaks the item's own rules"),
    "alias-twice": ("别名代码已为其他类型所用或重复", "The alias is used by another type, or twice"),
    "cover-itself": ("不得涵盖自身", "A type cannot cover itself"),
    "cover-twice": ("同一类型涵盖了两次", "A type is covered twice"),
    "cover-unknown": ("没有所涵盖的证照类型", "The covered type is not in the catalogue"),
    "cover-mutual": ("两个类型互相涵盖", "Two types cover each other"),
    "cover-field-unknown": (
        "涵盖关系中有不存在的项",
        "A field of the covered type, or of this one, does not exist",
    ),
    "cover-field-type": (
        "对应的两项数据类型不同",
        "The two fields hold different types of data",
    ),
    "cover-incomplete": (
        "所涵盖类型的必填项未全部对应",
        "Not all required fields of the covered type are stated",
    ),
    "field-meaning": (
        "已生效的项含义不得改变（类型、拼音键、来源、列）；请另立新项",
        "A field in force cannot mean something else (type, pinyin, source, column): make a new one",
    ),
    "field-removed": (
        "去掉了已生效的项，以后签发的证照不再载明",
        "Fields in force are gone: licences to come no longer state them",
    ),
    "field-narrowed": (
        "长度变短或可选值减少，原有内容可能不再合规",
        "Shorter, or with fewer choices: what was right may be refused",
    ),
    "sensitive-dropped": ("该项不再默认遮蔽", "The item would no longer be masked"),
    "provisional-again": ("已确认的代码改为暂定", "A confirmed code becomes provisional"),
}
"""Finding → sentence in Chinese and English."""
