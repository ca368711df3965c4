# SPDX-License-Identifier: Apache-2.0
"""What checks look at: plain values, so that every check is a pure function."""

import datetime as dt
from dataclasses import dataclass

from cases.items import Group, Item


@dataclass(frozen=True, slots=True)
class MaterialFacts:
    """A material as declared and as it really is.

    Attributes:
        real_type: Media type by its bytes; ``None`` when the format is unknown.
        problem: Why the file could not be looked at within the safety limits, if so.
    """

    position: int
    code: str
    file_name: str
    declared_type: str
    declared_sha256: str
    declared_size: int
    sha256: str
    size: int
    real_type: str | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class OpinionFacts:
    """One opinion of the process: which step, by whom, when."""

    node: str
    author: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class FilingFacts:
    """A filing as the material checks see it.

    Attributes:
        called_up: Of each reference to something called up, whether the case can have called it up.
        supplement: Whether it only adds to a case that is filed.
    """

    item: Item
    accepted_at: dt.datetime
    closed_at: dt.datetime
    materials: tuple[MaterialFacts, ...]
    opinions: tuple[OpinionFacts, ...]
    called_up: tuple[bool, ...]
    supplement: bool = False

    def title(self, material: MaterialFacts) -> tuple[str, str]:
        """Give the name of a material in both languages; its code when the item does not know it."""
        rule = self.item.material(material.code)
        return (rule.zh, rule.en) if rule else (material.code, material.code)

    def of_group(self, group: Group) -> tuple[MaterialFacts, ...]:
        """Give the materials of one group of the item's scope."""
        rules = ((one, self.item.material(one.code)) for one in self.materials)
        return tuple(one for one, rule in rules if rule is not None and rule.group is group)


@dataclass(frozen=True, slots=True)
class ClosureFacts:
    """A closure as the closure checks see it.

    Attributes:
        same_item: Whether item and edition are those of the announced case.
        same_holder: Whether the holder is the announced one.
        same_organisation: Whether the department is the announced one and handles the item.
        holder_code_right: Whether the code fits its scheme, check digit included.
        grants: Whether the item gives a licence and the result is an approval.
        has_license_data: Whether licence data came with it.
    """

    same_item: bool
    same_holder: bool
    same_organisation: bool
    holder_code_right: bool
    grants: bool
    has_license_data: bool
    accepted_at: dt.datetime
    decided_at: dt.datetime
    closed_at: dt.datetime
    received_at: dt.datetime
