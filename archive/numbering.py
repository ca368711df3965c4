# SPDX-License-Identifier: Apache-2.0
"""Archival numbers 档号 (DA/T 13): composed by a template per fonds, reserved once per case, never reused.

Templates are data: widths and parts differ by fonds. The middle dot is U+00B7; its look-alikes are
folded when a number is read and can never be written. A series is everything before the serial.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import select

from archive.errors import ArchiveDataError, NumberTemplateError
from archive.models import NumberReservation, NumberSeries
from storage.database import UnitOfWork

DATA = Path(__file__).parent / "data" / "numbering.json"
_LOOK_ALIKES = str.maketrans({"\u2022": "·", "\u30fb": "·", "\uff65": "·", "\u2027": "·"})
_FIELDS = {"fonds": r"(?P<fonds>[A-Z]\d{3})", "year": r"(?P<year>\d{4})"}
_FIELDS |= {"retention": r"(?P<retention>Y|D30|D10)", "serial": r"(?P<serial>\d+)"}
_SHAPE = re.compile(r"[A-Z0-9·-]+")


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


class NumberTemplates:
    """The templates of an installation.

    Raises:
        ArchiveDataError: A fonds has two templates, or a template breaks the rules of this module.
    """

    def __init__(self, templates: Iterable[NumberTemplate]) -> None:
        self._templates: dict[str, NumberTemplate] = {}
        for template in templates:
            if template.fonds in self._templates:
                raise ArchiveDataError(file=DATA.name, rule="fonds-twice")
            self._templates[template.fonds] = template
            self._check(template)

    @classmethod
    def load(cls, path: Path = DATA) -> Self:
        """Read the templates; the shipped ones by default."""
        entries = json.loads(path.read_bytes())["templates"]
        return cls(NumberTemplate(entry["fonds"], entry["template"], entry["width"]) for entry in entries)

    def of(self, fonds: str) -> NumberTemplate:
        """Give the template of a fonds; raises ``NumberTemplateError`` when there is none."""
        template = self._templates.get(fonds)
        if template is None:
            raise NumberTemplateError(rule="fonds")
        return template

    def parse(self, text: str) -> NumberParts:
        """Read a number of any fonds, look-alikes folded; raises ``NumberTemplateError``."""
        number = normalise(text)
        for template in self._templates.values():
            parts = template.parse(number)
            if parts is not None:
                return parts
        raise NumberTemplateError(rule="shape")

    @staticmethod
    def _check(template: NumberTemplate) -> None:
        sample = template.compose(2026, "D30", 1) if template.template.endswith("-{serial}") else ""
        if not _SHAPE.fullmatch(sample) or template.parse(sample) is None or not 1 <= template.width <= 9:
            raise ArchiveDataError(file=DATA.name, rule="template")


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
