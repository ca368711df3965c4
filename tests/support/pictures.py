# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of the guides: each desk of a fresh demonstration, in a real browser.

Usage: pictures.py [NAME …]: only those whose name contains one of the words; a word that names none is an
error. Nothing is taken before every case of the script is filed and every act stands in the ledger. The
cases, the window, the fonts and the browser are always the same; times and identifiers are those of the run.
So a picture whose place in the repository shows the same page but for these is left as it is: it is written
again when more than a fiftieth of its pixels differ (more where an identifier's width moves columns or the
time is drawn over the page), and ``--all`` writes every one.
"""

import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import sub
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from browsing import SMALL_SCREEN, chromium, open_page, sign_in  # noqa: E402 # the path above has to be set first
from demonstration import opened  # noqa: E402 # as above
from PIL import Image, ImageChops  # noqa: E402 # as above
from playwright.sync_api import Browser, Page  # noqa: E402 # as above
from running import Site, serving_demo  # noqa: E402 # as above
from sqlalchemy import select  # noqa: E402 # as above

from cases.models import Case  # noqa: E402 # as above
from licenses.models import License  # noqa: E402 # as above
from portal.demo.figures import is_sequenced  # noqa: E402 # as above
from portal.demo.script import Script  # noqa: E402 # as above
from storage.steps import unfinished  # noqa: E402 # as above

FOLDER: Final = HERE.parents[1] / "docs" / "pictures"
COLOURS: Final = 64
KEPT: Final = ((255, 255, 255), (18, 105, 58), (138, 83, 0), (179, 38, 30), (70, 86, 106))
"""Paper and the four states, in every palette however few of the pixels have them."""
_NEAR: Final = 8
_AT_REST_WITHIN: Final = 600
_SCRIPT: Final = Script.load()
_OPEN: Final = next(one.data() for one in _SCRIPT.cases if one.expect["state"] == "open")


def _number(case: str) -> str:
    return str(_SCRIPT.case(case).data()["number"])


def _go(address: str) -> Callable[[Page, Site], None]:
    def show(page: Page, site: Site) -> None:
        page.goto(site.address + address)

    return show


def _press(page: Page, selector: str) -> None:
    page.locator(selector).first.click()
    page.wait_for_load_state()


def _ask(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/window")
    page.fill("input[name=number]", str(_OPEN["number"]))
    _press(page, "form.ask button")


def _open_dossier(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/archive?number={_number('05-food-suspended')}")
    _press(page, "main td a[href*='/dossiers/']")


def _leaf_through(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/archive?number={_number('01-firm-registered')}")
    _press(page, "main td a[href*='/dossiers/']")
    _press(page, "main tr:has-text('证照') td a[href*='/pages']")
    _press(page, ".leaves a")
    page.wait_for_load_state("networkidle")


def _check_tampered(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/verify")
    page.set_input_files("#file", str(site.data / "tampered-copy.pdf"))
    _press(page, "form:has(#file) button")


def _check_code(page: Page, site: Site) -> None:
    with opened(site.data) as rooms, rooms.database.reading() as uow:
        registered = select(Case.id).where(Case.number == _number("01-firm-registered"))
        code = uow.session.scalars(select(License.code).where(License.case_id.in_(registered))).one()
    page.goto(f"{site.address}/verify")
    page.fill("#code", code)
    _press(page, "form:has(#code) button")


def _trace(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/supervision/trace?q={_number('12-food-asked-then-closed')}")


def _decide(page: Page, site: Site) -> None:
    """Another administrator asks for what this one is to decide."""
    browser = page.context.browser
    assert browser is not None
    with open_page(browser) as other:
        sign_in(other, site, "system-admin")
        other.goto(f"{site.address}/rights/ask?kind=account-add")
        other.fill("input[name=name]", "演示新同事")
        other.select_option("#organisation", "scjg")
        other.check("input[name=role][value=clerk]")
        other.fill("input[name=reason]", "新入职，窗口收件")
        _press(other, "main form button")
    page.goto(f"{site.address}/rights")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the guides.

    Attributes:
        name: Its file without the ending.
        role: Who looks; nobody known when empty.
        show: Leads to the page.
        language: ``zh`` or ``en``.
        mode: ``normal`` or ``elder``.
        person: Which holder.
        height: Of the window.
        tolerance: Share of the pixels that may be others before the page counts as another one.
    """

    name: str
    role: str
    show: Callable[[Page, Site], None]
    language: str = "zh"
    mode: str = "normal"
    person: str = ""
    height: int = SMALL_SCREEN["height"]
    tolerance: float = 0.02


