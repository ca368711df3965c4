# SPDX-License-Identifier: Apache-2.0
"""Looking something up: a question of one statement, in a unit of work or in no transaction at all."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from storage.clock import Clock


class Looking(Protocol):
    """What a question of one statement is asked of: a unit of work, or :class:`Look`."""

    @property
    def connection(self) -> Connection:
        """Give where statements are executed."""
        ...

    @property
    def clock(self) -> Clock:
        """Give where time comes from."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the records by statements that each see what was committed last."""

    connection: Connection
    clock: Clock
