# SPDX-License-Identifier: Apache-2.0
"""Ids and keys in blocks: rows that are inserted together lie together, and keys are made durable together.

Ids of a block have a random beginning of 88 bits and count from there. Indexes of a table grow at one place
instead of everywhere, which keeps an import of a million records from rewriting each page of them at every
commit. Verification codes are never made this way: nobody may guess them.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from storage.clock import IdSource
from storage.secrets import Secrets, SubjectKey

SUBJECTS: Final = 50_000
"""Subjects whose keys are made at once: one file of 2.4 MB."""
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_PREFIX: Final = 18


class IdBlock:
    """Ids of one table, in ascending order.

    Args:
        ids: Gives the beginning.
    """

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self._counted = self._count()

    def new_id(self) -> str:
        """Give the next id."""
        return next(self._counted)

    def _count(self) -> Iterator[str]:
        while True:
            beginning = self._ids.new_id()[:_PREFIX] + "0000"
            for high in _PAIRS:
                for low in _PAIRS:
                    yield beginning + high + low


class Blocks:
    """The ids that an import gives, and the keys of its subjects.

    Args:
        ids: Gives the beginnings.
        secrets: Keeps the keys.
        subjects: How many keys are made at once; a single one gets a file of its own.
    """

    def __init__(self, ids: IdSource, secrets: Secrets, subjects: int = SUBJECTS) -> None:
        self.licenses, self.events = IdBlock(ids), IdBlock(ids)
        self._secrets = secrets
        self._size = subjects
        self._names = IdBlock(ids)
        # What was given is let go: a key that has encrypted takes fifty times the memory of one that has not.
        self._free: deque[tuple[str, SubjectKey]] = deque()

    def new_subject(self) -> tuple[str, SubjectKey]:
        """Give the id of a new subject and its key, which is durable already."""
        if self._size == 1:
            subject = self._names.new_id()
            return subject, self._secrets.key_of(subject)
        if not self._free:
            made = [self._names.new_id() for _ in range(self._size)]
            self._free.extend(zip(made, self._secrets.make_many(made), strict=True))
        return self._free.popleft()
