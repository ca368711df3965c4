# SPDX-License-Identifier: Apache-2.0
"""What the archive's tests share."""

import io
import zipfile
from pathlib import Path

import pytest
from archive_line import Line, make_authority, picture
from archive_world import World

from documents.conversion import Converter
from documents.sandbox import Sandbox


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="session")
def authority_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    return make_authority(folder, World(tmp_path_factory.mktemp("clock")))


@pytest.fixture
def line(tmp_path: Path, authority_folder: Path) -> Line:
    return Line(tmp_path, authority_folder)


@pytest.fixture(scope="session")
def bomb() -> bytes:
    """A DOCX whose document grows a thousandfold."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b" " * (20 << 20))
    return out.getvalue()


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A PDF/A-3b page that our own converter made."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "picture").write_bytes(picture())
    Converter(Sandbox()).render(folder / "picture", folder / "page.pdf")
    return (folder / "page.pdf").read_bytes()
