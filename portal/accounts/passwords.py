# SPDX-License-Identifier: Apache-2.0
"""Passwords: which are refused, and what is kept of one. Hashing takes its time: never inside a unit of work.

Long and not guessable instead of kinds of characters and forced changes (NIST SP 800-63B); the guess is
estimated with dictionaries of common passwords, keyboards and dates.
"""

import enum
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from portal.i18n import mark as _

LEAST: Final = 12
MOST: Final = 128
_GUESSES: Final = 10**9
_ESTIMATED: Final = 72
_LEAST_NAME: Final = 3
# About 19 MiB and two rounds: what one sign-in costs a small desk, eight at the same time included.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Rule(enum.StrEnum):
    """What a new password must fulfil."""

    LENGTH = "length"
    LOGIN_NAME = "login-name"
    COMMON = "common"
    REPEATED = "repeated"


RULES: Final[Mapping[Rule, str]] = {
    Rule.LENGTH: _("At least 12 and at most 128 characters; spaces and Chinese characters count"),
    Rule.LOGIN_NAME: _("Without the login name"),
    Rule.COMMON: _("No common password, no row of keys, no date or name with a few digits"),
    Rule.REPEATED: _("Typed the same twice"),
}
"""The rules as pages say them."""


def broken_rules(password: str, again: str, login_name: str, known: Sequence[str] = ()) -> list[Rule]:
    """Give the rules that a new password breaks.

    Args:
        password: As it was typed.
        again: As it was typed the second time.
        login_name: The login name it belongs to.
        known: Further words that others would try: names of the product and of the operator.
    """
    text, name = _plain(password), _plain(login_name).casefold()
    broken = []
    if not LEAST <= len(text) <= MOST:
        broken.append(Rule.LENGTH)
    if len(name) >= _LEAST_NAME and (name in text.casefold() or name[::-1] in text.casefold()):
        broken.append(Rule.LOGIN_NAME)
    if _guesses(text, [name, *known]) < _GUESSES:
        broken.append(Rule.COMMON)
    if password != again:
        broken.append(Rule.REPEATED)
    return broken


def hash_password(password: str) -> str:
    """Give what is kept of a password: Argon2id with its parameters and a salt of its own."""
    return _HASHER.hash(_plain(password))


def holds(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one that was kept; without a kept one it takes as long, and is not."""
    try:
        _HASHER.verify(kept or _nobodys(), _plain(password[: 2 * MOST]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether what was kept was made with other parameters than ours."""
    return _HASHER.check_needs_rehash(kept)


def _guesses(text: str, known: Sequence[str]) -> int:
    # Longer ones are judged by their beginning; the estimate takes time that grows with the length.
    return int(zxcvbn(text[:_ESTIMATED], user_inputs=[word for word in known if word])["guesses"])


def _plain(text: str) -> str:
    # The same characters however a keyboard or input method composes them.
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
