# SPDX-License-Identifier: Apache-2.0
"""``scripts/postgresql-roles.sh`` reads addresses as the product does, on a real server."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_servers import own_servers
from parts import POSTGRESQL
from sqlalchemy import URL, create_engine, make_url, text
from tooling import ROOT

from portal.settings import Settings

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason=f"{POSTGRESQL} names no server"),
]

SECRETS = ("cunzheng_database", "cunzheng_sequencer_database", "cunzheng_owner_database")
PASSWORDS = {
    "with percent-encoded signs": "a%40b%3A%2F%3f%23%25%26%27%22%5C%20%24%60c",
    "with signs that need no encoding": r"""a'b"c\d$e`f;--!x/y?z#1""",
    "beyond ASCII": "%E5%AF%86%E7%A0%81",
}


class Installation:
    """Secrets, and the server's roles and databases of one test.

    Args:
        folder: Where the secrets go.
        server: Address of the server's administrator; the shared server's when missing.
    """

    def __init__(self, folder: Path, server: str | None = None) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex[:12]
        self.server = make_url(server or os.environ[POSTGRESQL])

    def address(self, secret: str, password: str, options: str = "", name: str | None = None) -> str:
        """Write a secret; give the address in it."""
        user = f"{secret.removeprefix('cunzheng_')}-{self.mark}%2B"
        place = f"{self.server.host}:{self.server.port}"
        address = f"postgresql+psycopg://{user}:{password}@{place}/{name or self.database}{options}"
        (self.folder / secret).write_text(f"{address}\n")
        return address

    @property
    def database(self) -> str:
        """Name of the database, with a sign that a careless reader would drop."""
        return f"records-{self.mark}"

    def make(self) -> subprocess.CompletedProcess[str]:
        """Run the script as the image does, but over loopback."""
        return subprocess.run(
            [ROOT / "scripts" / "postgresql-roles.sh"],
            env={
                "PATH": os.environ["PATH"],
                "CUNZHENG_SECRETS": str(self.folder),
                "PGHOST": str(self.server.host),
                "PGPORT": str(self.server.port),
                "PGPASSWORD": str(self.server.password),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def names(self) -> set[str]:
        """Give this test's roles and databases on the server."""
        return set(self._ask("SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database"))

    def remove(self) -> None:
        """Leave nothing on the server."""
        for name in sorted(self.names(), key=lambda name: name != self.database):
            kind = "DATABASE" if name == self.database else "ROLE"
            self._ask(f'DROP {kind} "{name}"')

    def _ask(self, query: str) -> list[str]:
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            found = connection.execute(text(query))
            names = [str(name) for name in found.scalars()] if found.returns_rows else []
        engine.dispose()
        return [name for name in names if self.mark in name]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.remove()


def signed_in(address: str | URL) -> tuple[str, str]:
    engine = create_engine(address)
    with engine.connect() as connection:
        user, name = connection.execute(text("SELECT current_user, current_database()")).one()
    engine.dispose()
    return str(user), str(name)


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
def test_the_product_signs_in_with_the_very_address(installation: Installation, password: str) -> None:
    options = "?application_name=cunzheng&connect_timeout=5"
    addresses = [installation.address(secret, password, options) for secret in SECRETS]
    made = installation.make()
    assert made.returncode == 0, made.stderr
    for secret, address in zip(SECRETS, addresses, strict=True):
        settings = Settings(database=address)  # type: ignore[arg-type] # pydantic makes the secret
        expected = f"{secret.removeprefix('cunzheng_')}-{installation.mark}+"
        assert signed_in(settings.database_url) == (expected, installation.database)


def test_the_owner_owns_the_database(installation: Installation) -> None:
    owner = [installation.address(secret, "secret") for secret in SECRETS][-1]
    assert installation.make().returncode == 0
    engine = create_engine(owner)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE proof (id integer)"))
    engine.dispose()


@pytest.mark.parametrize(
    "password", ["half%4", "no-hexadecimal%zz", "nothing%00here", ""], ids=["half", "signs", "zero", "none"]
)
def test_a_malformed_address_is_refused_before_anything_is_made(
    installation: Installation, password: str
) -> None:
    for secret in SECRETS[:-1]:
        installation.address(secret, "secret")
    installation.address(SECRETS[-1], password)
    made = installation.make()
    assert made.returncode == 1
    assert "cunzheng_owner_database is no postgresql+psycopg://" in made.stderr
    assert not password or password not in made.stderr
    assert installation.names() == set()


def test_addresses_that_name_two_databases_are_refused(installation: Installation) -> None:
    for secret in SECRETS:
        installation.address(secret, "secret", name=f"of-{secret}")
    assert installation.make().returncode == 1
    assert installation.names() == set()


def test_a_role_that_is_there_leaves_no_password_in_the_server_s_log(tmp_path: Path) -> None:
    with own_servers(["postgresql"]) as servers:
        installation = Installation(tmp_path, servers["postgresql"].address()[1])
        for secret in SECRETS:
            installation.address(secret, "a-password-to-look-for")
        assert installation.make().returncode == 0
        assert installation.make().returncode != 0
        log = servers["postgresql"].log.read_text(encoding="utf-8")
        assert "already exists" in log
        assert "a-password-to-look-for" not in log
