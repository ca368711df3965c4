# SPDX-License-Identifier: Apache-2.0
"""What must not stand in the repository, and what must stand at the top of each file."""

import importlib.metadata
import re

from inventory import tracked_files
from source_rules import ROOMS
from tooling import ROOT

SPDX = "# SPDX-License-Identifier: Apache-2.0"
FOREIGN = ("portal/static/vendor/", "tests/browser/vendor/", "LICENSE")

# Written in parts, so that this file does not contain what it forbids.
FORBIDDEN = {
    "path of one machine": r"(?<![\w.])/(?:"
    + "|".join(["wo" + "rk", "fa" + "rm", "ro" + "ot", "ho" + "me"])
    + r")/\w",
    "host of a package registry": "|".join(
        [
            r"pypi\." + "org",
            "python" + r"hosted\.org",
            r"npm" + r"js\.(org|com)",
            r"repo1?\.maven" + r"\.|maven" + r"\.org",
            r"deb\." + r"debian\.org",
            r"golang" + r"\.org/(?:cached-only|@v)|proxy\." + r"golang",
            r"crates" + r"\.io/",
        ]
    ),
    "private key": "-----BEGIN " + r"(?:[A-Z]+ )?PRIVATE " + "KEY-----",
}


def _texts() -> dict[str, str]:
    texts = {}
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(FOREIGN):
            continue
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def test_no_file_names_a_machine_a_registry_or_a_key() -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1} {what}: {hit.group()}"
        for name, text in _texts().items()
        for what, pattern in FORBIDDEN.items()
        for hit in re.finditer(pattern, text)
    ]
    assert found == []


def test_every_source_file_states_its_licence_first() -> None:
    bare = []
    for name, text in _texts().items():
        if not name.endswith((".py", ".sh")) and name not in {"Makefile", ".ci/run"}:
            continue
        lines = [line for line in text.splitlines()[:2] if not line.startswith("#!")]
        if lines and lines[0] != SPDX:
            bare.append(name)
    assert bare == []


def test_no_large_file_is_added() -> None:
    large = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked_files()}
    assert {name: size for name, size in large.items() if size > 4_000_000} == {}
    assert sum(large.values()) < 30_000_000


def test_top_level_names_collide_with_no_installed_distribution() -> None:
    helpers = {path.stem for path in (ROOT / "tests" / "support").glob("*.py")}
    installed = importlib.metadata.packages_distributions()
    taken = {name: installed[name] for name in {*ROOMS, *helpers} & installed.keys()}
    assert {name: owners for name, owners in taken.items() if owners != ["cunzheng"]} == {}
