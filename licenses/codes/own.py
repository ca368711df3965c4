# SPDX-License-Identifier: Apache-2.0
"""Codes as holders see them among theirs: one that somebody else made is a use like others.

Rules of law that delay or mask a use (ADR 0059) do so with such a code, too.
"""

import datetime as dt
from dataclasses import dataclass

from licenses.codes.models import AuthorisationCode
from licenses.models import LicenseUsage
from licenses.visibility import Part, Visibility


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A code for a licence of whoever looks; ``purpose`` is ``None`` where a rule of law withholds it."""

    id: str
    mode: str
    actor_id: str
    purpose: str | None
    made_at: dt.datetime
    expires_at: dt.datetime
    uses: int


def own_code(
    code: AuthorisationCode, *, by_holder: bool, secrecy: Visibility, now: dt.datetime
) -> OwnCode | None:
    """Give what a holder sees of a code; ``None`` as long as a rule delays it.

    Args:
        code: The code.
        by_holder: Whether a holder of the licence made it; of that nothing is withheld.
        secrecy: The rules.
        now: The present.
    """
    made = LicenseUsage(
        at=code.made_at, item_code=code.item_code, purpose=code.purpose, organisation=code.organisation
    )
    if not by_holder and secrecy.appears(made, relative=False) > now:
        return None
    masked = not by_holder and Part.PURPOSE in secrecy.masked(made, relative=False)
    purpose = None if masked else code.purpose
    return OwnCode(code.id, code.mode, code.actor_id, purpose, code.made_at, code.expires_at, code.uses)
