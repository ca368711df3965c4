# SPDX-License-Identifier: Apache-2.0
"""One-certificate handling 一证通办: who shows one document fills in nothing that the library knows.

The holder's document and the item lead to the open case; its answer tells what is established already. The
form is what the item's licence will state: each field that a valid licence of the holder states comes filled,
with its source. What a type calls sensitive is masked, and revealing it is a use of its own. Nothing is found
without an open case of that holder and item.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import select

from cases.errors import HolderCodeError
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.models import Case
from cases.services import visible_to
from licenses.definition import FaceField, ItemKind
from licenses.errors import QuestionRefusedError
from licenses.grants.terms import Ceiling
from licenses.holdings import Holdings
from licenses.models import License
from licenses.reading import LicenseReader
from licenses.usage import Use, usage_row
from licenses.values import Plain
from licenses.views import LicenseView
from storage.database import UnitOfWork
from storage.identity import Identity


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form.

    Attributes:
        field: The field of the licence that the item gives.
        value: What a valid licence states; ``None`` where none does.
        source: That licence; ``None`` where the applicant says it.
        hidden: Whether the value is masked.
    """

    field: FaceField
    value: Plain | None = None
    source: LicenseView | None = None
    hidden: bool = False


class OneCertificateService:
    """Finds the case of a document and fills in its form.

    Args:
        reader: Reads licences on the basis of the case, each look recorded.
        holdings: What the library holds.
        items: The catalogue of items.
        holders: Finds holders by code.
    """

    def __init__(
        self, reader: LicenseReader, holdings: Holdings, items: ItemCatalogue, holders: HolderService
    ) -> None:
        self._reader = reader
        self._holdings = holdings
        self._types = holdings.types
        self._items = items
        self._holders = holders

    def open_case(
        self, uow: UnitOfWork, identity: Identity, holder: tuple[str, str], item: str
    ) -> Case | None:
        """Give the newest open case of a holder and item that this identity may see; ``None`` without one.

        Nothing is told by this: the question that follows is permitted, or refused and recorded.
        """
        try:
            found = self._holders.find(uow, *holder)
        except HolderCodeError:
            return None
        if found is None:
            return None
        its = (Case.holder_id == found.id, Case.item_code == item, Case.closed_at.is_(None))
        newest = select(Case).where(visible_to(identity), *its).order_by(Case.announced_at.desc(), Case.id)
        return uow.session.scalars(newest.limit(1)).first()

    def shown_to_holder(
        self, uow: UnitOfWork, holder: tuple[str, str], refusal: QuestionRefusedError
    ) -> QuestionRefusedError:
        """Give a refusal for want of an open case as one that the holder of the document sees, too.

        Outwards it is the same, whether the library knows the holder or not.
        """
        if refusal.act.reasons != ["case-unknown"]:
            return refusal
        try:
            found = self._holders.find(uow, *holder)
        except HolderCodeError:
            return refusal
        if found is None:
            return refusal
        use = Use(action="ask", holder_id=found.id, result="REFUSED", reason="case-unknown")
        rows = (usage_row(uow, refusal.act.actor, use),)
        return QuestionRefusedError(replace(refusal.act, subject=found.id, rows=rows), rows)

    def form(self, uow: UnitOfWork, identity: Identity, *, reveal: bool = False) -> Sequence[FormField]:
        """Fill in the form of the open case that the basis names; each licence that is read is recorded.

        Args:
            uow: A writing unit of work.
            identity: Who asks, on the basis ``case``.
            reveal: Give sensitive values whole, which is a use of its own that names the fields.

        Raises:
            LicenseHiddenError: The basis names no open case that this identity may use.
        """
        # One call counts once: what follows is read on the grant that it was counted against.
        case = self._reader.open_case(uow, identity)
        asker = identity if case is None else self._reader.granted(uow, identity, Ceiling.FIELDS, None)
        valid = self._reader.find_for_holder(uow, asker)
        code = self._items.get(case.item_code, case.item_edition).license_type if case is not None else None
        if code is None:
            return ()
        wanted = [one for one in self._types.get(code).fields if _is_stated(one)]
        names = {one.name for one in wanted}
        # Who confirmed it counts before when: A stands before D.
        best = sorted(valid, key=lambda one: (one.trust, -one.issued_on.toordinal(), one.id))
        read = [
            self._reader.read(uow, asker, one.identifier)
            for one in best
            if any(field.name in names for field in one.kind.fields)
        ]
        found = [_filled(field, read) for field in wanted]
        return self._revealed(uow, identity, found) if reveal else found

    def _revealed(self, uow: UnitOfWork, identity: Identity, form: Sequence[FormField]) -> list[FormField]:
        """Give sensitive values whole, and note for each licence which of its fields were."""
        shown = list(form)
        hidden = {one.source.id: one.source for one in form if one.hidden and one.source is not None}
        for license_id in hidden:
            row = uow.session.get_one(License, license_id)
            face = self._holdings.face(uow, row)
            its = [
                place
                for place, one in enumerate(form)
                if one.hidden and one.source is not None and one.source.id == license_id
            ]
            names = " ".join(form[place].field.name for place in its)
            # Whole values are what a document shows: a system needs the ceiling of one.
            asker = self._reader.granted(uow, identity, Ceiling.DOCUMENT, {row.type_code}, row)
            self._reader.note(uow, asker, "reveal", row.holder_id, [row], asked=names)
            for place in its:
                value = face[form[place].field.name]
                shown[place] = replace(form[place], value=cast(Plain, value), hidden=False)
        return shown


def _is_stated(field: FaceField) -> bool:
    """Tell whether somebody states a field: the others come from the act of issuing, or are lists."""
    return field.source is None and field.kind is not ItemKind.DETAIL


def _filled(field: FaceField, read: Sequence[LicenseView]) -> FormField:
    for view in read:
        held, value = view.kind.field(field.name), view.face.get(field.name)
        if held is None or value is None or isinstance(value, list) or held.type is not field.type:
            continue
        return FormField(field, value, view, hidden=held.sensitive)
    return FormField(field)
