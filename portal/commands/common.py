# SPDX-License-Identifier: Apache-2.0
"""What commands share: settings, opened rooms, and on whose behalf somebody at the terminal acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from portal.errors import (
    AccountAmbiguousError,
    DestroyerKeyPresentError,
    MigrationNeededError,
    NotInitialisedError,
)
from storage.errors import CunzhengError, NotPermittedError
from storage.identity import Identity, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.rooms import Rooms
    from portal.settings import Settings
    from storage.database import UnitOfWork


AS = click.option("--as", "account", help="Acting account 操作账号 (needed when several hold the role).")
"""The option of every command that acts for somebody."""
BY_ADMINISTRATOR = click.option(
    "--by",
    type=click.Choice([str(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)]),
    default=str(Role.SYSTEM_ADMIN),
    show_default=True,
    help="Which administrator asks 以哪种管理员身份.",
)
"""The option of commands that list for any of the three administrators 三员."""


def load_settings() -> "Settings":
    """Read the settings; raises ``SettingsInvalidError`` naming the settings that do not hold."""
    from pydantic import ValidationError  # noqa: PLC0415 - `cunzheng --help` must not wait for it

    from portal.errors import SettingsInvalidError  # noqa: PLC0415 - as above
    from portal.settings import Settings  # noqa: PLC0415 - as above

    try:
        return Settings()
    except ValidationError as error:
        wrong = [found for found in error.errors() if found["type"] != "default_factory_not_called"]
        names = sorted({str(part) for found in wrong for part in found["loc"]}) or ["environment"]
        raise SettingsInvalidError(settings=" ".join(names)) from None


def open_installation() -> "tuple[Rooms, Settings]":
    """Open the data folder's rooms.

    Raises:
        NotInitialisedError: The folder holds no installation.
    """
    from portal.bootstrap import open_rooms  # noqa: PLC0415 - as above

    settings = require_installation()
    return open_rooms(settings), settings


def require_no_destroyer(settings: "Settings") -> None:
    """Refuse to go on with the key that removes objects: what lasts can be broken into.

    Raises:
        DestroyerKeyPresentError: The settings hold it.
    """
    if settings.s3_destroyer_access_key or settings.s3_destroyer_secret_key:
        raise DestroyerKeyPresentError


def require_installation() -> "Settings":
    """Give the settings of a data folder that holds an installation of this version.

    Raises:
        NotInitialisedError: The folder holds none.
        MigrationNeededError: Its tables are of another version.
        KeysMissingError: A key of its is not there.
        KeysForeignError: The keys are not those of its records.
    """
    from portal.key_marks.services import require_own_keys  # noqa: PLC0415 - as above
    from portal.migrations.upgrading import is_current  # noqa: PLC0415 - as above

    settings = load_settings()
    if settings.database is None and not (settings.data / "cunzheng.db").exists():
        raise NotInitialisedError
    match is_current(settings.database_url):
        case None:
            raise NotInitialisedError
        case False:
            raise MigrationNeededError
    require_own_keys(settings)
    return settings


class Terminal:
    """An opened installation and who works at it; what it refuses that person stands in the ledger.

    Attributes:
        rooms: The opened rooms.
        settings: Their settings.
    """

    def __init__(self, rooms: "Rooms", settings: "Settings") -> None:
        self.rooms = rooms
        self.settings = settings
        self._actor: Identity | None = None

    def act_as_any(self, roles: "Sequence[Role]", usual: Role, account: str | None) -> Identity:
        """Give who looks: the named person in the first of the roles held, or whoever holds the usual one."""
        held: frozenset[Role] = frozenset()
        if account is not None:
            with self.rooms.database.reading() as uow:
                found = self.rooms.accounts.identity(uow, account)
            held = held if found is None else found.roles
        return self.act_as(next((one for one in roles if one in held), usual), account)

    def act_as(self, role: Role, account: str | None) -> Identity:
        """Give the identity on whose behalf the command goes on; see :meth:`holder` for the errors."""
        if account is not None:
            # Named, so known: what follows is refused to this person, the lack of the role included.
            with self.rooms.database.reading() as uow:
                self._actor = self.rooms.accounts.identity(uow, account)
        self._actor = self.holder(role, account)
        return self._actor

    def holder(self, role: Role, account: str | None) -> Identity:
        """Give the identity of an account that holds ``role``.

        Args:
            role: The role that is needed.
            account: Account id; when it is missing, the only account with the role is taken.

        Raises:
            NotPermittedError: No such account, or it lacks the role.
            AccountAmbiguousError: Several hold the role and none was named.
        """
        from portal.accounts.posts import identity_with  # noqa: PLC0415 - `cunzheng --help` must not wait for it

        with self.rooms.database.reading() as uow:
            found = self.rooms.accounts.with_role(uow, role)
        matching = [one for one in found if account in {None, one.id}]
        if not matching:
            raise NotPermittedError(role=str(role))
        if len(matching) > 1:
            choices = " ".join(f"{one.organisation}={one.id}" for one in matching)
            raise AccountAmbiguousError(role=str(role), accounts=choices)
        (one,) = matching
        found_identity = identity_with(one, role)
        if found_identity is None:
            raise NotPermittedError(role=str(role))
        return found_identity

    def record_refusal(self, error: CunzhengError) -> None:
        """Record what an error refused; :func:`terminal` does it for every error that leaves a command."""
        from portal.refusals import Place, record_refusal  # noqa: PLC0415 - as above

        record_refusal(self.rooms.database, error, self._actor, Place("command", _command()))


def carry(role: Role, account: str | None, work: "Callable[[Rooms, UnitOfWork, Identity], object]") -> None:
    """Do something in one unit of work on behalf of who holds ``role``; errors as :meth:`Terminal.act_as`."""
    with terminal() as here:
        who = here.act_as(role, account)
        here.rooms.database.write(lambda uow: work(here.rooms, uow, who))


@contextmanager
def terminal() -> "Iterator[Terminal]":
    """Open the installation for a command; refusals are recorded, and the rooms are closed at the end.

    Raises:
        NotInitialisedError: The folder holds no installation.
        MigrationNeededError: Its tables are of another version.
    """
    rooms, settings = open_installation()
    opened = Terminal(rooms, settings)
    try:
        yield opened
    except CunzhengError as error:
        opened.record_refusal(error)
        raise
    finally:
        rooms.close()


def _command() -> str:
    """Give the words of the running command, without its arguments and whatever the program is called."""
    context: click.Context | None = click.get_current_context()
    words: list[str] = []
    while context is not None and context.parent is not None:
        words.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(words)
