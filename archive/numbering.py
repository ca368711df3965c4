# SPDX-License-Identifier: Apache-2.0
"""Archival numbers 档号 (DA/T 13): composed by a template per fonds, reserved once per case, never reused.

Templates are data: widths and parts differ by fonds. The middle dot is U+00B7; its look-alikes are
folded when a number is read and can never be written. A series is everything before the serial.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from archive.errors import ArchiveDataError, NumberTemplateError
from archive.models import NumberReservation, NumberSeries
from storage.database import UnitOfWork

DATA = Path(__file__).parent / "data" / "numbering.json"
_LOOK_ALIKES = str.maketrans({"\u2022": "·", "\u30fb": "·", "\uff65": "·", "\u2027": "·"})
_FIELDS = {"fonds": r"(?P<fonds>[A-Z]\d{3})", "year": r"(?P<year>\d{4})"}
_FIELDS |= {"retention": r"(?P<retention>Y|D30|D10)", "serial": r"(?P<serial>\d+)"}
_SHAPE = re.compile(r"[A-Z0-9·-]+")
_NAMED = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class NumberParts:
    """An archival number taken apart."""

    fonds: str
    year: int
    retention: str
    serial: int


@dataclass(frozen=True, slots=True)
class NumberTemplate:
    """How a fonds numbers its dossiers: ``template`` ends in ``-{serial}``, ``width`` is its least width."""

    fonds: str
    template: str
    width: int

    def series(self, year: int, retention: str) -> str:
        """Give what the numbers of one year and retention period share."""
        prefix = self.template.removesuffix("-{serial}")
        return prefix.format(fonds=self.fonds, year=f"{year:04d}", retention=retention)

    def compose(self, year: int, retention: str, serial: int) -> str:
        """Write a number."""
        return f"{self.series(year, retention)}-{serial:0{self.width}d}"

    def parse(self, number: str) -> NumberParts | None:
        """Read a number of this template; ``None`` when it is not one."""
        pattern = re.escape(self.template)
        for name, expression in _FIELDS.items():
            pattern = pattern.replace(re.escape(f"{{{name}}}"), expression)
        match = re.fullmatch(pattern, number)
        if match is None or match["fonds"] != self.fonds:
            return None
        parts = NumberParts(match["fonds"], int(match["year"]), match["retention"], int(match["serial"]))
        return parts if self.compose(parts.year, parts.retention, parts.serial) == number else None


def normalise(number: str) -> str:
    """Fold the look-alikes of the middle dot and outer blanks; nothing else is repaired."""
    return number.strip().translate(_LOOK_ALIKES)


LookUp = Callable[[int], Iterable[tuple[int, Sequence[NumberTemplate]]]]
"""Gives the editions that were approved after a number, each with its number, the oldest first."""


class NumberTemplates:
    """The templates of an installation: the newest edition numbers, every older one is still read.

    Safe between threads.

    Args:
        templates: The first edition.
        version: Its name.
        look_up: Asks for approved editions, each time before a number is given.

    Raises:
        ArchiveDataError: A fonds has two templates, or a template breaks the rules of this module.
    """

    def __init__(
        self, templates: Iterable[NumberTemplate], version: str = "", look_up: LookUp | None = None
    ) -> None:
        self.version = version
        self._newest: dict[str, NumberTemplate] = {}
        self._all: tuple[NumberTemplate, ...] = ()
        self._look_up = look_up
        self._adopting = threading.Lock()
        self._number = -1
        self.adopt(templates, 0)

    @classmethod
    def load(cls, path: Path = DATA, look_up: LookUp | None = None) -> Self:
        """Read the templates; the shipped ones by default."""
        read = json.loads(path.read_bytes())
        return cls(read_templates(read), read["version"], look_up)

    @property
    def all(self) -> tuple[NumberTemplate, ...]:
        """Every template that numbers are read by, the oldest first."""
        return self._all

    def adopt(self, templates: Iterable[NumberTemplate], number: int) -> None:
        """Number by another edition from now on; an older one than the newest changes nothing.

        Args:
            templates: One for each fonds; a fonds without one keeps the one it has.
            number: Number of the approved edition.

        Raises:
            ArchiveDataError: A fonds has two templates, or a template breaks the rules of this module.
        """
        edition: dict[str, NumberTemplate] = {}
        for template in templates:
            if template.fonds in edition:
                raise ArchiveDataError(file=DATA.name, rule="fonds-twice")
            edition[template.fonds] = template
            if not is_sound(template):
                raise ArchiveDataError(file=DATA.name, rule="template")
        with self._adopting:
            if number > self._number:
                self._newest = self._newest | edition
                self._all = tuple(dict.fromkeys((*self._all, *edition.values())))
                self._number = number

    def refresh(self) -> None:
        """Ask for the editions that were approved meanwhile."""
        if self._look_up is not None:
            for number, templates in self._look_up(max(self._number, 0)):
                self.adopt(templates, number)

    def of(self, fonds: str) -> NumberTemplate:
        """Give the template by which a fonds numbers now; raises ``NumberTemplateError``."""
        self.refresh()
        template = self._newest.get(fonds)
        if template is None:
            raise NumberTemplateError(rule="fonds")
        return template

    def parse(self, text: str) -> NumberParts:
        """Read a number of any fonds and edition, look-alikes folded; raises ``NumberTemplateError``."""
        number = normalise(text)
        for template in reversed(self._all):
            parts = template.parse(number)
            if parts is not None:
                return parts
        raise NumberTemplateError(rule="shape")


def read_templates(document: Mapping[str, Any]) -> tuple[NumberTemplate, ...]:
    """Read the templates of a document that follows ``numbering.schema.json``."""
    return tuple(
        NumberTemplate(entry["fonds"], entry["template"], entry["width"]) for entry in document["templates"]
    )


def is_sound(template: NumberTemplate) -> bool:
    """Tell whether a template names each field once, ends in the serial, and reads what it writes."""
    text = template.template
    named = sorted(_NAMED.findall(text))
    if named != sorted(f"{{{name}}}" for name in _FIELDS) or not text.endswith("-{serial}"):
        return False
    if not 1 <= template.width <= 9:
        return False
    sample = template.compose(2026, "D30", 1)
    return _SHAPE.fullmatch(sample) is not None and template.parse(sample) is not None


def reserve(
    uow: UnitOfWork, template: NumberTemplate, year: int, retention: str, case_id: str
) -> tuple[NumberReservation, NumberSeries]:
    """Give the number of a case, reserving the next one of its series when it has none yet.

    The same case always keeps its number, so a step that is planned anew leaves no gap.

    Returns:
        The reservation and its series, both to be named in the act that uses them.
    """
    series = template.series(year, retention)
    counter = uow.session.scalar(select(NumberSeries).where(NumberSeries.series == series).with_for_update())
    known = uow.session.scalar(select(NumberReservation).where(NumberReservation.case_id == case_id))
    if known is not None:
        return known, uow.session.get_one(NumberSeries, known.series)
    if counter is None:
        counter = NumberSeries(series=series, last=0)
        uow.session.add(counter)
    counter.last += 1
    reservation = NumberReservation(
        number=template.compose(year, retention, counter.last),
        series=series,
        serial=counter.last,
        case_id=case_id,
        reserved_at=uow.clock.now(),
    )
    uow.session.add(reservation)
    uow.session.flush()
    return reservation, counter


def supplement_number(number: str, supplement: int) -> str:
    """Give the archival number of a supplement: the dossier's, ``-B`` (补) and which one it is."""
    return f"{number}-B{supplement}"


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """A series: the last serial given out, and serials below it that nobody holds."""

    series: str
    last: int
    gaps: tuple[int, ...]


def report(uow: UnitOfWork) -> tuple[SeriesReport, ...]:
    """Report every series with its gaps (DA/T 70, 2-2); in a sound archive there is none."""
    reports = []
    for counter in uow.session.scalars(select(NumberSeries).order_by(NumberSeries.series)):
        held = set(
            uow.session.scalars(
                select(NumberReservation.serial).where(NumberReservation.series == counter.series)
            )
        )
        gaps = tuple(serial for serial in range(1, counter.last + 1) if serial not in held)
        reports.append(SeriesReport(counter.series, counter.last, gaps))
    return tuple(reports)
