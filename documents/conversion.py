# SPDX-License-Identifier: Apache-2.0
"""Renditions: from a material to PDF/A that shows the same, or the reason why there is none.

Two gates stand before every rendition: conformance (a PDF/A validator approves the written bytes) and
equivalence (pages, boxes, characters and pixels are those of the source). What fails either has no rendition:
nothing is ever written for unreadable, encrypted, empty or mismatching input. The same material gives the
same bytes, a converted office document excepted. One child process serves one material.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias, cast

from documents.attempts import Attempt, OriginalOnly, Rendition
from documents.errors import ChildFailedError
from documents.formats import Admitted, admit, problem_of
from documents.office import Office
from documents.reasons import reason_for_rules
from documents.sandbox import Sandbox, Workroom

_MADE = "made.pdf"


class Converter:
    """Makes renditions; safe to share between threads.

    Args:
        sandbox: Where materials are parsed.
        office: The office program; the default needs bubblewrap.
    """

    def __init__(self, sandbox: Sandbox, office: Office | None = None) -> None:
        self._sandbox = sandbox
        self._office = office or Office()

    def render(self, source: Path, out: Path) -> Rendition | OriginalOnly:
        """Write the rendition of ``source`` to ``out``.

        ``out`` is written only when a rendition is returned. Never raises for what the material holds.

        Raises:
            SandboxUnavailableError: Nothing can be parsed on this machine.
        """
        with self._sandbox.workroom() as room:
            admitted = admit(source, room)
            if admitted.format.problem:
                return OriginalOnly(admitted.format.problem, (_screened(admitted, room),))
            job = _Job(source, self._sandbox, room, admitted, self._office)
            for route in _ROUTES[admitted.format.kind]:
                rendition = job.attempt(route)
                if rendition is not None:
                    if rendition.kept:
                        # The room's copy was in a child's hands: the source itself is what is kept.
                        shutil.copyfile(source, out)
                    else:
                        room.take(_MADE, out)
                    return rendition
            return OriginalOnly(job.attempts[-1].reason, tuple(job.attempts))


def _screened(admitted: Admitted, room: Workroom) -> Attempt:
    reason = admitted.format.problem or ""
    layer = str(room.layer)
    return Attempt("screening", "cunzheng", version("cunzheng"), accepted=False, reason=reason, layer=layer)


@dataclass
class _Tried:
    """What one route came to, before the gates' result is recorded."""

    route: str
    tool: str
    version: str
    reason: str = ""
    rules: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    level: str = "3b"
    pages: int = 0
    kept: bool = False
    text: str = ""
    substitutions: tuple[str, ...] = ()

    def compare(self, room: Workroom, **request: object) -> None:
        """Ask the equivalence gate, unless the conformance gate has refused already."""
        if not self.reason:
            found = room.call("compare", **request)
            self.reason = cast(str | None, found["problem"]) or ""
            self.pages, self.text = cast(int, found["pages"]), cast(str, found["text"])

    def conform(self, found: dict[str, object]) -> None:
        """Take over what a program said about conformance and losses."""
        self.rules = tuple(cast(list[str], found.get("rules", [])))
        self.losses += tuple(cast(list[str], found.get("losses", [])))
        problem = cast(str | None, found.get("problem"))
        self.reason = problem or (reason_for_rules(self.rules) if self.rules else "")

    def see_glyphs(self, room: Workroom, file: str) -> None:
        """Ask whether all text is shown, which the validator does not see for every font."""
        if not self.reason:
            self.conform(room.call("glyphs", file=file))


_Route: TypeAlias = Callable[["_Job", _Tried], None]


@dataclass
class _Job:
    source: Path
    sandbox: Sandbox
    room: Workroom
    admitted: Admitted
    office: Office
    attempts: list[Attempt] = field(default_factory=list)

    def attempt(self, route: tuple[str, str, _Route]) -> Rendition | None:
        name, tool, follow = route
        tried = _Tried(name, tool, self.office.version if tool == "libreoffice" else version(tool))
        try:
            follow(self, tried)
        except _PassedOver:
            return None
        except ChildFailedError as failure:
            tried.reason = tried.reason or _failure_reason(failure, tool)
        self.attempts.append(
            Attempt(
                tried.route,
                tried.tool,
                tried.version,
                accepted=not tried.reason,
                reason=tried.reason,
                rules=tried.rules,
                losses=tried.losses,
                layer=str(self.room.layer),
            )
        )
        if tried.reason:
            return None
        return Rendition(
            tried.route,
            tried.level,
            tried.pages,
            tried.kept,
            tuple(self.attempts),
            tried.substitutions,
            tried.text,
        )


