# SPDX-License-Identifier: Apache-2.0
"""Reads what the drawings of a screened workbook show: text in shapes, and how many pictures.

Charts, slicers and ink are drawn from data by each program in its own way: they are a problem.
"""

import json
import posixpath
import zipfile
from pathlib import Path
from typing import Any
from xml.parsers import expat

_DRAWN_BY_PROGRAMS = {"graphicFrame", "contentPart"}
_EMBED = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships embed",
    "http://purl.oclc.org/ooxml/officeDocument/relationships embed",
)
_RASTER = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff")


class Drawing:
    """Gathers what one part shows."""

    def __init__(self, targets: dict[str, str]) -> None:
        self.texts: list[str] = []
        self.images = 0
        self.problem: str | None = None
        self._targets = targets
        self._text: list[str] = []
        self._aside = 0
        self._reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        local = name.rpartition(" ")[2]
        self._aside += local == "Fallback"
        self._reading = local == "t" and not self._aside
        if local in _DRAWN_BY_PROGRAMS:
            self.problem = "chart"
        elif local == "blip" and not self._aside:
            target = next((self._targets.get(attributes[key], "") for key in _EMBED if key in attributes), "")
            self.images += target.lower().endswith(_RASTER)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        local = name.rpartition(" ")[2]
        self._aside -= local == "Fallback"
        self._reading = False
        if local == "p":
            self.texts.append("".join(self._text))
            self._text = []

    def data(self, text: str) -> None:
        """Take characters."""
        if self._reading:
            self._text.append(text)


def _targets(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    folder, _, file = part.rpartition("/")
    found: dict[str, str] = {}

    def start(_: str, attributes: dict[str, str]) -> None:
        target = attributes.get("Target", "")
        found[attributes.get("Id", "")] = target if "://" in target else posixpath.join(folder, target)

    name = f"{folder}/_rels/{file}.rels"
    if name in archive.namelist():
        parser = expat.ParserCreate()
        parser.StartElementHandler = start
        parser.Parse(archive.read(name), True)
    return found


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Write the texts of the drawings ``parts`` of ``file`` to ``texts``; give ``problem`` and ``images``."""
    found: list[Drawing] = []
    with zipfile.ZipFile(request["file"]) as archive:
        for part in request["parts"]:
            drawing = Drawing(_targets(archive, part))
            parser = expat.ParserCreate(namespace_separator=" ")
            parser.buffer_text = True
            parser.StartElementHandler = drawing.start
            parser.EndElementHandler = drawing.end
            parser.CharacterDataHandler = drawing.data
            parser.Parse(archive.read(part), True)
            found.append(drawing)
    texts = [text for drawing in found for text in drawing.texts if text.strip()]
    Path(request["texts"]).write_text(json.dumps(texts), "utf-8")
    return {
        "problem": next((drawing.problem for drawing in found if drawing.problem), None),
        "images": sum(drawing.images for drawing in found),
    }
