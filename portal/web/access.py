# SPDX-License-Identifier: Apache-2.0
"""Who may call which route: every view declares its rule, and one hook enforces all of them.

A view without a rule is never served: :func:`rule_of` raises, and a guard test finds it before a user does.
A rule also says which act the route records, or why it records none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from licenses.questions import ProofQuestion
from portal.accounts.models import SCOPES
from storage.identity import Identity, Role

View = TypeVar("View", bound=Callable[..., Any])
Questions = Callable[[Any], Sequence[ProofQuestion]]
"""Gives the no-proof questions of a body; none when it is not well formed."""
_ATTRIBUTE: Final = "_cunzheng_rule"
_BY_TOKEN: Final = frozenset({"ask", "answer"})
"""Scopes that a shared key alone never opens."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one route.

    Attributes:
        roles: A signed-in person or holder needs one of these.
        scopes: An API client needs one of these.
        open_because: Reason why strangers may call; ``None`` = they may not.
        records: Kinds of act that the route records when it succeeds.
        unrecorded: Reason why it records none.
        upload: ``intake`` or ``verification`` when the route takes files, which sets the size limit; ``form``
            when it takes a form where the interface takes JSON.
        signed: Whether a client must have signed the call (RFC 9421).
        signed_with_key: Whether a client that has a public key must have; one that never had any goes on with
            its shared key, since its protocol is written by others.
        questions: Reads what a call asks that goes no further than the door, so that holders are told.
    """

    roles: frozenset[Role]
    scopes: frozenset[str]
    open_because: str | None
    records: tuple[str, ...]
    unrecorded: str | None
    upload: str | None
    signed: bool = False
    signed_with_key: bool = False
    questions: Questions | None = None

    def needs_token(self, identity: Identity) -> bool:
        """Tell whether a client must have a public key, so a token, to call this."""
        opening = self.scopes & identity.scopes
        return self.signed or (self.open_because is None and bool(opening) and opening <= _BY_TOKEN)

    def admits(self, identity: Identity) -> bool:
        """Tell whether the identity may call the route at all; the service decides about the object."""
        if self.open_because is not None:
            return True
        if identity.kind in {"person", "holder"}:
            return identity.has(*self.roles)
        return identity.has(Role.CLIENT) and not self.scopes.isdisjoint(identity.scopes)


def _declare(rule: Rule) -> Callable[[View], View]:
    if not rule.records and not rule.unrecorded:
        raise TypeError("a route records an act or gives the reason why not")

    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, rule)
        return view

    return decorate


def allow(
    *roles: Role,
    scopes: tuple[str, ...] = (),
    records: tuple[str, ...] = (),
    unrecorded: str | None = None,
    upload: str | None = None,
    signed: bool = False,
    signed_with_key: bool = False,
    questions: Questions | None = None,
) -> Callable[[View], View]:
    """Declare that persons with one of the roles and clients with one of the scopes may call.

    Raises:
        TypeError: if the route neither records an act nor says why.
    """
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise TypeError(f"unknown scope {unknown}")
    return _declare(
        Rule(
            frozenset(roles),
            frozenset(scopes),
            None,
            records,
            unrecorded,
            upload,
            signed,
            signed_with_key,
            questions,
        )
    )


def public(
    because: str,
    *,
    records: tuple[str, ...] = (),
    unrecorded: str | None = None,
    upload: str | None = None,
) -> Callable[[View], View]:
    """Declare that everybody may call, and why."""
    return _declare(Rule(frozenset(), frozenset(), because, records, unrecorded, upload))


def rule_of(view: Callable[..., Any]) -> Rule:
    """Give the rule of a view.

    Raises:
        LookupError: if the view declares none.
    """
    rule = getattr(view, _ATTRIBUTE, None)
    if not isinstance(rule, Rule):
        # A missing rule is a mistake of the program, found when the application is made.
        raise LookupError(f"{view.__module__}.{view.__qualname__} declares no access rule")  # noqa: TRY004
    return rule
