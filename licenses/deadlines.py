# SPDX-License-Identifier: Apache-2.0
"""How long a department has to answer a holder, as data (``data/objections.json``)."""

import json
from functools import cache
from importlib import resources


@cache
def answer_days() -> int:
    """Give how many working days a department has, as the data say.

    Raises:
        ValueError: The data give no number of days from 1 to 60.
    """
    text = resources.files("licenses").joinpath("data/objections.json").read_text("utf-8")
    days = json.loads(text)["answer_days"]
    if not isinstance(days, int) or not 1 <= days <= 60:
        raise ValueError("objections.json: answer_days")
    return days
