# SPDX-License-Identifier: Apache-2.0
"""One record of the stock, read as its profile says: nothing is repaired silently, nothing is guessed.

Pure: the same profile, catalogue, day and cells always give the same result. What cannot be decided has a
reason that quarantines the record; what was merely written in another way has one that accepts it. The
original is always kept beside what was read.
"""

import datetime as dt
from collections.abc import Mapping

from cases.identifiers import is_plain, is_resident_id, is_uscc
from licenses import identifiers
from licenses.catalogue import TypeCatalogue
from licenses.definition import FaceField, HolderRole, ItemKind, LicenseType, Source, ValidityKind
from licenses.errors import LicenseDataError
from licenses.faces import Row
from licenses.identifiers import Shape
from licenses.stock.columns import Columns, Places, extension_fields, field_names
from licenses.stock.dates import (
    DateForm,
    ReadDate,
    day_of_instant,
    is_allowed,
    read_date,
    read_range,
)
from licenses.stock.folding import (
    folded_number,
    has_other_brackets,
    looks_like_address,
    looks_like_agency,
)
from licenses.stock.holders import HolderReader
from licenses.stock.issuers import Remit
from licenses.stock.profiles import Item, Operation, Profile, SourceStatus
from licenses.stock.reasons import verdict_of
from licenses.stock.records import LIMITS, Cells, Draft, Normalised, StockParty
from licenses.values import FieldType, Plain, broken_rule, from_text

_ENDED = frozenset(
    {
        SourceStatus.SUSPENDED,
        SourceStatus.CANCELLED,
        SourceStatus.REVOKED,
        SourceStatus.WITHDRAWN,
        SourceStatus.SUPERSEDED,
    }
)
_MOST = 500
_OPEN_END = dt.date(9999, 12, 31)


