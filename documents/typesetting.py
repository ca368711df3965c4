# SPDX-License-Identifier: Apache-2.0
"""Typesetting of our own documents (catalogue pages, licences, receipts) as PDF/A-3b with typst.

A template is a ``.typ`` file. It reads its data in its first line::

    #let data = json(bytes(sys.inputs.data))

and may import and read files of its own folder only. The one font is ``FONT``. Guaranteed: the same template,
data, attachments and instant give the same bytes; the bytes end with a line end, so that a seal can be
appended without breaking PDF/A; a character that the font lacks, or any warning of typst, is an error and
never an empty box. Templates are ours and trusted, their data is not: it enters as JSON, never as source.
"""

import datetime as dt
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import typst
from fontTools.ttLib import TTFont
from noto_cjk_sans_otc import FONT_PATH

from documents.errors import GlyphMissingError, TypesettingError
from storage.ledger.canonical import Json

FONT = "Noto Sans CJK SC"
"""The family that templates set: simplified Chinese, Latin and digits; there is no other."""

FONT_FOLDER = Path(str(FONT_PATH)).parent
"""Where that font lies; it comes with a wheel, so typesetting needs no font of the system."""

_ATTACH = """
#for a in json(bytes(sys.inputs.attachments)) {
  pdf.attach(
    "/" + a.name,
    if a.text { bytes(a.data) } else { bytes(a.data.codepoints().map(str.to-unicode)) },
    relationship: a.relationship, mime-type: a.media_type, description: a.description,
  )
}
"""
_SURELY_SET = re.compile(r"[^\u0020-\u007e\u00b7\u2010-\u2026\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]")
_GETA = "〓"
_LINE = re.compile(r"\.typ:(\d+):\d+")


@dataclass(frozen=True)
class Attachment:
    """A file embedded in the document.

    Attributes:
        name: File name, shown by readers; without a slash.
        data: Its bytes.
        media_type: Its media type.
        relationship: What it is to the document (ISO 19005-3, AFRelationship).
        description: One line for people.
    """

    name: str
    data: bytes
    media_type: str
    relationship: Literal["source", "data", "alternative", "supplement"] = "data"
    description: str = ""


class Typesetter:
    """Keeps one compiler per template; safe to share between threads of one process.

    Make it after a fork, not before: typst starts threads of its own.

    Args:
        font_folders: Further folders with licensed fonts; their characters count as covered.
    """

    def __init__(self, font_folders: Sequence[Path] = ()) -> None:
        self._folders = [FONT_FOLDER, *font_folders]
        self._fonts: typst.Fonts | None = None
        self._covered: frozenset[int] = frozenset()
        self._compilers: dict[Path, tuple[typst.Compiler, bytes]] = {}
        self._lock = threading.Lock()

    def typeset(
        self, template: Path, data: Mapping[str, Json], attachments: Sequence[Attachment], at: dt.datetime
    ) -> bytes:
        """Set one document.

        Args:
            template: The ``.typ`` file.
            data: What the template finds in ``sys.inputs.data``.
            attachments: Files to embed, in this order.
            at: The creation instant that the file states; seconds count.

        Returns:
            A PDF/A-3b file that ends with ``%%EOF`` and a line end.

        Raises:
            GlyphMissingError: A character of the data is in none of the fonts.
            TypesettingError: The template does not compile with this data, or typst warns.
        """
        inputs = {
            "data": json.dumps(data, ensure_ascii=False),
            "attachments": json.dumps([_as_input(one) for one in attachments], ensure_ascii=False),
        }
        with self._lock:
            compiler, source = self._compiler(template)
            self._refuse_missing_glyphs(data)
            return _compile(compiler, source, inputs, at)

    def _compiler(self, template: Path) -> tuple[typst.Compiler, bytes]:
        template = template.resolve()
        if self._fonts is None:
            self._fonts = typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[str(folder) for folder in self._folders],
            )
            self._covered = _coverage(self._folders)
        if template not in self._compilers:
            try:
                source = template.read_bytes() + _ATTACH.encode()
            except OSError:
                raise TypesettingError(template=template.name, line=0) from None
            compiler = typst.Compiler(root=str(template.parent), font_paths=self._fonts)
            self._compilers[template] = compiler, source
        return self._compilers[template]

    def _refuse_missing_glyphs(self, data: Json) -> None:
        missing = {
            character
            for text in _strings(data)
            for character in text
            if ord(character) not in self._covered and not character.isspace()
        }
        if missing:
            raise GlyphMissingError(characters=len(missing))


def surely_set(data: Mapping[str, Json]) -> dict[str, Json]:
    """Give the data with 〓, the mark for a missing glyph, for every character that the font might lack."""
    return {name: _surely_set(value) for name, value in data.items()}


def _surely_set(value: Json) -> Json:
    if isinstance(value, str):
        return _SURELY_SET.sub(_GETA, value)
    if isinstance(value, Mapping):
        return surely_set(value)
    if isinstance(value, Sequence):
        return [_surely_set(one) for one in value]
    return value


def _compile(compiler: typst.Compiler, source: bytes, inputs: dict[str, str], at: dt.datetime) -> bytes:
    try:
        result, warnings = compiler.compile_with_warnings(
            input=source,
            format="pdf",
            sys_inputs=inputs,
            pdf_standards="a-3b",
            timestamp=at.astimezone(dt.UTC).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise _failure(error.diagnostic) from None
    if warnings:
        raise _failure(warnings[0].diagnostic)
    return cast(bytes, result).rstrip(b"\r\n") + b"\n"


def _failure(diagnostic: str) -> TypesettingError:
    line = _LINE.search(diagnostic)
    failure = TypesettingError(line=int(line[1]) if line else 0)
    failure.diagnostic = diagnostic
    return failure


def _as_input(attachment: Attachment) -> dict[str, str | bool]:
    # Inputs of typst are text: bytes that are no UTF-8 travel as one code point each.
    try:
        text, is_text = attachment.data.decode(), True
    except UnicodeDecodeError:
        text, is_text = attachment.data.decode("latin-1"), False
    return {
        "name": attachment.name,
        "text": is_text,
        "data": text,
        "relationship": attachment.relationship,
        "media_type": attachment.media_type,
        "description": attachment.description,
    }


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _strings(one)


def _coverage(folders: Sequence[Path]) -> frozenset[int]:
    covered: set[int] = set()
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        if path.suffix.lower() in {".ttc", ".otc", ".ttf", ".otf"}:
            # The faces of a collection share their characters; reading one of ten saves half a second.
            with TTFont(str(path), fontNumber=0, lazy=True) as font:
                covered.update(font.getBestCmap() or {})
    return frozenset(covered)
