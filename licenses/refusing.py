# SPDX-License-Identifier: Apache-2.0
"""Refusals that are acts themselves. Loads no database library: errors must not."""

from typing import TYPE_CHECKING

from storage.errors import RefusedError

if TYPE_CHECKING:
    # Who checks an answer or a bundle offline knows errors of this room, and no database.
    from storage.base import Base
    from storage.database import UnitOfWork
    from storage.ledger.acts import Act, Promise


class RecordedRefusalError(RefusedError):
    """A refusal that is itself an act: nothing about case, licence or holder is revealed with it.

    The unit of work of the call rolls back with this error; the caller opens another one and calls
    :meth:`record` there, so that the refusal is never lost.

    Args:
        act: The act that states the refusal.
        rows: Rows that belong to it (the refused use, where the holder is known).
    """

    code = "refused-and-recorded"
    title_zh = "请求被拒绝并已记录"
    title_en = "Refused; the refusal is recorded"
    remedy_zh = "请核对权限、办件和用途。"
    remedy_en = "Check your rights, the case and the purpose."

    def __init__(self, act: "Act", rows: "tuple[Base, ...]" = ()) -> None:
        super().__init__()
        self.act = act
        self.rows = rows

    def record(self, uow: "UnitOfWork") -> "Promise":
        """Store the refusal in a unit of work of its own; the caller commits it."""
        uow.add_anew(self.rows)
        uow.session.flush()
        return uow.record(self.act)