class Normaliser:
    """Reads records of one source.

    Args:
        profile: Its spelling.
        types: The type catalogue.
        remit: Issuers and types of the department's records.
        today: The legal date by which dates and words of status are compared: of an import that on which it
            began, so that it reads the same whenever it goes on.
    """

    def __init__(self, profile: Profile, types: TypeCatalogue, remit: Remit, today: dt.date) -> None:
        self._profile = profile
        self._today = today
        self._remit = remit
        self._types = types
        self._our_types = profile.our_types(types)
        self._excluded = profile.excluded_numbers()
        self._open_ended = frozenset(profile.open_ended)
        self._status_words, self._issuer_names = profile.status_words, profile.issuer_names
        self._operation_words = profile.operation_words
        self._holders = HolderReader(profile)
        self.columns = Columns(profile)
        self._names: dict[str, dict[str, str]] = {}

    def read(self, row: int, cells: Cells, line: int = 0) -> Normalised:
        """Read one record.

        Args:
            row: Its number in the file.
            cells: What stood in its columns.
            line: The line on which it begins.
        """
        places, misspelt = self.columns.places(tuple(cells))
        reading = _Reading(cells, places)
        if misspelt:
            reading.note("column-misspelt")
        draft = Draft()
        kind = self._type(reading, draft)
        self._number(reading, draft)
        self._issuer(reading, draft)
        self._dates(reading, draft, kind)
        self._status(reading, draft)
        self._operation(reading, draft)
        self._holders.read(reading, draft, kind)
        self._identifier(reading, draft)
        if kind is not None:
            self._face(reading, draft, kind)
        reasons = tuple(dict.fromkeys(reading.reasons))
        return Normalised(row, verdict_of(reasons), reasons, cells, draft, line)

    def _type(self, reading: "_Reading", draft: Draft) -> LicenseType | None:
        code = reading.text(Item.TYPE_CODE)
        if code is None:
            draft.type_code = self._profile.default_type
        else:
            draft.type_code = self._our_types.get((self._profile.type_scheme, code))
        if draft.type_code is None:
            reading.note("type-unknown")
            return None
        if draft.type_code not in self._remit.types:
            reading.note("type-foreign")
        return self._types.get(draft.type_code)

    def _number(self, reading: "_Reading", draft: Draft) -> None:
        number = reading.text(Item.NUMBER)
        if number is None:
            reading.note("number-missing")
            return
        draft.number, draft.number_key = number, folded_number(number)
        if draft.number_key in self._excluded:
            reading.note("excluded")
        if is_resident_id(draft.number_key):
            reading.note("number-names-person")
        if has_other_brackets(number):
            reading.note("brackets-differ")

    def _issuer(self, reading: "_Reading", draft: Draft) -> None:
        name, code = reading.text(Item.ISSUER_NAME), reading.text(Item.ISSUER_CODE)
        if name is None:
            reading.note("issuer-missing")
            return
        draft.issuer_name = name
        plausible = self._profile.plausible
        if not looks_like_agency(name, plausible.agency_endings):
            address = reading.text(Item.ADDRESS)
            if address is not None and looks_like_agency(address, plausible.agency_endings):
                reading.note("agency-address-swapped")
            elif looks_like_address(name, plausible.address_signs):
                reading.note("issuer-implausible")
        code = code or self._issuer_names.get(name)
        if code is None:
            reading.note("issuer-missing")
        elif not is_uscc(code):
            reading.note("issuer-code-invalid")
        else:
            draft.issuer_code = code
            if code not in self._remit.issuers:
                reading.note("issuer-foreign")

    def _dates(self, reading: "_Reading", draft: Draft, kind: LicenseType | None) -> None:
        draft.issued_on = self._date(reading, Item.ISSUED_ON)
        if draft.issued_on is None and reading.text(Item.ISSUED_ON) is None:
            reading.note("issue-date-missing")
        if draft.issued_on is not None and draft.issued_on > self._today:
            reading.note("issue-date-ahead")
        packed = self._packed(reading)
        if packed is not None:
            draft.valid_from, draft.valid_until = packed
        elif "dates-unreadable" in reading.reasons:
            return
        else:
            draft.valid_from = self._date(reading, Item.VALID_FROM)
            draft.valid_until = self._date(reading, Item.VALID_UNTIL)
        if draft.valid_from and draft.valid_until and draft.valid_until < draft.valid_from:
            reading.note("dates-backwards")
        if kind is not None:
            self._missing_dates(reading, draft, kind)

    def _missing_dates(self, reading: "_Reading", draft: Draft, kind: LicenseType) -> None:
        start, end = reading.text(Item.VALID_FROM), reading.text(Item.VALID_UNTIL)
        if draft.valid_from is None and start is None:
            reading.note("start-required" if kind.validity.needs_start else "start-missing")
        open_ended = end is not None and end in self._open_ended
        endless = draft.valid_until is None and (end is None or open_ended)
        if endless and kind.validity.until is ValidityKind.REQUIRED:
            reading.note("end-required")

    def _packed(self, reading: "_Reading") -> tuple[dt.date, dt.date] | None:
        """Give first and last day where both stand in one column."""
        found = None
        for item in (Item.VALIDITY, Item.VALID_FROM, Item.VALID_UNTIL):
            text = reading.text(item)
            if text is None or read_date(text) is not None or text in self._open_ended:
                continue
            span = read_range(text)
            if span is None:
                # A column of its own for the range may also say "five years".
                if item is not Item.VALIDITY and _holds_range(text):
                    reading.note("dates-unreadable")
                continue
            if not all(is_allowed(one.form, self._profile.dates) for one in span):
                reading.note("dates-unreadable")
                continue
            days = (span.start.day, span.end.day)
            if found is not None and found != days:
                reading.note("dates-contradict")
            found = days
            reading.note("dates-packed")
            _note_form(reading, span.start)
        if found is not None:
            self._agree(reading, found)
        return found

    def _agree(self, reading: "_Reading", days: tuple[dt.date, dt.date]) -> None:
        for item, day in zip((Item.VALID_FROM, Item.VALID_UNTIL), days, strict=True):
            text = reading.text(item)
            alone = read_date(text) if text is not None else None
            if alone is not None and alone.day != day:
                reading.note("dates-contradict")

    def _date(self, reading: "_Reading", item: Item) -> dt.date | None:
        text = reading.text(item)
        if text is None or (item is Item.VALID_UNTIL and text in self._open_ended):
            return None
        read = read_date(text)
        if read is None or not is_allowed(read.form, self._profile.dates) or read.day == _OPEN_END:
            reading.note("dates-unreadable" if _holds_range(text) else "date-unreadable")
            return None
        _note_form(reading, read)
        return read.day

    def _status(self, reading: "_Reading", draft: Draft) -> None:
        word = reading.text(Item.STATUS)
        if word is None or word.upper() == "NULL":
            draft.status = self._profile.assumed_status or SourceStatus.UNKNOWN
        else:
            draft.status = self._status_words.get(word)
        if draft.status is None:
            reading.note("status-word")
        elif draft.status is SourceStatus.UNKNOWN:
            reading.note("status-unknown")
        elif draft.status in _ENDED:
            reading.note("ended-in-source")
        elif draft.status is SourceStatus.EXPIRED and not self._is_over(draft):
            reading.note("expired-undated")

    def _operation(self, reading: "_Reading", draft: Draft) -> None:
        """Read what was done with the record; a day that cannot be read is none."""
        word = reading.text(Item.OPERATION)
        if word is None:
            return
        draft.operation = self._operation_words.get(word)
        draft.operated_on = day_of_instant(reading.text(Item.OPERATED_ON))
        if draft.operation is None:
            reading.note("operation-word")
        elif draft.operation is Operation.CANCEL and draft.status is SourceStatus.VALID:
            reading.note("operation-contradicts")

    def _is_over(self, draft: Draft) -> bool:
        """Tell whether the last day is over: nothing else lets what is called expired end here."""
        return draft.valid_until is not None and draft.valid_until < self._today

    def _identifier(self, reading: "_Reading", draft: Draft) -> None:
        text = reading.text(Item.IDENTIFIER)
        if text is None:
            self._compose(reading, draft)
            return
        draft.identifier, draft.shape = text, identifiers.classify(text)
        if draft.shape is not Shape.CONFORMING:
            reading.note("identifier-foreign")
            return
        parts = text.split(".")[-5:]
        if parts[0] != (draft.type_code or parts[0]) or parts[1] != (draft.issuer_code or parts[1]):
            reading.note("identifier-contradicts")

    def _compose(self, reading: "_Reading", draft: Draft) -> None:
        known = draft.type_code and draft.issuer_code and draft.number_key
        if self._profile.identifiers == "required" or not known:
            reading.note("identifier-missing")
            return
        try:
            draft.identifier = identifiers.compose(
                draft.type_code or "", draft.issuer_code or "", draft.number_key or ""
            )
        except LicenseDataError:
            reading.note("identifier-missing")
            return
        draft.shape = Shape.CONFORMING
        reading.note("identifier-composed")

    def _face(self, reading: "_Reading", draft: Draft, kind: LicenseType) -> None:
        brought: dict[str, str] | None = {}
        if self._profile.extension is not None:
            names = self._names.get(kind.code)
            if names is None:
                names = self._names[kind.code] = field_names(self._profile.extension, kind)
            brought = extension_fields(self._profile.extension, reading.cells, names)
        if brought is None:
            reading.note("extension-unreadable")
            return
        holder = draft.parties[0] if draft.parties else None
        given = {
            Source.HOLDER_NAME: holder.name if holder else None,
            Source.HOLDER_CODE: holder.code if holder else None,
            Source.ISSUER_NAME: draft.issuer_name,
            Source.NUMBER: draft.number,
            Source.ISSUED_ON: _iso(draft.issued_on),
            Source.VALID_FROM: _iso(draft.valid_from),
            Source.VALID_UNTIL: _iso(draft.valid_until),
        }
        for field in kind.fields:
            if field.kind is ItemKind.DETAIL:
                # Of tables only that of the holders stands in a register's row.
                if field.lists_holders and draft.parties:
                    draft.face[field.name] = [_holder_row(field, one) for one in draft.parties]
                continue
            text = given[field.source] if field.source is not None else brought.get(field.name)
            if text is None:
                continue
            value = _face_value(field, text)
            if value is None:
                reading.note("face-invalid")
            else:
                draft.face[field.name] = value


