# SPDX-License-Identifier: Apache-2.0
"""A release that tells of licences only goes on with no subscription that is about something else."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from portal.migrations.upgrading import FOLDER, one_transaction, upgrade

ADD = text(
    "INSERT INTO subscription (id, client_id, organisation, name, types, items, holders, purpose, state,"
    " reason_cipher, asked_at, expires_at, about) VALUES (:about, 'c', 'scjg', 'n', '[]', '[]', 0, 'serve',"
    " 'running', 'x', '2026-01-01T00:00:00.000000Z', '2026-02-01T00:00:00.000000Z', :about)"
)


@pytest.mark.sqlite
def test_the_downgrade_ends_subscriptions_about_anything_but_licences(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cunzheng.db'}"
    upgrade(url, "0033")
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with one_transaction(url) as connection:
        for about in ("licences", "proofs", "questions"):
            connection.execute(ADD, {"about": about})
        config.attributes["connection"] = connection
        command.downgrade(config, "0032")
        found = {row.id: row.state for row in connection.execute(text("SELECT id, state FROM subscription"))}
    assert found == {"licences": "running", "proofs": "ended", "questions": "ended"}
