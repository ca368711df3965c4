# SPDX-License-Identifier: Apache-2.0
"""Holders: stored encrypted, found by keyed hash, shown masked."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from cases.identifiers import ORGANISATION_SCHEMES, check_holder_code, mask_code, mask_person
from cases.models import Holder, HolderKind
from storage.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class MaskedHolder:
    """A holder as anybody with a basis may see it: a person's name and every code are masked."""

    scheme: str
    code: str
    name: str
    kind: HolderKind


@dataclass(frozen=True, slots=True)
class ClearHolder:
    """A holder in clear: for typesetting and matching, never for a log or an error.

    A page shows it to a department that is asked about exactly this holder, and records that.
    """

    scheme: str
    code: str
    name: str
    kind: HolderKind


class StoredHolder(Protocol):
    """A holder as it is stored: a row, or its columns."""

    @property
    def scheme(self) -> str:
        """Scheme of its code."""
        ...

    @property
    def code_cipher(self) -> bytes:
        """Its code, encrypted."""
        ...

    @property
    def name_cipher(self) -> bytes:
        """Its name, encrypted."""
        ...

    @property
    def kind(self) -> str:
        """One of :class:`HolderKind`."""
        ...


class HolderService:
    """Keeps holders. It has no rules of its own on who may: the services that call it have."""

    def find(self, uow: UnitOfWork, scheme: str, code: str) -> Holder | None:
        """Give the holder with this code, if one is known.

        Raises:
            HolderCodeError: The code does not fit its scheme.
        """
        holder = check_holder_code(scheme, code)
        return uow.session.scalar(
            select(Holder).where(
                Holder.scheme == holder.scheme,
                Holder.code_hash == uow.secrets.lookup_hash(holder.scheme, holder.code),
            )
        )

    def find_or_add(self, uow: UnitOfWork, scheme: str, code: str, name: str) -> Holder:
        """Give the holder with this code, adding it when there is none.

        A known holder that now has another name takes it: who the holder is, is its code's matter.
        The caller records the row in the act that brought it.

        Raises:
            HolderCodeError: The code does not fit its scheme.
        """
        known = self.find(uow, scheme, code)
        if known is not None:
            if self.reveal(uow, known).name != name:
                known.name_cipher = uow.secrets.encrypt(known.id, name.encode())
                uow.session.flush()
            return known
        normal = check_holder_code(scheme, code)
        holder_id = uow.ids.new_id()
        kind = HolderKind.ORGANISATION if normal.scheme in ORGANISATION_SCHEMES else HolderKind.PERSON
        holder = Holder(
            id=holder_id,
            scheme=normal.scheme,
            code_hash=uow.secrets.lookup_hash(normal.scheme, normal.code),
            code_cipher=uow.secrets.encrypt(holder_id, normal.code.encode()),
            name_cipher=uow.secrets.encrypt(holder_id, name.encode()),
            kind=str(kind),
        )
        uow.session.add(holder)
        uow.session.flush()
        return holder

    def reveal(self, uow: UnitOfWork, holder: StoredHolder) -> ClearHolder:
        """Give the holder in clear; whoever shows it to a person records an act for it.

        Raises:
            ErasedError: The holder's key was destroyed.
        """
        return ClearHolder(
            scheme=holder.scheme,
            code=uow.secrets.decrypt(holder.code_cipher).decode(),
            name=uow.secrets.decrypt(holder.name_cipher).decode(),
            kind=HolderKind(holder.kind),
        )

    def masked(self, uow: UnitOfWork, holder: Holder) -> MaskedHolder:
        """Give the holder as it may be shown: ``张*``, organisations by full name, ``3399**********0012``.

        Raises:
            ErasedError: The holder's key was destroyed.
        """
        clear = self.reveal(uow, holder)
        name = clear.name if clear.kind is HolderKind.ORGANISATION else mask_person(clear.name)
        return MaskedHolder(clear.scheme, mask_code(clear.code), name, clear.kind)
