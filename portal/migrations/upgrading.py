# SPDX-License-Identifier: Apache-2.0
"""Brings a database to the schema of this version, and tells whether it is there already.

One tree of revisions for all rooms and both databases. DDL is transactional on both: a failed upgrade leaves
the schema as it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from portal.tables import all_tables
from storage.engines import open_engine, translated
from storage.ledger.rights import grants

FOLDER = Path(__file__).parent
_Answer = TypeVar("_Answer")
_SETTING_UP = 0x6375_6E7A_6865_6E67
"""Number of the lock on PostgreSQL that whoever sets up holds."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


@contextmanager
def one_transaction(database_url: str) -> Iterator[Connection]:
    """Open one transaction for work on the schema; of two at the same time one waits for the other."""
    engine = create_engine(database_url)
    if engine.dialect.name == "sqlite":
        # The driver would commit before DDL; one explicit transaction keeps an upgrade whole.
        event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:one)"), {"one": _SETTING_UP})
            yield connection
    finally:
        engine.dispose()


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to a revision; the newest by default."""
    with one_transaction(database_url) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def grant(owner_url: str, application: str, sequencer: str) -> None:
    """Give the two roles of a PostgreSQL database exactly their rights."""
    with one_transaction(owner_url) as connection:
        for statement in grants(all_tables().tables, application, sequencer):
            connection.execute(text(statement))
        # Every process looks whether the schema is its own.
        for role in (application, sequencer):
            connection.execute(text(f'GRANT SELECT ON alembic_version TO "{role}"'))


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to a revision; ``base`` is an empty schema."""
    with one_transaction(database_url) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def is_current(database_url: str) -> bool | None:
    """Tell whether the database has the schema that this version needs; ``None``: it has none at all.

    Raises:
        RecordsUnavailableError: It does not answer.
    """
    head = ScriptDirectory.from_config(_config()).get_current_head()
    revision = asked(database_url, revision_of)
    return None if revision is None else revision == head


def asked(database_url: str, question: Callable[[Connection], _Answer]) -> _Answer:
    """Put a question to the database on a connection of its own.

    Raises:
        RecordsUnavailableError: It does not answer.
    """
    engine = open_engine(database_url)
    try:
        with engine.connect() as connection:
            return question(connection)
    except DBAPIError as error:
        raise translated(error) or error from error
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str | None:
    """Give the revision of the tables behind a connection, ``None`` when there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Tell whether this version of the product knows a revision, and so can bring it up to its own."""
    return any(one.revision == revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


def differences(database_url: str) -> list[Any]:
    """Give how the database's schema differs from the models; empty when they are equal."""
    with one_transaction(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, all_tables()))
