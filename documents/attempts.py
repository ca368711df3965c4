# SPDX-License-Identifier: Apache-2.0
"""Records of a conversion: what was tried, with what, and what came of it.

All values are JSON-able and free of the material's content, so they can stand in a ledger detail and in a
manifest. Rule identifiers are veraPDF's (``ISO_19005_3:6.2.11.4.1-1``) or ``pikepdf:…`` for local ones.
"""

from dataclasses import asdict, dataclass, field
from typing import TypeAlias

Record: TypeAlias = dict[str, str | int | bool | list[str] | None]


@dataclass(frozen=True)
class Attempt:
    """One try of one route.

    Attributes:
        route: Stable name of the way tried, such as ``pdf-normalised``.
        tool: Program or library that did it.
        version: Its version.
        accepted: Whether both gates, conformance and equivalence, let it pass.
        reason: Stable code when it was not accepted, else empty.
        rules: PDF/A rules that were broken, or not checked, in this attempt.
        losses: What the attempt left out or changed, as ``code`` or ``code:count``.
        layer: The sandbox layer that was active.
    """

    route: str
    tool: str
    version: str
    accepted: bool
    reason: str = ""
    rules: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    layer: str = ""

    def as_record(self) -> Record:
        """Give the attempt as plain JSON."""
        record: Record = asdict(self)
        record["rules"], record["losses"] = list(self.rules), list(self.losses)
        return record


@dataclass(frozen=True)
class Rendition:
    """The material has a PDF/A rendition, and it stands in the file that was asked for.

    Attributes:
        route: The accepted route. ``pdf-kept`` and ``pdf-sealed-kept``: the bytes are the source's own.
        level: The PDF/A level that was checked (``1b``, ``2b``, ``3b``); empty for ``pdf-sealed-kept``, whose
            level no gate of this room can check.
        pages: Number of pages.
        kept: Whether the rendition is the source, byte for byte; such a file is never sealed by us.
        attempts: Every attempt, the accepted one last.
        substitutions: Fonts asked for and not found, as ``asked → used`` or ``asked``.
        text: The text of all pages, for the search index; not part of any record.
    """

    route: str
    level: str
    pages: int
    kept: bool
    attempts: tuple[Attempt, ...]
    substitutions: tuple[str, ...] = ()
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class OriginalOnly:
    """There is no faithful rendition; the original is filed alone.

    Attributes:
        reason: Stable code, see ``reasons.REASONS`` for its sentences.
        attempts: Every attempt that was made.
    """

    reason: str
    attempts: tuple[Attempt, ...] = ()