class _PassedOver(Exception):  # noqa: N818 - a turn of the road, not an error
    """The route does not apply to this material: no attempt was made."""


def _failure_reason(failure: ChildFailedError, tool: str) -> str:
    if tool == "libreoffice" and failure.reason == "no-output":
        return "office-failed"
    return problem_of(failure)


def _keep_sealed(job: _Job, tried: _Tried) -> None:
    if not job.admitted.format.signed:
        raise _PassedOver
    # Any rewriting would break the signature; whether it is good is for ``seals`` to say.
    tried.kept, tried.level = True, ""
    tried.compare(job.room, do="none", after="source")


def _keep_pdfa(job: _Job, tried: _Tried) -> None:
    claimed = job.admitted.format.pdfa
    if claimed is None or job.admitted.format.signed:
        raise _PassedOver
    found = job.room.call("pdf", do="validate", file="source", pdfa=claimed)
    tried.conform(found)
    tried.kept, tried.level = True, cast(str | None, found["level"]) or ""
    tried.see_glyphs(job.room, "source")
    tried.compare(job.room, do="none", after="source")


def _normalise(job: _Job, tried: _Tried) -> None:
    if job.admitted.format.signed:
        raise _PassedOver
    tried.conform(job.room.call("normalise", file="source", out=_MADE))
    tried.see_glyphs(job.room, _MADE)
    tried.compare(job.room, do="pdf", before="source", after=_MADE)


def _embed_image(job: _Job, tried: _Tried) -> None:
    tried.conform(job.room.call("image", do="embed", file="source", out=_MADE))
    tried.compare(job.room, do="image", before="source", after=_MADE)


def _reencode_image(job: _Job, tried: _Tried) -> None:
    tried.conform(job.room.call("image", do="reencode", file="source", out=_MADE))
    tried.compare(job.room, do="image", before="source", after=_MADE)


def _convert_office(job: _Job, tried: _Tried) -> None:
    obstacle = job.office.obstacle(job.room.layer)
    if obstacle:
        tried.reason = obstacle
        return
    details, kind = job.admitted.details, job.admitted.format.kind
    tried.losses = tuple(cast(list[str], details["losses"]))
    job.office.convert(job.source, kind, job.sandbox, job.room, "office.pdf")
    found = job.room.call("normalise", file="office.pdf", out=_MADE, forget_dates=True)
    tried.conform(found)
    tried.substitutions = _substitutions(
        cast(list[str], details["fonts"]), cast(list[str], found.get("fonts", []))
    )
    tried.see_glyphs(job.room, _MADE)
    way = "cells" if kind == "xlsx" else "text"
    tried.compare(job.room, do=way, before="source.txt", after=_MADE, images=details["images"])


def _substitutions(asked: list[str], used: list[str]) -> tuple[str, ...]:
    """Name the typefaces that a document asks for and its rendition does not use."""
    there = [_plain(name) for name in used]
    return tuple(name for name in asked if not any(face.startswith(_plain(name)) for face in there))


def _plain(name: str) -> str:
    # The faces of a collection carry the Japanese one's name inside.
    plain = re.sub(r"[\W_]", "", name).casefold()
    return re.sub(r"cjk(sc|tc|jp|kr|hk)", "cjk", plain)


_ROUTES: dict[str, tuple[tuple[str, str, _Route], ...]] = {
    "pdf": (
        ("pdf-sealed-kept", "pypdfium2", _keep_sealed),
        ("pdf-kept", "pikepdf", _keep_pdfa),
        ("pdf-normalised", "pikepdf", _normalise),
    ),
    "jpeg": (("image-embedded", "img2pdf", _embed_image), ("image-reencoded", "pillow", _reencode_image)),
    "png": (("image-embedded", "img2pdf", _embed_image), ("image-reencoded", "pillow", _reencode_image)),
    "tiff": (("image-reencoded", "pillow", _reencode_image),),
    "docx": (("office", "libreoffice", _convert_office),),
    "xlsx": (("office", "libreoffice", _convert_office),),
}
