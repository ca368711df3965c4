# SPDX-License-Identifier: Apache-2.0
"""What rules said of materials, and when: the ground on which collected materials are judged. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from licenses.negative_list import MayAsk, may_ask
from licenses.rules import Rule

_DAY: Final = dt.timedelta(days=1)
END: Final = dt.date(9000, 1, 1)
"""Stands for no last day."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a rule said of one material for cases that were accepted from one day to another.

    Attributes:
        item: Code of the item.
        edition: Its edition.
        first: First legal date of acceptance.
        last: Last legal date of acceptance; :data:`END` when there is none.
        material: Code of the material.
        requirement: Id of the requirement in the rule.
        ask: Whether it may be asked for.
    """

    item: str
    edition: str
    first: dt.date
    last: dt.date
    material: str
    requirement: str
    ask: MayAsk


def duties(rules: Iterable[Rule]) -> Iterator[Duty]:
    """Give what each rule said while it was the one in force.

    Args:
        rules: By item, edition, id and version, as :meth:`licenses.rules.RuleBook.all` gives them.
    """
    for (item, edition), held in groupby(rules, key=lambda one: (one.body.item.code, one.body.item.edition)):
        for first, last, rule in in_force(tuple(held)):
            for one in rule.body.requirements:
                yield Duty(item, edition, first, last, one.material, one.id, may_ask(one)[0])


def in_force(versions: Sequence[Rule]) -> Iterator[tuple[dt.date, dt.date, Rule]]:
    """Give from when to when, both inclusive, which version was in force; the newest one of a day is.

    Args:
        versions: Those of one item edition, the oldest first.
    """
    turns = {rule.body.effective[0] for rule in versions}
    turns |= {end + _DAY for rule in versions if (end := rule.body.effective[1]) is not None}
    for first, after in pairwise([*sorted(turns), END + _DAY]):
        rule = next((one for one in reversed(versions) if one.applies(first)), None)
        if rule is not None:
            yield first, after - _DAY, rule
