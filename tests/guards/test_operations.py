# SPDX-License-Identifier: Apache-2.0
"""The operator's guide names every figure, every secret and every role that there is, and no other."""

import re

from tooling import ROOT

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
METRICS = (ROOT / "portal" / "metrics.py").read_text(encoding="utf-8")
EFFECT = (ROOT / "portal" / "effect_watch.py").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def test_the_guide_says_when_each_figure_is_an_alarm() -> None:
    served = {f"cunzheng_{name}" for name in re.findall(r'_gauge\(\s*"([a-z_]+)"', METRICS)}
    served |= {f"cunzheng_{name}" for name in re.findall(r'Series\(\s*"([a-z_]+)"', EFFECT)}
    assert len(served) > 10
    assert set(re.findall(r"^\| `(cunzheng_[a-z_]+)` \| [\w`]", GUIDE, flags=re.M)) == served


def test_the_guide_names_every_secret_of_the_compose_file() -> None:
    secrets = set(re.findall(r"^    file: \S+/(\S+)$", COMPOSE, flags=re.M))
    assert len(secrets) > 5
    assert {name for name in secrets if f"`{name}`" not in GUIDE} == set()
