# SPDX-License-Identifier: Apache-2.0
"""What commands share: settings, opened rooms, and on whose behalf somebody at the terminal acts."""

from typing import TYPE_CHECKING

from portal.errors import AccountAmbiguousError, MigrationNeededError, NotInitialisedError
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

if TYPE_CHECKING:
    from portal.rooms import Rooms
    from portal.settings import Settings


def load_settings() -> "Settings":
    """Read the settings; raises ``SettingsInvalidError`` naming the settings that do not hold."""
    from pydantic import ValidationError  # noqa: PLC0415 - `cunzheng --help` must not wait for it

    from portal.errors import SettingsInvalidError  # noqa: PLC0415 - as above
    from portal.settings import Settings  # noqa: PLC0415 - as above

    try:
        return Settings()
    except ValidationError as error:
        names = sorted({str(part) for found in error.errors() for part in found["loc"]}) or ["environment"]
        raise SettingsInvalidError(settings=" ".join(names)) from None


def open_installation() -> "tuple[Rooms, Settings]":
    """Open the data folder's rooms.

    Raises:
        NotInitialisedError: The folder holds no installation.
    """
    from portal.bootstrap import open_rooms  # noqa: PLC0415 - as above

    settings = require_installation()
    return open_rooms(settings), settings


def require_installation() -> "Settings":
    """Give the settings of a data folder that holds an installation of this version.

    Raises:
        NotInitialisedError: The folder holds none.
        MigrationNeededError: Its tables are of another version.
    """
    from portal.migrations.upgrading import is_current  # noqa: PLC0415 - as above

    settings = load_settings()
    if not (settings.data / "cunzheng.db").exists():
        raise NotInitialisedError
    if not is_current(settings.database_url):
        raise MigrationNeededError
    return settings


def acting(rooms: "Rooms", role: Role, account: str | None) -> Identity:
    """Give the identity of an account that holds ``role``.

    Args:
        rooms: The opened rooms.
        role: The role that the command needs.
        account: Account id; when it is missing, the only account with the role is taken.

    Raises:
        NotPermittedError: No such account, or it lacks the role.
        AccountAmbiguousError: Several hold the role and none was named.
    """
    with rooms.database.reading() as uow:
        found = rooms.accounts.with_role(uow, role)
    matching = [one for one in found if account in {None, one.id}]
    if not matching:
        raise NotPermittedError(role=str(role))
    if len(matching) > 1:
        choices = " ".join(f"{one.organisation}={one.id}" for one in matching)
        raise AccountAmbiguousError(role=str(role), accounts=choices)
    (one,) = matching
    return Identity("person", one.id, one.organisation, frozenset(map(Role, one.roles)))