PICTURES: Final[Sequence[Picture]] = (
    Picture("archive", "archivist", _go("/archive")),
    Picture("archive-en", "archivist", _go("/archive"), language="en"),
    Picture("dossier", "archivist", _open_dossier, height=900, tolerance=0.06),
    Picture("leaves", "archivist", _leaf_through, tolerance=0.1),
    Picture("search", "archivist", _go("/search?q=演示")),
    Picture("mine", "holder", _go("/mine"), person="浙江演示甲"),
    Picture("mine-elder", "holder", _go("/mine"), mode="elder", person="施样例"),
    Picture("window", "clerk", _ask),
    Picture("window-elder", "clerk", _ask, mode="elder", height=1100),
    Picture("report", "", _check_tampered),
    Picture("licence-card", "", _check_code),
    Picture("supervision", "supervisor", _go("/supervision"), height=1000),
    Picture("supervision-en", "supervisor", _go("/supervision"), language="en", height=1000),
    Picture("trace", "supervisor", _trace),
    Picture("rights", "security-admin", _decide),
)


def take(browser: Browser, site: Site, picture: Picture) -> bytes:
    """Give a picture as a PNG of few colours."""
    with open_page(browser, viewport=SMALL_SCREEN | {"height": picture.height}) as page:
        sign_in(page, site, picture.role, picture.person)
        page.goto(f"{site.address}/verify?lang={picture.language}&mode={picture.mode}")
        picture.show(page, site)
        page.mouse.move(0, 0)
        raw = page.screenshot(animations="disabled", caret="hide")
    return reduced(raw)


def await_rest(site: Site) -> None:
    """Wait until every case of the script is filed and every act stands in the ledger.

    Raises:
        TimeoutError: That took longer than the demonstration ever does.
    """
    end = time.monotonic() + _AT_REST_WITHIN
    with opened(site.data) as rooms:
        while time.monotonic() < end:
            with rooms.database.reading() as uow:
                if not unfinished(uow.session) and is_sequenced(uow):
                    return
            time.sleep(1)
    raise TimeoutError


def _frequent(page: Image.Image) -> Iterator[tuple[int, ...]]:
    """Give the colours that stand for all of a page; none so near to a kept one that it would be mixed up."""
    few = page.quantize(COLOURS - len(KEPT), dither=Image.Dither.NONE).convert("RGB")
    for _, colour in few.getcolors(COLOURS) or []:
        if all(max(map(abs, map(sub, colour, kept))) > _NEAR for kept in KEPT):
            yield colour


def reduced(raw: bytes) -> bytes:
    """Give a picture again in a palette, without what programs write beside it."""
    with Image.open(io.BytesIO(raw)) as whole:
        page = whole.convert("RGB")
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in (*KEPT, *_frequent(page)) for part in colour])
    few = page.quantize(palette=palette, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def shows_the_same(one: bytes, other: bytes, tolerance: float) -> bool:
    """Tell whether two pictures differ in no more than times and identifiers would."""
    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        if first.size != second.size:
            return False
        difference = ImageChops.difference(first.convert("L"), second.convert("L"))
    # Colours of two palettes differ a little where the page does not.
    changed = sum(difference.histogram()[24:])
    return changed <= tolerance * difference.width * difference.height


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
        await_rest(site)
        for picture in wanted:
            taken, file = take(browser, site, picture), FOLDER / f"{picture.name}.png"
            same = file.exists() and shows_the_same(file.read_bytes(), taken, picture.tolerance) and not every
            if not same:
                file.write_bytes(taken)
            size = file.stat().st_size / 1024
            print(f"{file.name:<24} {size:5.0f} kB  {'as before' if same else 'written'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
