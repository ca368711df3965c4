#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks each named rule once, in a copy, and shows that the named test turns red.

Usage: mutations.py NAME [POINT …]       run (NAME is a file of tests/mutations without its ending)
       mutations.py NAME --page          print the page docs/NAME.md

First every named test must be green on the unchanged copy. A mutation whose text is not there exactly once,
or after which the tests cannot even be collected, is an error and not a success. Exits 1 when a rule can be
broken unseen.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FAILED = 1
"""Exit code of pytest when tests ran and some failed."""


@dataclass(frozen=True)
class Mutation:
    """A rule and how to break it.

    Attributes:
        point: Which point it stands for.
        file: The file that holds the rule.
        old: Its text, once in the file.
        new: What breaks it.
        test: What must turn red: a test, or a file of tests.
    """

    point: str
    file: str
    old: str
    new: str
    test: str


def table(name: str) -> dict[str, Any]:
    """Read a table of points."""
    read: dict[str, Any] = json.loads((ROOT / "tests" / "mutations" / f"{name}.json").read_text("utf-8"))
    return read


def mutations(points: Sequence[dict[str, Any]], chosen: Sequence[str] = ()) -> Iterator[Mutation]:
    """Give the mutations of some points, or of all."""
    for point in points:
        if not chosen or point["point"] in chosen:
            for one in point["mutations"]:
                yield Mutation(point["point"], one["file"], one["old"], one["new"], one["test"])


def page(name: str) -> str:
    """Write the page that links each point to its tests."""
    read = table(name)
    lines = [read["head"].rstrip(), "", "| Point | Rule | Shown by | Broken in |", "|---|---|---|---|"]
    for point in read["points"]:
        tests = list(dict.fromkeys(one["test"] for one in point["mutations"]))
        files = list(dict.fromkeys(one["file"] for one in point["mutations"]))
        links = "<br>".join(map(_link, tests))
        broken = "<br>".join(f"`{file}`" for file in files)
        lines.append(f"| {point['point']} {point['zh']} | {point['rule']} | {links} | {broken} |")
    for missing, why in read.get("missing", {}).items():
        lines.append(f"| {missing} | {why} | – | – |")
    return "\n".join(lines) + "\n"


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[`{name}`](../{file})"


def copied(folder: Path) -> None:
    """Copy what git knows of the tree."""
    listing = ["git", "ls-files", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603 - our own words
    for name in names.decode().split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def tested(folder: Path, tests: Sequence[str]) -> int:
    """Run tests in the copy; give the exit code of pytest."""
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)  # noqa: S603 - ours
    return ran.returncode


def broken(folder: Path, one: Mutation) -> str:
    """Break one rule in the copy, run its test, mend it again; give what is wrong, or nothing."""
    path = folder / one.file
    text = path.read_text("utf-8")
    if text.count(one.old) != 1:
        return f"the rule stands {text.count(one.old)} times in {one.file}"
    path.write_text(text.replace(one.old, one.new), "utf-8")
    code = tested(folder, [one.test])
    path.write_text(text, "utf-8")
    if code == 0:
        return f"{one.test} stays green"
    return "" if code == FAILED else f"{one.test} ends with {code}, which is no failed test"


def main(arguments: Sequence[str]) -> int:
    """Run or print."""
    name, *rest = arguments
    if rest == ["--page"]:
        sys.stdout.write(page(name))
        return 0
    found = list(mutations(table(name)["points"], rest))
    faults = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        copied(folder)
        if tested(folder, list(dict.fromkeys(one.test for one in found))) != 0:
            print("the named tests are not green before anything is broken", flush=True)
            return 1
        for one in found:
            fault = broken(folder, one)
            faults += [fault] if fault else []
            print(f"{'FAULT' if fault else 'red  '} {one.point:<4} {one.test} {fault}", flush=True)
    print(f"{len(found) - len(faults)} of {len(found)} broken rules are seen")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
