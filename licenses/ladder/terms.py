# SPDX-License-Identifier: Apache-2.0
"""Terms of the ladder and what no commitment is taken for, as data (``data/ladder.json``)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Self


@dataclass(frozen=True, slots=True)
class LadderTerms:
    """How long things take where the rule does not say, and what is excluded.

    Attributes:
        check_notice_days: Days before the end of the term from which a check is due.
        rectify_working_days: Working days in which a false commitment may be made good.
        remind_at: Shares of the working time, in percent, at which an asked department is reminded.
        excluded: Item code → why no commitment is taken for it, Chinese and English.
    """

    check_notice_days: int
    rectify_working_days: int
    remind_at: tuple[int, ...]
    excluded: Mapping[str, tuple[str, str]]

    @classmethod
    @cache
    def load(cls) -> Self:
        """Read the terms that come with the product.

        Raises:
            ValueError: They contradict themselves.
        """
        raw = json.loads(resources.files("licenses").joinpath("data/ladder.json").read_bytes())
        remind = tuple(raw["remind_at_percent"])
        if sorted(set(remind)) != list(remind) or not all(0 < share < 100 for share in remind):
            raise ValueError("ladder.json: remind_at_percent")
        if not 1 <= raw["check_notice_days"] <= 60 or not 1 <= raw["rectify_working_days"] <= 60:
            raise ValueError("ladder.json: days")
        excluded = {item: (row["zh"], row["en"]) for row in raw["exclusions"] for item in row["items"]}
        return cls(raw["check_notice_days"], raw["rectify_working_days"], remind, excluded)
