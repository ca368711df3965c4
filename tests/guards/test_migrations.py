# SPDX-License-Identifier: Apache-2.0
"""Revisions of the schema form one chain: each number once, each after the one before."""

import re

from tooling import ROOT

_STATED = re.compile(r'^(down_revision|revision) = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_revisions_form_one_chain() -> None:
    found = []
    for path in sorted((ROOT / "portal" / "migrations" / "versions").glob("[0-9]*.py")):
        stated = dict(_STATED.findall(path.read_text(encoding="utf-8")))
        assert path.name.startswith(f"{stated['revision']}_"), path.name
        found.append((stated["down_revision"], stated["revision"]))
    numbers = [f"{number:04d}" for number in range(1, len(found) + 1)]
    assert found == list(zip(["", *numbers], numbers, strict=False))
