# SPDX-License-Identifier: Apache-2.0
"""Counting hits by facet: one rule for every engine."""

from collections import Counter
from collections.abc import Iterable, Mapping

from indexer.document import FACETS
from indexer.query import MOST_VALUES, Count


def counts_of(
    groups: Iterable[tuple[tuple[str, ...], int]], chosen: Mapping[str, str]
) -> dict[str, tuple[Count, ...]]:
    """Count by each facet what meets the choice of all the others.

    Args:
        groups: Values of all facets in their order, and how many hits have them, nothing chosen.
        chosen: Facet and chosen value.
    """
    counters: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for values, count in groups:
        of_hit = dict(zip(FACETS, values, strict=True))
        failed = [name for name, value in chosen.items() if of_hit[name] != value]
        for name, value in of_hit.items():
            if not failed or failed == [name]:
                counters[name][value] += count
    return {name: frequent(counter) for name, counter in counters.items()}


def frequent(counter: Mapping[str, int]) -> tuple[Count, ...]:
    """Give the most frequent values, those of equal count by name; what has no value is not counted."""
    counts = [Count(value, count) for value, count in counter.items() if value]
    return tuple(sorted(counts, key=lambda one: (-one.hits, one.value))[:MOST_VALUES])
