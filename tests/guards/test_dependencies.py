# SPDX-License-Identifier: Apache-2.0
"""Every direct dependency is explained, locked with hashes, and under a licence that we can ship."""

import importlib.metadata
import re
import tomllib

import pytest
from tooling import ROOT


def _names(requirements: list[object]) -> set[str]:
    return {re.split(r"[^\w.-]", text)[0].lower() for text in requirements if isinstance(text, str)}


def _declared() -> tuple[set[str], set[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    return _names(project["project"]["dependencies"]), _names([*groups["build"], *groups["dev"]])


def _locked(name: str) -> set[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==", text, flags=re.M))


def test_every_direct_dependency_is_explained() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    explained = {name.lower() for name in re.findall(r"^\| ([\w.-]+) \|", text, flags=re.M)}
    product, tools = _declared()
    assert (product | tools) - explained == set()


def test_the_locks_hold_what_is_declared() -> None:
    product, tools = _declared()
    assert product - _locked("requirements.lock") == set()
    assert (product | tools) - _locked("requirements-dev.lock") == set()


def test_an_extra_that_a_package_asks_for_is_pinned_as_such() -> None:
    """Else pip takes the newest release for the extra, finds no hash and refuses the whole set-up."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    wanted = set()
    for name in _locked("requirements.lock"):
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform or version of Python
        extras = [need for need in needs if re.match(r"[\w.-]+\[", need) and "extra ==" not in need]
        wanted |= {re.split(r"\[", need)[0].lower() for need in extras}
    assert "pydantic" in wanted, "the interface's framework asks for pydantic[email]"
    assert {name for name in wanted if f"\n{name}[" not in f"\n{lock}"} == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_with_hashes_and_names_no_host(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    pins = [number for number, line in enumerate(lines) if "==" in line]
    assert [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]] == []


def test_no_library_is_under_the_agpl() -> None:
    strict = []
    for distribution in importlib.metadata.distributions():
        meta = distribution.metadata
        classifiers = [text for text in meta.get_all("Classifier") or [] if text.startswith("License")]
        stated = " ".join(
            [meta.get("License-Expression") or "", (meta.get("License") or "")[:200], *classifiers]
        )
        if re.search(r"AGPL|Affero", stated):
            strict.append(meta["Name"])
    assert strict == []
