# SPDX-License-Identifier: Apache-2.0
"""What every decision of two persons shares: how long it may be taken, and how far it is."""

import datetime as dt
import enum
from typing import Final

OPEN_FOR: Final = dt.timedelta(days=7)
"""How long what was asked for may be decided."""


class DecisionState(enum.StrEnum):
    """How far it is."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
