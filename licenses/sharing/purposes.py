# SPDX-License-Identifier: Apache-2.0
"""The closed list of purposes that subscriptions serve, as data (``data/sharing_purposes.json``).

No case stands behind a subscription, so these are others than the purposes of a question.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from licenses.purposes import Purpose


@cache
def sharing_purposes() -> Mapping[str, Purpose]:
    """Give the published purposes by code."""
    text = resources.files("licenses").joinpath("data/sharing_purposes.json").read_text("utf-8")
    return {row["code"]: Purpose(**row) for row in json.loads(text)["purposes"]}
