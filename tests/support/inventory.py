# SPDX-License-Identifier: Apache-2.0
"""What the product declares: its error classes, its files under version control."""

import importlib
import re
import shutil
import subprocess
from pathlib import Path

from source_rules import ROOMS, product_sources
from tooling import ROOT

from storage.errors import CunzhengError

TEXTS = ("code", "title_zh", "title_en", "remedy_zh", "remedy_en")


def import_sources(pattern: str) -> None:
    """Import every product module whose text the pattern is found in; programs are never imported."""
    for source in product_sources():
        if re.search(pattern, source.text, re.MULTILINE) and source.path.parent.name != "programs":
            importlib.import_module(".".join(source.path.relative_to(ROOT).with_suffix("").parts))


def error_classes() -> list[type[CunzhengError]]:
    """Give every error class that states a code of its own, the root first, then by code."""
    import_sources(r"^class \w+Error\(")
    found: set[type[CunzhengError]] = set()
    waiting: list[type[CunzhengError]] = [CunzhengError]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(current.__subclasses__())
    ours = [cls for cls in found if cls.__module__.split(".")[0] in ROOMS]
    stated = [cls for cls in ours if not vars(cls).keys().isdisjoint(TEXTS)]
    return sorted(stated, key=lambda cls: (cls is not CunzhengError, cls.code, cls.__qualname__))


def tracked_files() -> list[Path]:
    """Give the files under version control, or outside a checkout those that would be."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        names = [name for name in listed.decode().split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    skipped = {".venv", "build", "dist", "demo-data", "__pycache__"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not skipped.intersection(path.relative_to(ROOT).parts)
    ]
