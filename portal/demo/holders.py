# SPDX-License-Identifier: Apache-2.0
"""Who can be chosen at the demonstration's identity provider: the holders of its cases, all synthetic."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cases.identifiers import RESIDENT_ID, mask_code
from portal.demo.script import Script


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who can be chosen.

    Attributes:
        subject: Opaque name of the person at the provider.
        title: How the page names them.
        masked: Their code, masked.
        claims: What the provider vouches for.
    """

    subject: str
    title: str
    masked: str
    claims: Mapping[str, str]

    def get_user_id(self) -> str:
        """Give the subject, as the library asks for it."""
        return self.subject


def demo_persons(script: Script) -> Sequence[DemoPerson]:
    """Give each holder of the script's cases once, persons first, and one of whom nothing is held."""
    found: dict[str, DemoPerson] = {}
    for case in script.cases:
        holder = case.data()["holder"]
        found.setdefault(holder["code"], _person(holder))
    return sorted([*found.values(), _NOBODY], key=lambda one: "organisation_code" in one.claims)


def _person(holder: Mapping[str, Any]) -> DemoPerson:
    code, name = holder["code"], holder["name"]
    if holder["scheme"] == RESIDENT_ID:
        claims = {
            "identity_scheme": holder["scheme"],
            "identity_code": code,
            "name": name,
            "birthdate": f"{code[6:10]}-{code[10:12]}-{code[12:14]}",
        }
    else:
        claims = {"organisation_code": code, "organisation_name": name}
    return DemoPerson(_subject(code), name, mask_code(code), claims)


def _subject(code: str) -> str:
    return hashlib.sha256(b"demo\0" + code.encode()).hexdigest()[:16]


# No birth date is told of this one: pages come in their standard view.
_CODE = "339999190003030033"
_NOBODY = DemoPerson(_subject(_CODE), "吴样例", mask_code(_CODE), {"identity_code": _CODE, "name": "吴样例"})
