# SPDX-License-Identifier: Apache-2.0
"""The states of a seal and the changes between them; pure.

registered 备案 → enabled 启用 ⇄ suspended 停用; revoked 注销 from anywhere, for ever.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Protocol

from seals.errors import SealStateError


class SealState(enum.StrEnum):
    """States of a seal."""

    REGISTERED = "registered"
    ENABLED = "enabled"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Change(enum.StrEnum):
    """Changes of state that somebody asks for."""

    ENABLE = "enable"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


STATE_TITLES: Mapping[SealState, tuple[str, str]] = {
    SealState.REGISTERED: ("已备案", "Registered"),
    SealState.ENABLED: ("已启用", "Enabled"),
    SealState.SUSPENDED: ("已停用", "Suspended"),
    SealState.REVOKED: ("已注销", "Revoked"),
}
"""Titles in Chinese and English."""

_ALLOWED: Mapping[tuple[SealState, Change], SealState] = {
    (SealState.REGISTERED, Change.ENABLE): SealState.ENABLED,
    (SealState.ENABLED, Change.SUSPEND): SealState.SUSPENDED,
    (SealState.SUSPENDED, Change.RESUME): SealState.ENABLED,
    (SealState.REGISTERED, Change.REVOKE): SealState.REVOKED,
    (SealState.ENABLED, Change.REVOKE): SealState.REVOKED,
    (SealState.SUSPENDED, Change.REVOKE): SealState.REVOKED,
}


class HasState(Protocol):
    """Anything that states a seal's state at a point of its history."""

    @property
    def state(self) -> str:
        """Give the state reached."""
        ...


def changed(state: SealState, change: Change) -> SealState:
    """Give the state after a change.

    Raises:
        SealStateError: The change is not allowed in this state.
    """
    after = _ALLOWED.get((state, change))
    if after is None:
        raise SealStateError(state=str(state), change=str(change))
    return after


def effective(events: Sequence[HasState]) -> SealState:
    """Give the state after all events, which are in order; ``registered`` before the first."""
    return SealState(events[-1].state) if events else SealState.REGISTERED
