# SPDX-License-Identifier: Apache-2.0
"""Compare what should be found with what the index holds, as sets: never by a flag on a row.

Both are read in the order of identifiers and compared as they come, so that ten million documents need no
more memory than their differences; after so many of those a comparison ends and the next one goes on.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from indexer.ports import Index

MOST = 20_000
Version = tuple[str, int]


class OrderError(RuntimeError):
    """Identifiers did not come in ascending order: whoever goes on would take what is there for missing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Identifiers that differ, sorted.

    Attributes:
        missing: Recorded, but not in the index.
        outdated: In the index with an older version than recorded.
        ahead: In the index with a newer version than recorded, as after a restore of the records.
        surplus: In the index, but not recorded.
        through: The last identifier that was compared, when more are to come; otherwise ``None``.
    """

    missing: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    through: str | None = None

    @property
    def equal(self) -> bool:
        """Tell whether the index holds exactly what is recorded."""
        return not (self.missing or self.outdated or self.ahead or self.surplus)


def compare(recorded: Iterable[Version], index: Index, after: str = "", most: int = MOST) -> Difference:
    """Compare recorded (identifier, version) pairs with those of the index, from one identifier on.

    ``recorded`` is read after the index was: whatever the index held was recorded before, so what is then
    not recorded, or recorded as older, is wrong and not merely on its way.

    Args:
        recorded: What is recorded behind ``after``, in ascending order.
        index: What is compared with it.
        after: Where to begin; the empty text is before everything.
        most: How many differences at once.

    Raises:
        OrderError: One of the two is not in ascending order.
    """
    with closing(index.versions(after)) as versions:
        held = _ascending(versions)
        # The first look fixes the moment of the index, so it comes before the first one at the records.
        have = next(held, None)
        return _merged(have, held, _ascending(recorded), most)


def _merged(
    have: Version | None, held: Iterator[Version], wanted: Iterator[Version], most: int
) -> Difference:
    missing: list[str] = []
    outdated: list[str] = []
    ahead: list[str] = []
    surplus: list[str] = []
    want, last = next(wanted, None), None
    while have is not None or want is not None:
        if len(missing) + len(outdated) + len(ahead) + len(surplus) >= most:
            break
        if have is not None and (want is None or have[0] < want[0]):
            last = have[0]
            surplus.append(last)
            have = next(held, None)
        elif want is not None and (have is None or want[0] < have[0]):
            last = want[0]
            missing.append(last)
            want = next(wanted, None)
        elif have is not None and want is not None:
            last = want[0]
            if have[1] != want[1]:
                (outdated if have[1] < want[1] else ahead).append(last)
            have, want = next(held, None), next(wanted, None)
    through = None if have is None and want is None else last
    return Difference(tuple(missing), tuple(outdated), tuple(ahead), tuple(surplus), through)


def _ascending(versions: Iterable[Version]) -> Iterator[Version]:
    last = ""
    for one in versions:
        if one[0] <= last:
            raise OrderError
        last = one[0]
        yield one
