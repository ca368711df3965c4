# SPDX-License-Identifier: Apache-2.0
"""How ``cunzheng doctor`` finds one part of an installation."""

from dataclasses import dataclass

from portal.affected import AFFECTED
from storage.errors import CunzhengError


@dataclass(frozen=True, slots=True)
class Finding:
    """How one part stands.

    Attributes:
        part: Stable name.
        well: Whether it is as it should be.
        needed: Whether the product refuses work without it.
        state: What was seen, in Chinese and English.
        remedy: What to do when it is not well, in Chinese and English.
    """

    part: str
    well: bool
    needed: bool
    state: tuple[str, str]
    remedy: tuple[str, str] = ("", "")

    @property
    def affects(self) -> tuple[str, str]:
        """Who notices when the part is not well, in Chinese and English."""
        return AFFECTED[self.part]


def unwell(part: str, error: CunzhengError) -> Finding:
    """Give the finding of a part whose check was refused with an error."""
    return Finding(
        part,
        well=False,
        needed=True,
        state=(error.title_zh, error.title_en),
        remedy=(error.remedy_zh, error.remedy_en),
    )
