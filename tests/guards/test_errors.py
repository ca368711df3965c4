# SPDX-License-Identifier: Apache-2.0
"""Every error says the same thing everywhere: one code, two languages, what to do."""

import re
from collections import Counter
from collections.abc import Iterator

from inventory import TEXTS, error_classes

from storage.errors import CunzhengError

EXIT_CODES = {1, 2, 3, 64, 70}
HAN = re.compile(r"[\u4e00-\u9fff]")


def _gaps(cls: type[CunzhengError]) -> Iterator[str]:
    root = CunzhengError
    yield from (f"states no {name} of its own" for name in TEXTS[:3] if name not in vars(cls))
    if cls is not root and (cls.remedy_zh == root.remedy_zh or cls.remedy_en == root.remedy_en):
        yield "says nothing about what to do"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cls.code):
        yield "code is not in kebab case"
    yield from (f"no Chinese: {text}" for text in (cls.title_zh, cls.remedy_zh) if not HAN.search(text))
    yield from (
        f"no English: {text}" for text in (cls.title_en, cls.remedy_en) if HAN.search(text) or not text
    )
    if not 400 <= cls.status <= 599:
        yield f"status {cls.status}"
    if cls.exit_code not in EXIT_CODES:
        yield f"exit code {cls.exit_code}"
    if not cls.__doc__:
        yield "no docstring"


def test_codes_are_unique() -> None:
    counts = Counter(cls.code for cls in error_classes())
    assert [code for code, count in counts.items() if count > 1] == []


def test_every_error_is_complete() -> None:
    found = {f"{cls.__module__}.{cls.__name__}": list(_gaps(cls)) for cls in error_classes()}
    assert len(found) > 20
    assert {name: gaps for name, gaps in found.items() if gaps} == {}
