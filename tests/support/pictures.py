# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of the guides: each desk of a fresh demonstration, in a real browser.

Usage: pictures.py [NAME …]: only those whose name contains one of the words; a word that names none is an
error. The cases, the window, the fonts and the browser are always the same; times and identifiers are those
of the run. So a picture whose place in the repository shows the same page but for these is left as it is:
it is written again when more than a fiftieth of its pixels differ, and ``--all`` writes every one.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from browsing import chromium, open_page, sign_in  # noqa: E402 # the path above has to be set first
from PIL import Image, ImageChops  # noqa: E402 # as above
from playwright.sync_api import Browser, Page  # noqa: E402 # as above
from running import Site, serving_demo  # noqa: E402 # as above

from portal.demo.script import Script  # noqa: E402 # as above

FOLDER: Final = HERE.parents[1] / "docs" / "pictures"
COLOURS: Final = 48
_DIFFERS: Final = 0.02
_SCRIPT: Final = Script.load()
_OPEN: Final = next(one.data() for one in _SCRIPT.cases if one.expect["state"] == "open")
_FIRM: Final = "浙江演示甲"


def _go(address: str) -> Callable[[Page, Site], None]:
    return lambda page, site: page.goto(site.address + address) and None


def _press(page: Page, selector: str) -> None:
    page.locator(selector).first.click()
    page.wait_for_load_state()


def _ask(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/window")
    page.fill("input[name=number]", str(_OPEN["number"]))
    _press(page, "form.ask button")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the guides.

    Attributes:
        name: Its file without the ending.
        role: Who looks; nobody known when empty.
        show: Leads to the page.
        language: ``zh`` or ``en``.
        mode: ``normal`` or ``elder``.
    """

    name: str
    role: str
    show: Callable[[Page, Site], None]
    language: str = "zh"
    mode: str = "normal"


PICTURES: Final[Sequence[Picture]] = (
    Picture("archive", "archivist", _go("/archive")),
    Picture("archive-en", "archivist", _go("/archive"), language="en"),
    Picture("window", "clerk", _ask),
    Picture("window-elder", "clerk", _ask, mode="elder"),
)


def take(browser: Browser, site: Site, picture: Picture) -> bytes:
    """Give a picture as a PNG of few colours."""
    with open_page(browser) as page:
        sign_in(page, site, picture.role, _FIRM)
        page.goto(f"{site.address}/verify?lang={picture.language}&mode={picture.mode}")
        picture.show(page, site)
        page.mouse.move(0, 0)
        raw = page.screenshot(animations="disabled", caret="hide")
    return reduced(raw)


def reduced(raw: bytes) -> bytes:
    """Give a picture again in a palette, without what programs write beside it."""
    with Image.open(io.BytesIO(raw)) as whole:
        few = whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def shows_the_same(one: bytes, other: bytes) -> bool:
    """Tell whether two pictures differ in no more than times and identifiers would."""
    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        if first.size != second.size:
            return False
        difference = ImageChops.difference(first.convert("L"), second.convert("L"))
    # Colours of two palettes differ a little where the page does not.
    changed = sum(difference.histogram()[24:])
    return changed <= _DIFFERS * difference.width * difference.height


def main(words: list[str]) -> int:
    """Take what is asked for."""
    every = "--all" in words
    words = [word for word in words if not word.startswith("--")]
    wanted = [one for one in PICTURES if not words or any(word in one.name for word in words)]
    unknown = [word for word in words if not any(word in one.name for one in PICTURES)]
    if unknown:
        print(f"no picture is called so: {' '.join(unknown)}")
        return 64
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving_demo(Path(folder)) as site, chromium() as browser:
        for picture in wanted:
            taken, file = take(browser, site, picture), FOLDER / f"{picture.name}.png"
            same = file.exists() and shows_the_same(file.read_bytes(), taken) and not every
            if not same:
                file.write_bytes(taken)
            size = file.stat().st_size / 1024
            print(f"{file.name:<24} {size:5.0f} kB  {'as before' if same else 'written'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
