# SPDX-License-Identifier: Apache-2.0
"""Programs that tests need and the product does not ship.

A test asks with :func:`require_tool`; without the program it is skipped. ``CUNZHENG_REQUIRE_TOOLS=1``, as
the gate before a merge sets it, makes every skip a failure (``tests/conftest.py``): nothing stays unchecked.
"""

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
_ELSEWHERE: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/go/bin")
_DEBIAN: Final = {
    "bwrap": "bubblewrap",
    "chromium": "chromium",
    "docker-compose": "docker-compose",
    "java": "default-jre-headless",
    "javac": "default-jdk-headless",
    "mvn": "maven",
    "pdfsig": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "qpdf": "qpdf",
    "soffice": "libreoffice-writer-nogui",
}


def tools_required() -> bool:
    """Tell whether a missing program is a failure."""
    return os.environ.get("CUNZHENG_REQUIRE_TOOLS") == "1"


def find_tool(name: str) -> str | None:
    """Give the path of a program, looked for in PATH and in the usual folders outside it."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_ELSEWHERE))


def require_tool(name: str) -> str:
    """Give the path of a program; without it the running test is skipped, or fails where required."""
    found = find_tool(name)
    if found is None:
        package = _DEBIAN.get(name)
        pytest.skip(f"missing tool: {name}" + (f" (Debian package {package})" if package else ""))
    return found
