# SPDX-License-Identifier: Apache-2.0
"""What the archive needs from the rooms below, narrowed to what it uses, so that tests can pass their own."""

import datetime as dt
from pathlib import Path
from typing import Protocol

from seals.verdicts import Verdict


class SealCheck(Protocol):
    """Verifies a sealed file that came from outside, in a limited child process."""

    def check(self, path: Path, at: dt.datetime) -> Verdict:
        """Give the verdict; never raises for what the file holds."""
        ...
