# SPDX-License-Identifier: Apache-2.0
"""Compare what should be found with what the index holds, as sets: never by a flag on a row."""

from collections.abc import Iterable
from dataclasses import dataclass

from indexer.ports import Index


@dataclass(frozen=True, slots=True)
class Difference:
    """Identifiers that differ, sorted.

    Attributes:
        missing: Recorded, but not in the index.
        outdated: In the index with another version than recorded.
        surplus: In the index, but not recorded.
    """

    missing: tuple[str, ...]
    outdated: tuple[str, ...]
    surplus: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Tell whether the index holds exactly what is recorded."""
        return not (self.missing or self.outdated or self.surplus)


def compare(recorded: Iterable[tuple[str, int]], index: Index) -> Difference:
    """Compare recorded (identifier, version) pairs with those of the index."""
    wanted = dict(recorded)
    held = dict(index.versions())
    return Difference(
        missing=tuple(sorted(wanted.keys() - held.keys())),
        outdated=tuple(sorted(name for name in wanted.keys() & held.keys() if wanted[name] != held[name])),
        surplus=tuple(sorted(held.keys() - wanted.keys())),
    )
