# SPDX-License-Identifier: Apache-2.0
"""Who acts, with which roles, on which access basis. Accounts themselves are the portal's."""

import enum
from dataclasses import dataclass, replace

from storage.errors import NotPermittedError


class Role(enum.StrEnum):
    """The closed list of roles; three administrators exclude each other (rule 11 of docs/architecture.md)."""

    ARCHIVIST = "archivist"
    CLERK = "clerk"
    INSPECTOR = "inspector"
    SUPERVISOR = "supervisor"
    SEAL_MANAGER = "seal-manager"
    LICENSE_MANAGER = "license-manager"
    SYSTEM_ADMIN = "system-admin"
    SECURITY_ADMIN = "security-admin"
    AUDIT_ADMIN = "audit-admin"
    CLIENT = "client"
    SYSTEM = "system"
    HOLDER = "holder"
    PUBLIC = "public"


class Basis(enum.StrEnum):
    """The closed list of access bases (rule 3 of docs/architecture.md)."""

    CASE = "case"
    FILING = "filing"
    SUPERVISION = "supervision"
    HOLDER = "holder"
    PUBLIC_CHECK = "public-check"


@dataclass(frozen=True, slots=True)
class AccessBasis:
    """Why somebody may read: kind, for ``case`` the case, item and purpose code, for a system its grant."""

    kind: Basis
    case: str | None = None
    item: str | None = None
    purpose: str | None = None
    grant: str | None = None

    def as_core(self) -> dict[str, str]:
        """Give the non-empty parts, as they stand in an act's core."""
        parts = {
            "kind": str(self.kind),
            "case": self.case,
            "item": self.item,
            "purpose": self.purpose,
            "grant": self.grant,
        }
        return {name: value for name, value in parts.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts.

    Attributes:
        kind: ``person`` (an official), ``holder``, ``system`` or ``public``.
        id: Opaque account, holder or client id; for ``system`` the process name; ``public`` for strangers.
        organisation: Department code the identity acts for; empty for the public.
        roles: Roles held in that organisation.
        basis: Access basis of this request, if one was stated.
        session: Opaque session id, if any.
        operator: For a client: id of the person named in the call (design: operator named in the call).
        sources: For a client: sources of cases it may name; empty = none.
        scopes: For a client: ``announce``, ``file``, ``ask``, ``read``, ``verify``.
        items: For a client: item codes it may ask about; empty = none.
    """

    kind: str
    id: str
    organisation: str
    roles: frozenset[Role]
    basis: AccessBasis | None = None
    session: str | None = None
    operator: str | None = None
    sources: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()

    def demand(self, *roles: Role) -> None:
        """Let who holds one of these roles pass.

        Raises:
            NotPermittedError: It holds none of them.
        """
        if not self.has(*roles):
            raise NotPermittedError

    def has(self, *roles: Role) -> bool:
        """Tell whether any of the roles is held."""
        return not self.roles.isdisjoint(roles)

    def on(self, basis: AccessBasis) -> "Identity":
        """Give the same identity with an access basis."""
        return replace(self, basis=basis)

    def as_core(self) -> dict[str, str]:
        """Give the actor as it stands in an act's core: no names."""
        parts = {
            "kind": self.kind,
            "id": self.id,
            "org": self.organisation,
            "roles": " ".join(sorted(self.roles)),
            "operator": self.operator,
            "session": self.session,
        }
        return {name: value for name, value in parts.items() if value}


def system_identity(process: str, organisation: str = "") -> Identity:
    """Give the identity of one of the product's own processes."""
    return Identity("system", process, organisation, frozenset({Role.SYSTEM}))


PUBLIC = Identity("public", "public", "", frozenset({Role.PUBLIC}))
