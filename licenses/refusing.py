# SPDX-License-Identifier: Apache-2.0
"""Refusals that are acts themselves. Loads no database library: errors must not."""

from typing import TYPE_CHECKING, Protocol

from storage.errors import RefusedError

if TYPE_CHECKING:
    # Who checks an answer or a bundle offline knows errors of this room, and no database.
    from collections.abc import Sequence

    from storage.base import Base
    from storage.database import UnitOfWork
    from storage.ledger.acts import Act, Promise


class Telling(Protocol):
    """Finds out whom a refusal is told, once it is certain."""

    def told(self, uow: "UnitOfWork", act: "Act") -> "tuple[Act, Sequence[Base]]":
        """Give the act as it is recorded, and rows that belong to it."""
        ...


class RecordedRefusalError(RefusedError):
    """A refusal that is itself an act: nothing about case, licence or holder is revealed with it.

    The unit of work of the call rolls back with this error; the caller opens another one and calls
    :meth:`record` there, so that the refusal is never lost.

    Args:
        act: The act that states the refusal.
        rows: Rows that belong to it (the refused use, where the holder is known).
        telling: Asked in the transaction that records the refusal, in place of ``rows``.
    """

    code = "refused-and-recorded"
    title_zh = "请求被拒绝并已记录"
    title_en = "Refused; the refusal is recorded"
    remedy_zh = "请核对权限、办件和用途。"
    remedy_en = "Check your rights, the case and the purpose."

    def __init__(self, act: "Act", rows: "tuple[Base, ...]" = (), telling: "Telling | None" = None) -> None:
        super().__init__()
        self.act = act
        self.rows = rows
        self.telling = telling

    def record(self, uow: "UnitOfWork") -> "Promise":
        """Store the refusal in a unit of work of its own; the caller commits it."""
        act, rows = (self.act, self.rows) if self.telling is None else self.telling.told(uow, self.act)
        uow.add_anew(rows)
        uow.session.flush()
        return uow.record(act)
