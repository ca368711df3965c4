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
        outdated: In the index with an older version than recorded.
        ahead: In the index with a newer version than recorded, as after a restore of the records.
        surplus: In the index, but not recorded.
    """

    missing: tuple[str, ...]
    outdated: tuple[str, ...]
    ahead: tuple[str, ...]
    surplus: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Tell whether the index holds exactly what is recorded."""
        return not (self.missing or self.outdated or self.ahead or self.surplus)


def compare(recorded: Iterable[tuple[str, int]], index: Index) -> Difference:
    """Compare recorded (identifier, version) pairs with those of the index.

    ``recorded`` is read after the index: whatever the index held was recorded before, so what is then
    not recorded, or recorded as older, is wrong and not merely on its way.
    """
    held = dict(index.versions())
    wanted = dict(recorded)
    both = wanted.keys() & held.keys()
    return Difference(
        missing=tuple(sorted(wanted.keys() - held.keys())),
        outdated=tuple(sorted(name for name in both if held[name] < wanted[name])),
        ahead=tuple(sorted(name for name in both if held[name] > wanted[name])),
        surplus=tuple(sorted(held.keys() - wanted.keys())),
    )
