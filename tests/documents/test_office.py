# SPDX-License-Identifier: Apache-2.0
"""DOCX through LibreOffice: what it asks for is shown, nothing is fetched, without isolation nothing runs."""

import io
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import made_materials as make
import pikepdf
import pytest
from tooling import require_tool

from documents.attempts import OriginalOnly, Rendition
from documents.conversion import Converter
from documents.errors import ChildFailedError
from documents.office import Office
from documents.sandbox import Layer, Sandbox

Place = Callable[..., Path]
PARAGRAPH = (
    '<w:p><w:r><w:rPr><w:rFonts w:eastAsia="仿宋_GB2312"/></w:rPr>'
    "<w:t>关于归档的申请 㑇䶮𠮷龘 Application</w:t></w:r>"
    "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
    "<w:r><w:rPr><w:caps/></w:rPr><w:t>caps</w:t></w:r></w:p>"
)


@pytest.fixture
def isolated(sandbox: Sandbox) -> Sandbox:
    require_tool("soffice")
    if sandbox.layer is not Layer.BUBBLEWRAP:
        pytest.skip("missing tool: bwrap")
    return sandbox


def test_a_document_is_rendered_with_its_text_and_pictures(
    isolated: Sandbox, place: Place, tmp_path: Path
) -> None:
    data = make.docx(
        PARAGRAPH + make.shown_picture("p1", "embed"),
        relations=make.relation("image", "media/p.png", external=False, name="p1"),
        parts={"word/media/p.png": make.as_file(make.picture(), "PNG")},
    )
    result = Converter(isolated).render(place(data), tmp_path / "out.pdf")
    assert isinstance(result, Rendition), result
    assert (result.route, result.level, result.pages, result.kept) == ("office", "3b", 1, False)
    assert "关于归档的申请 㑇䶮𠮷龘 Application" in result.text
    assert "hidden" not in result.text
    assert result.attempts[-1].losses == ("hidden-text",)
    assert result.substitutions == ("仿宋_GB2312",)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Listen on loopback; give the port and the list of what arrived."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    heard.append(b"connected")

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_even_unscreened_the_office_program_reaches_nothing(
    isolated: Sandbox, place: Place, tmp_path: Path, listener: tuple[int, list[bytes]]
) -> None:
    port, heard = listener
    secret = tmp_path / "secret.png"
    secret.write_bytes(make.as_file(make.picture(), "PNG"))
    data = make.docx(
        PARAGRAPH + make.shown_picture("p1", "link") + make.shown_picture("p2", "link"),
        relations=make.relation("image", f"http://127.0.0.1:{port}/p.png", name="p1")
        + make.relation("image", secret.as_uri(), name="p2"),
    )
    with isolated.workroom() as room:
        Office().convert(place(data), "docx", isolated, room, "made.pdf")
        made = room.read("made.pdf")
    assert heard == []
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert not any(page.get_images() for page in pdf.pages)


def test_without_a_file_there_is_no_rendition_whatever_the_exit_code(isolated: Sandbox, place: Place) -> None:
    with isolated.workroom() as room, pytest.raises(ChildFailedError) as caught:
        Office().convert(place(b"PK\x03\x04 no archive"), "docx", isolated, room, "made.pdf")
    assert caught.value.reason == "no-output"


def test_without_isolation_or_program_the_document_stays_original_only(place: Place, tmp_path: Path) -> None:
    bare = Sandbox(bubblewrap=False)
    for office, reason in [
        (Office(), "office-not-isolated"),
        (Office(program="no-such-office"), "office-missing"),
    ]:
        if reason == "office-not-isolated" and not shutil.which("soffice"):
            continue
        result = Converter(bare, office).render(place(make.docx()), tmp_path / "out.pdf")
        assert isinstance(result, OriginalOnly)
        assert result.reason == reason
        assert result.attempts[-1].reason == reason
