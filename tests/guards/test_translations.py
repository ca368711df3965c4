# SPDX-License-Identifier: Apache-2.0
"""Everything that a page or the command line says has a Chinese text, checked and in use."""

import io
import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_python
from babel.messages.pofile import read_po
from tooling import ROOT

CATALOGUE = "portal/translations/zh_Hans.po"
KEYWORDS = {"_": None, "gettext": None, "mark": None}


def _messages() -> dict[str, str]:
    """Give every message of templates and code, with the file that says it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "portal").rglob("*.py")):
        with path.open("rb") as source:
            for _, _, message, _ in extract_python(source, list(KEYWORDS), [], {}) or ():
                text = message[0] if isinstance(message, tuple) else message
                found.setdefault(str(text), path.name)
    for path in sorted((ROOT / "portal" / "templates").rglob("*")):
        if path.suffix in {".html", ".txt", ".j2"}:
            source = io.BytesIO(path.read_bytes())
            options = {"trimmed": "true", "silent": "false"}
            for _, message, _, _ in extract("jinja2.ext:babel_extract", source, KEYWORDS, [], options):
                text = message[0] if isinstance(message, tuple) else message
                found.setdefault(str(text), path.name)
    found.pop("", None)
    found.pop("None", None)
    return found


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (ROOT / CATALOGUE).open("rb") as source:
        return read_po(source, locale="zh_Hans", abort_invalid=True)


@pytest.fixture(scope="module")
def messages() -> dict[str, str]:
    return _messages()


def test_every_message_has_a_chinese_text(catalogue: Catalog, messages: dict[str, str]) -> None:
    translated = {entry.id for entry in catalogue if entry.string}
    assert {text: where for text, where in messages.items() if text not in translated} == {}


def test_no_message_is_translated_twice() -> None:
    """The second text would silently take the place of the first, wherever both are meant."""
    text = (ROOT / CATALOGUE).read_text(encoding="utf-8")
    written = re.findall(r'^msgid ((?:"[^\n]*"\n)+)', text, flags=re.M)
    assert [one for one, times in Counter(written).items() if times > 1] == []


def test_no_translation_is_fuzzy(catalogue: Catalog) -> None:
    assert [entry.id for entry in catalogue if entry.id and entry.fuzzy] == []


def test_every_translation_is_in_use(catalogue: Catalog, messages: dict[str, str]) -> None:
    assert [entry.id for entry in catalogue if entry.id and entry.id not in messages] == []


def test_placeholders_survive_translation(catalogue: Catalog) -> None:
    broken = [
        entry.id
        for entry in catalogue
        if entry.id
        and set(re.findall(r"%\(\w+\)", str(entry.string))) != set(re.findall(r"%\(\w+\)", str(entry.id)))
    ]
    assert broken == []


def test_templates_say_nothing_untranslated() -> None:
    # A Han character in a template is a sentence that English readers cannot have; data brings its own.
    chinese = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "portal" / "templates").rglob("*.html"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"[\u4e00-\u9fff]", line) and not re.search(r"lang=|aria-hidden|中文", line)
    ]
    assert chinese == []
