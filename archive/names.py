# SPDX-License-Identifier: Apache-2.0
"""What a material is called: by its item's catalogue in clear, as it was sent only for readers of the case.

A title or a file name that somebody typed may name a person, so tables, catalogue, manifest and index know
materials by the item's own title. What was sent is kept encrypted under the holder's key.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive.models import FilingMaterial
from cases.items import Item
from documents.formats import MEDIA_TYPES
from storage.database import UnitOfWork
from storage.ledger.canonical import canonical

OUTSIDE = "outside-scope"
"""What a difference calls materials that the item does not know: their codes are input."""

_ENDINGS = {MEDIA_TYPES[kind]: kind for kind in ("pdf", "jpeg", "png", "tiff", "docx", "xlsx")}


@dataclass(frozen=True, slots=True)
class Title:
    """A material's title by the item's catalogue, numbered where several files have one code."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class SentNames:
    """Title and file name as they were sent."""

    title: str
    file_name: str


def protect(uow: UnitOfWork, subject: str, names: SentNames) -> bytes:
    """Encrypt names as sent under the key of whoever they may name."""
    return uow.secrets.encrypt(subject, canonical({"title": names.title, "file_name": names.file_name}))


def sent_names(uow: UnitOfWork, material: FilingMaterial) -> SentNames:
    """Give the names as sent; raises ``ErasedError`` when the holder's key was destroyed."""
    return SentNames(**json.loads(uow.secrets.decrypt(material.names_cipher)))


def titles(item: Item, codes: Sequence[str]) -> list[Title]:
    """Give the titles of a filing's materials, in order; a code that the item does not know stands itself."""
    found = []
    for code, number in _numbered(codes):
        rule = item.material(code)
        zh, en = (rule.zh, rule.en) if rule else (code, code)
        found.append(Title(f"{zh}（{number}）", f"{en} ({number})") if number else Title(zh, en))
    return found


def labels(item: Item, codes: Sequence[str]) -> list[str]:
    """Give a label for each material of a filing that holds no input and is the same in another filing."""
    known = [code if item.material(code) else OUTSIDE for code in codes]
    return [f"{code}-{number}" if number and number > 1 else code for code, number in _numbered(known)]


def stored_name(position: int, code: str, media_type: str) -> str:
    """Give the file name under which a dossier lists an original, ``003-application-form.pdf``."""
    return f"{position:03d}-{code}.{_ENDINGS.get(media_type, 'bin')}"


def _numbered(codes: Sequence[str]) -> Iterator[tuple[str, int | None]]:
    counts, seen = Counter(codes), Counter[str]()
    for code in codes:
        seen[code] += 1
        yield code, seen[code] if counts[code] > 1 else None
