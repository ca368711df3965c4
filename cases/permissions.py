# SPDX-License-Identifier: Apache-2.0
"""Who may announce and file cases: the acceptance system; an archivist files for the own department."""

from cases.organisations import covers
from storage.identity import Identity, Role


def may_announce(identity: Identity, source: str) -> bool:
    """Tell whether an identity may announce cases of a source: its client, or a process of ours."""
    return identity.has(Role.SYSTEM) or _is_client_of(identity, source, "announce")


def may_file(identity: Identity, source: str, organisation: str) -> bool:
    """Tell whether an identity may file closed cases of a source and department."""
    archivist = identity.has(Role.ARCHIVIST) and covers(identity, organisation)
    return archivist or identity.has(Role.SYSTEM) or _is_client_of(identity, source, "file")


def _is_client_of(identity: Identity, source: str, scope: str) -> bool:
    return identity.has(Role.CLIENT) and scope in identity.scopes and source in identity.sources
