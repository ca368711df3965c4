# SPDX-License-Identifier: Apache-2.0
"""Writes a new migration from what the models have and the newest revision has not: ``make revision``."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from portal.migrations.upgrading import FOLDER, upgrade


def write(revision: str, message: str) -> None:
    """Write the revision file; somebody reads it before it is committed."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'records.db'}"
        upgrade(url)
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        with create_engine(url).begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message=message, autogenerate=True, rev_id=revision)


if __name__ == "__main__":
    write(*sys.argv[1:])
