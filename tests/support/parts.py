# SPDX-License-Identifier: Apache-2.0
"""The parts that tests run on: embedded ones, or the real servers that the environment names.

``scripts/services.sh environment`` prints the variables. With them the same suites run on PostgreSQL.
"""

import atexit
import os
import uuid
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

POSTGRESQL = "CUNZHENG_TEST_POSTGRESQL"


def database_url(folder: Path) -> str:
    """Give the address of an empty database: a file in ``folder``, or a new one on the server."""
    server = os.environ.get(POSTGRESQL)
    if server is None:
        return f"sqlite:///{folder / 'cunzheng.db'}"
    # A second process that opens the same folder must find the same database.
    note = folder / "database.name"
    if not note.exists():
        name = f"test_{uuid.uuid4().hex}"
        with _server().connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        atexit.register(_drop, name)
        note.write_text(name)
    return make_url(server).set(database=note.read_text()).render_as_string(hide_password=False)


def servers() -> dict[str, str]:
    """Give the variables that name real servers, for child processes."""
    return {name: value for name, value in os.environ.items() if name.startswith("CUNZHENG_TEST_")}


@cache
def _server() -> Engine:
    return create_engine(os.environ[POSTGRESQL], isolation_level="AUTOCOMMIT")


def _drop(name: str) -> None:
    with _server().connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
