# SPDX-License-Identifier: Apache-2.0
"""No page, style sheet or script uses what Chromium 110 lacks, as MDN's compatibility data judge.

Offices run browsers of Chromium 110 and later, often for years. The data come from npm (``make check``).
"""

from pathlib import Path

import pytest
from browser_features import Features
from tooling import ROOT

pytestmark = pytest.mark.conformance
OLDEST = 110
DATA = ROOT / "build/browser-compat/node_modules/@mdn/browser-compat-data/data.json"
PORTAL = ROOT / "portal"
STYLES = sorted((PORTAL / "static").rglob("*.css"))
SCRIPTS = sorted((PORTAL / "static").rglob("*.js"))
PAGES = sorted((PORTAL / "templates").glob("*.html"))


@pytest.fixture(scope="module")
def features() -> Features:
    if not DATA.exists():
        pytest.skip("missing tool: MDN's compatibility data (make conformance-tools)")
    return Features(DATA)


def too_new(features: Features, path: Path, text: str | None = None) -> list[str]:
    read = {".css": features.of_style, ".js": features.of_script, ".html": features.of_page}[path.suffix]
    used = read(path.read_text(encoding="utf-8") if text is None else text)
    return [f"{path.name}:{one}" for one in sorted(used) if one.since > OLDEST]


def test_our_files_use_nothing_newer(features: Features) -> None:
    assert STYLES
    assert PAGES
    assert [found for path in [*STYLES, *SCRIPTS, *PAGES] for found in too_new(features, path)] == []


def test_our_files_are_read(features: Features) -> None:
    """What the guard finds nothing in must not be what it does not understand."""
    own = (PORTAL / "static" / "app.css").read_text(encoding="utf-8")
    used = {one.what for one in features.of_style(own)}
    assert {"display", "display: grid", "gap", "@media", ":focus-visible", ":is", "repeat()"} <= used
    assert len(used) > 100
    page = {
        one.what for one in features.of_page((PORTAL / "templates/base.html").read_text(encoding="utf-8"))
    }
    assert {"<nav>", "<select>", "<input type=search>", "<a hreflang>"} <= page


@pytest.mark.parametrize(
    ("style", "what"),
    [
        ("p { text-wrap: balance }", "text-wrap"),
        ("p { color: oklch(50% 0.1 200) }", "oklch()"),
        ("p { color: light-dark(#000, #fff) }", "light-dark()"),
        ("p { color: color-mix(in srgb, red, blue) }", "color-mix()"),
        ("p { width: calc-size(auto, size) }", "calc-size()"),
        ("p { height: stretch }", "height: stretch"),
        ("p { & b { color: red } }", "nested rule"),
        ("p { b { color: red } }", "nested rule"),
        ("p:user-invalid { color: red }", ":user-invalid"),
        ("p::details-content { color: red }", ":details-content"),
        ("p:not(:popover-open) { color: red }", ":popover-open"),
        ("@scope (p) { b { color: red } }", "@scope"),
        ("@starting-style { b { opacity: 0 } }", "@starting-style"),
        ("@media (scripting: none) { b { color: red } }", "@media (scripting)"),
        ("@media print { p { field-sizing: content } }", "field-sizing"),
        ("@supports (width: 1px) { p { field-sizing: content } }", "field-sizing"),
        ("p { width: 1rcap }", "the unit rcap"),
        ("p { colour: red }", "colour"),
    ],
)
def test_a_newer_style_is_caught(features: Features, style: str, what: str) -> None:
    assert any(
        f": {what} (" in found for found in too_new(features, Path("x.css"), f"a {{ gap: 0 }}\n{style}")
    )


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("<div popover>x</div>", "<div popover>"),
        ('<button popovertarget="a">x</button>', "<button popovertarget>"),
        ("<selectedcontent></selectedcontent>", "<selectedcontent>"),
        (
            '<p {% if x %}class="y"{% endif %} writingsuggestions="false">{{ "<b>" }}</p>',
            "<p writingsuggestions>",
        ),
    ],
)
def test_a_newer_element_or_attribute_is_caught(features: Features, page: str, what: str) -> None:
    assert [found.split(" (")[0] for found in too_new(features, Path("x.html"), page)] == [
        f"x.html:1: {what}"
    ]


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("const x = Object.groupBy(a, b);", "groupBy"),
        ("document.startViewTransition(f)", "startViewTransition"),
        ("new CloseWatcher()", "CloseWatcher"),
        ("Promise.withResolvers()", "withResolvers"),
    ],
)
def test_a_newer_interface_of_scripts_is_caught(features: Features, script: str, name: str) -> None:
    assert any(f": {name} (" in one for one in too_new(features, Path("x.js"), script))


def test_what_chromium_110_has_already_passes(features: Features) -> None:
    assert too_new(features, Path("x.js"), "const y = list\n  .toSpliced(1, 2);") == []
    assert too_new(features, Path("x.css"), "p:has(b) { height: 100dvh; inset: 0 }") == []


def test_what_a_script_only_says_is_no_use_of_it(features: Features) -> None:
    assert too_new(features, Path("x.js"), "// Object.groupBy\nlet x = 'a.groupBy';\n/* .groupBy */") == []