class _Reading:
    """One row, its items, and the reasons found so far."""

    __slots__ = ("_known", "_places", "cells", "reasons")

    def __init__(self, cells: Cells, places: Places) -> None:
        self.cells = cells
        self.reasons: list[str] = []
        self._places: Mapping[Item, tuple[str, ...]] = places
        self._known: dict[Item, str | None] = {}

    def note(self, code: str) -> None:
        """Remember a reason."""
        self.reasons.append(code)

    def text(self, item: Item) -> str | None:
        """Give an item's text without outer blanks; ``None`` when there is none or it cannot be kept."""
        if item in self._known:
            return self._known[item]
        value = self._find(item)
        self._known[item] = value
        return value

    def _find(self, item: Item) -> str | None:
        names = self._places.get(item)
        if names is None:
            return None
        text = self.cells[names[0]].strip()
        for name in names[1:]:
            other = self.cells[name].strip()
            if text and other and other != text:
                self.note("column-contradiction")
                return None
            text = text or other
        if not text:
            return None
        if len(text) > LIMITS.get(item, _MOST) or not (text.isprintable() or is_plain(text)):
            self.note("value-form")
            return None
        return text


def _note_form(reading: _Reading, read: ReadDate) -> None:
    if read.form is DateForm.NUMERALS:
        reading.note("date-numerals")
    elif read.form is not DateForm.ISO:
        reading.note("date-form")


def _holds_range(text: str) -> bool:
    return any(sign in text for sign in "至到~—")


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _face_value(field: FaceField, text: str) -> Plain | None:
    """Give a face value as its type's definition wants it; ``None`` when it does not follow that."""
    if field.source is not None:
        # What a register of old days holds may be longer than what is issued here today.
        return text if len(text) <= max(field.max_length, 64) and is_plain(text) else None
    if field.type is FieldType.DATE:
        read = read_date(text)
        text = text if read is None else read.day.isoformat()
    value = from_text(field, text)
    return value if is_plain(text) and broken_rule(field, value) is None else None


def _holder_row(field: FaceField, party: StockParty) -> Row:
    said = {
        HolderRole.NAME: party.name,
        HolderRole.CODE: party.code,
        HolderRole.SHARE: None if party.share is None else str(party.share),
    }
    cells = ((one.name, said[one.role]) for one in field.columns if one.role is not None)
    return {name: text for name, text in cells if text is not None}
