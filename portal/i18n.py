# SPDX-License-Identifier: Apache-2.0
"""What a person reads, in Chinese (the default) or English.

Message identifiers are English; the Chinese stands in ``translations/zh_Hans.po``, read once at start, so
nothing has to be compiled. The language belongs to the current context: a web request or a command sets it.
A message that has no translation is shown in English, and a test names it.
"""

import datetime as dt
import functools
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

from storage.clock import SHANGHAI, legal_date

ZH: Final = "zh-CN"
EN: Final = "en"
LANGUAGES: Final = (ZH, EN)
_FOLDER = Path(__file__).parent / "translations"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_language: ContextVar[str] = ContextVar("language", default=ZH)


@functools.cache
def catalogue() -> Mapping[str, str]:
    """Give the Chinese text of each message identifier; read from the catalogue once per process."""
    with (_FOLDER / "zh_Hans.po").open("rb") as source:
        read = read_po(source, locale="zh_Hans", abort_invalid=True)
    return {
        str(entry.id): str(entry.string) for entry in read if entry.id and entry.string and not entry.fuzzy
    }


def set_language(language: str) -> None:
    """Choose the language of the current context; an unknown one means Chinese."""
    _language.set(language if language in LANGUAGES else ZH)


def language() -> str:
    """Give the language of the current context."""
    return _language.get()


def gettext(message: str, **values: object) -> str:
    """Give a message in the language of the context, with ``%(name)s`` filled in.

    Args:
        message: The English identifier.
        values: What the placeholders stand for.
    """
    text = catalogue().get(message, message) if language() == ZH else message
    return text % values if values else text


def mark(message: str) -> str:
    """Mark a message for the catalogue where it is defined; it is translated where it is shown."""
    return message


def choose(zh: str, en: str) -> str:
    """Choose between the two texts that a piece of data carries."""
    return zh if language() == ZH else en


def named(thing: object) -> str:
    """Choose the name of a thing that carries ``zh`` and ``en``, as attributes or as keys."""
    if isinstance(thing, Mapping):
        return choose(str(thing["zh"]), str(thing["en"]))
    return choose(str(thing.zh), str(thing.en))  # type: ignore[attr-defined] # duck-typed on purpose: data classes of five rooms


def moment(instant: dt.datetime | None) -> str:
    """Write an instant for a table: ``2026-11-22 14:05`` in Shanghai; a dash when there is none."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else "—"


def exact_moment(instant: dt.datetime) -> str:
    """Write an instant for evidence, to the second, with its offset."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S +08:00")


def day(value: dt.date | dt.datetime | None) -> str:
    """Write a legal date for a sentence: ``2026年11月22日`` or ``22 Nov 2026``."""
    if value is None:
        return "—"
    date = legal_date(value) if isinstance(value, dt.datetime) else value
    if language() == ZH:
        return f"{date.year}年{date.month}月{date.day}日"
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"
