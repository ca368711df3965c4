# SPDX-License-Identifier: Apache-2.0
"""How approved editions are taken: each once, the broken ones too, while the others serve on."""

from collections.abc import Iterable, Sequence

from storage.adopting import Adopting


class Numbers(Adopting[int]):
    """Holds even numbers; odd ones contradict them, and negative ones themselves."""

    parts = "numbers"

    def __init__(self, editions: Sequence[tuple[int, Sequence[int]]]) -> None:
        self.held: list[int] = []
        self.asked: list[int] = []
        self.editions = list(editions)
        super().__init__(self._later)

    def _later(self, number: int) -> list[tuple[int, Sequence[int]]]:
        self.asked.append(number)
        return [one for one in self.editions if one[0] > number]

    def _hold(self, parts: Iterable[int]) -> tuple[int, ...]:
        given = list(parts)
        if any(one < 0 for one in given):
            raise ValueError
        self.held += [one for one in given if one % 2 == 0]
        return tuple(one for one in given if one % 2)


def test_editions_are_taken_once_in_their_order() -> None:
    numbers = Numbers([(1, [2]), (2, [4, 5])])
    numbers.refresh()
    numbers.editions.append((3, [6]))
    numbers.refresh()
    assert (numbers.held, numbers.asked) == ([2, 4, 6], [0, 2])


def test_an_edition_that_contradicts_itself_is_read_once_and_the_others_serve_on() -> None:
    numbers = Numbers([(1, [2]), (2, [-1, 8]), (3, [4])])
    numbers.refresh()
    numbers.refresh()
    assert (numbers.held, numbers.asked) == ([2, 4], [0, 3])
    numbers.editions.append((4, [-2]))
    numbers.refresh()
    numbers.refresh()
    assert numbers.asked == [0, 3, 3, 4]


def test_what_is_held_is_young_for_some_seconds() -> None:
    numbers = Numbers([])
    numbers.freshen()
    numbers.freshen()
    assert numbers.asked == [0]
    numbers.look_again()
    numbers.freshen()
    assert numbers.asked == [0, 0]
