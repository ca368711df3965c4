# SPDX-License-Identifier: Apache-2.0
"""The foreign programs and fonts this room uses: there or not, which version, needed for what, how to get.

``cunzheng doctor`` prints :func:`probe_all`; nothing here installs anything.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"\d+(?:\.\d+)+")
_SECONDS = 20


@dataclass(frozen=True)
class ToolProbe:
    """One program or font and how to look for it.

    Attributes:
        name: What people call it.
        command: Prints its version; for a font, prints something only when the font is there.
        zh: What it is needed for, in Chinese.
        en: The same in English.
        package: The Debian package that brings it.
        required: Without it the product refuses work; otherwise it does less and says so.
        font: The command lists fonts rather than a version.
    """

    name: str
    command: tuple[str, ...]
    zh: str
    en: str
    package: str
    required: bool = False
    font: bool = False


@dataclass(frozen=True)
class ToolState:
    """What a probe found: ``version`` is None when the tool is not there, empty when it tells none."""

    probe: ToolProbe
    version: str | None

    @property
    def present(self) -> bool:
        """Whether the tool is there."""
        return self.version is not None

    @property
    def install(self) -> str:
        """The command that brings it on Debian."""
        return f"apt-get install {self.probe.package}"


PROBES = (
    ToolProbe(
        "prlimit", ("prlimit", "--version"), "限制子进程资源", "limits of child processes", "util-linux", True
    ),
    ToolProbe(
        "setpriv",
        ("setpriv", "--version"),
        "禁止子进程提升权限",
        "no privileges for child processes",
        "util-linux",
        True,
    ),
    ToolProbe(
        "bubblewrap",
        ("bwrap", "--version"),
        "隔离子进程的网络与文件",
        "children without network and files",
        "bubblewrap",
    ),
    ToolProbe(
        "LibreOffice",
        ("soffice", "--version"),
        "DOCX、XLSX 转换为版式文件",
        "renditions of DOCX and XLSX",
        "libreoffice-writer-nogui libreoffice-calc-nogui",
    ),
    ToolProbe(
        "Noto Serif CJK SC",
        ("fc-list", "Noto Serif CJK SC", "family"),
        "DOCX、XLSX 中宋体、仿宋的替代字体",
        "stand-in for Song typefaces in DOCX and XLSX",
        "fonts-noto-cjk",
        font=True,
    ),
    ToolProbe(
        "pdfsig",
        ("pdfsig", "-v"),
        "以第三方工具核验电子印章",
        "a foreign judge of seals",
        "poppler-utils",
    ),
    ToolProbe(
        "pdftocairo",
        ("pdftocairo", "-v"),
        "人工查看版式文件",
        "looking at renditions by hand",
        "poppler-utils",
    ),
    ToolProbe("qpdf", ("qpdf", "--version"), "检查 PDF 结构", "checks of the structure of a PDF", "qpdf"),
)
"""All tools, required ones first."""


def version_of(command: Sequence[str]) -> str | None:
    """Give the first number that looks like a version in what a command prints; None when it is not there."""
    output = _output(command)
    if output is None:
        return None
    found = _NUMBER.search(output)
    return found[0] if found else ""


def probe(tool: ToolProbe) -> ToolState:
    """Look for one tool."""
    if tool.font:
        return ToolState(tool, "" if _output(tool.command) else None)
    return ToolState(tool, version_of(tool.command))


def probe_all() -> list[ToolState]:
    """Look for every tool, in the order of ``PROBES``."""
    return [probe(tool) for tool in PROBES]


def _output(command: Sequence[str]) -> str | None:
    if not shutil.which(command[0]):
        return None
    try:
        done = subprocess.run(  # noqa: S603 - commands are constants of this room
            command, capture_output=True, timeout=_SECONDS, check=False, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr
