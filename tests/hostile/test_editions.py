# SPDX-License-Identifier: Apache-2.0
"""Hostile editions of data: told by code, nothing repeated, nothing kept, no command that waits for ever."""

import html
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from editions import new_edition, new_numbering
from sqlalchemy import func, select

from cases.lint import MOST_BYTES
from portal import cli
from portal.editions.models import CatalogueEdition
from storage.errors import EXIT_INVALID, EXIT_USAGE

from .ground import Ground, mark_of, nothing_told
from .pages_licences import SCRIPT


@dataclass(frozen=True, slots=True)
class Document:
    """A document that must not become an edition.

    Attributes:
        name: Unique; says what is tried.
        data: Its bytes, made with the mark.
        finding: Code that the lint tells.
    """

    name: str
    data: Callable[[str], bytes]
    finding: str


def _item(change: Callable[[dict[str, Any], str], object]) -> Callable[[str], bytes]:
    def made(mark: str) -> bytes:
        document = json.loads(new_edition())
        change(document["items"][0], mark)
        return json.dumps(document).encode()

    return made


def _text(text: str) -> Callable[[str], bytes]:
    return lambda mark: text.replace("{mark}", mark).encode()


DOCUMENTS = [
    Document("nothing at all", _text(""), "document-size"),
    Document("more than anybody reads", lambda mark: mark.encode() * MOST_BYTES, "document-size"),
    Document("bytes that are no UTF-8", lambda mark: b"\xff" + mark.encode(), "json"),
    Document("a mark of byte order first", lambda _: b"\xef\xbb\xbf" + new_edition(), "json"),
    Document("text that is no JSON", _text("{mark}"), "json"),
    Document("a key twice", _text('{"version": "{mark}", "version": "x", "items": []}'), "json"),
    Document("a number that is none", _text('{"version": NaN, "items": ["{mark}"]}'), "json"),
    Document("a number of 5000 digits", _text('{"version": ' + "9" * 5000 + "}"), "json"),
    Document("half a character", _text('{"version": "\\ud800{mark}", "items": []}'), "json"),
    Document("a hundred thousand brackets", _text("[" * 100_000), "json"),
    Document("a list", _text('["{mark}"]'), "kind-unknown"),
    Document("both kinds at once", _text('{"version": "x", "items": [], "templates": []}'), "kind-unknown"),
    Document("items that are a text", _text('{"version": "x", "items": "{mark}"}'), "schema"),
    Document("a key that nobody knows", _item(lambda item, mark: item.update({mark: 1})), "schema"),
    Document("a code that is a path", _item(lambda item, mark: item.update(code=f"../{mark}")), "schema"),
    Document("a code that is a program", _item(lambda item, mark: item.update(code=f"'; {mark}")), "schema"),
    Document("a name of 201 signs", _item(lambda item, mark: item.update(zh=(mark * 30)[:201])), "schema"),
    Document("a name from right to left", _item(lambda i, mark: i.update(zh=f"{mark}\u202e")), "text-unseen"),
    Document("a name with a new line", _item(lambda item, mark: item.update(en=f"{mark}\n")), "text-unseen"),
    Document("a code with a new line", _item(lambda i, _: i.update(department="scjg\n")), "text-unseen"),
    Document("days that never come", _item(lambda item, _: item.update(filing_days=10**15)), "filing-days"),
    Document("days before the day", _item(lambda item, _: item.update(filing_days=-1)), "filing-days"),
    Document(
        "the bureau of somebody else",
        _item(lambda item, mark: item.update(department=f"{mark.lower()}")),
        "department-unknown",
    ),
    Document(
        "an edition in force, altered", lambda _: new_edition(edition="2026-03", en="x"), "item-altered"
    ),
    Document("a version used before", lambda _: new_edition(version="2026-11"), "version-taken"),
    Document(
        "a template that reads attributes",
        lambda mark: new_numbering(f"{{fonds.__class__.{mark}}}·{{year}}·{{retention}}-{{serial}}"),
        "schema",
    ),
    Document(
        "a template that pads by gigabytes",
        lambda _: new_numbering("{fonds}·{year:>9999999999}·{retention}-{serial}"),
        "schema",
    ),
    Document(
        "a template with a look-alike of the dot",
        lambda _: new_numbering("{fonds}•{year}·{retention}-{serial}"),
        "schema",
    ),
    Document(
        "a template without a year", lambda _: new_numbering("{fonds}·{retention}-{serial}"), "template-rule"
    ),
]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.run(words)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def kept(ground: Ground) -> int:
    with ground.rooms.database.reading() as uow:
        return uow.session.scalar(select(func.count()).select_from(CatalogueEdition)) or 0


@pytest.fixture(autouse=True)
def _installation(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNZHENG_DATA", str(ground.settings.data))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_hostile_document(
    ground: Ground, document: Document, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mark, file, before = mark_of(document.name), tmp_path / "edition.json", kept(ground)
    file.write_bytes(document.data(mark))
    with ground.watched(mark, ()):
        code, told = run(capsys, "edition", "check", str(file))
        assert (code, f"[{document.finding}]" in told) == (EXIT_INVALID, True), told
        code, refused = run(capsys, "edition", "propose", str(file), "--reason", "核查")
        assert (code, "[edition-faulty]" in refused) == (EXIT_USAGE, True), refused
    assert document.finding in refused
    nothing_told(mark, refused, "the terminal")
    if document.finding not in {"item-altered", "version-taken", "filing-days", "department-unknown"}:
        # What can be read is compared with what is in force, for who proposes it.
        nothing_told(mark, told, "the terminal")
    assert kept(ground) == before


def test_a_pipe_and_an_endless_file_keep_no_command(
    ground: Ground, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pipe = tmp_path / "edition.json"
    os.mkfifo(pipe)
    for file in (pipe, Path("/dev/zero")):
        code, told = run(capsys, "edition", "check", str(file))
        assert (code, "[document-size]" in told) == (EXIT_INVALID, True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_hostile_text_on_the_page_comes_back_as_text_and_is_not_kept(
    ground: Ground, document: Document
) -> None:
    mark, before = mark_of(document.name), kept(ground)
    typed = document.data(mark).decode(errors="replace")[: MOST_BYTES - 4096]
    if document.finding == "document-size" and typed:
        typed = "<script>" + mark
    for do, status in (("check", 200), ("propose", 422)):
        form = {"form_token": ground.form_token("system"), "text": typed, "do": do, "reason": SCRIPT}
        with ground.watched(mark, ()):
            answer = ground.browser("system").post(
                "/editions/rules", data=form, content_type="multipart/form-data"
            )
        assert answer.status_code == status
        shown = html.unescape(answer.text.partition("<textarea ")[2].partition(">\n")[2])
        assert shown.startswith(typed.replace("\r\n", "\n"))
        assert SCRIPT not in answer.text
        assert f"<script>{mark}" not in answer.text
    assert kept(ground) == before


def test_a_text_that_would_end_its_field_stays_in_it(ground: Ground) -> None:
    typed = "</textarea><script>alert(1)</script>"
    form = {"form_token": ground.form_token("system"), "text": typed, "do": "check"}
    answer = ground.browser("system").post("/editions/rules", data=form)
    assert (answer.status_code, typed in answer.text, html.escape(typed) in answer.text) == (200, False, True)
