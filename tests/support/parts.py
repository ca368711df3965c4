# SPDX-License-Identifier: Apache-2.0
"""The parts that tests run on: embedded ones, or the real servers that the environment names.

``scripts/services.sh environment`` prints the variables. With them the same suites run on PostgreSQL, and
object stores on an S3 server.
"""

import atexit
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from kombu import Connection
from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session
from tooling import ROOT

from portal.queues import QUEUES
from storage.objects.server import BucketAddress, connect

POSTGRESQL = "CUNZHENG_TEST_POSTGRESQL"
S3 = "CUNZHENG_TEST_S3"
RABBITMQ = "CUNZHENG_TEST_RABBITMQ"
ELASTICSEARCH = "CUNZHENG_TEST_ELASTICSEARCH"
MADE_KEYS: dict[str, dict[str, BucketAddress]] = {}
"""By bucket, the addresses that :func:`role_keys` gave."""
_MADE_DATABASES: dict[str, Path] = {}
_KEY_FILES = {
    "writer": "cunzheng_s3",
    "auditor": "cunzheng_s3_auditor",
    "destroyer": "cunzheng_s3_destroyer",
    "holder": "cunzheng_s3_hold",
}


def database_url(folder: Path, template: str = "template1") -> str:
    """Give the address of a new database: a file in ``folder``, or a copy of one on the server."""
    server = os.environ.get(POSTGRESQL)
    if server is None:
        return f"sqlite:///{folder / 'cunzheng.db'}"
    # A second process that opens the same folder must find the same database.
    note = folder / "database.name"
    if not note.exists():
        name = f"test_{uuid.uuid4().hex}"
        with _server().connect() as connection:
            # By files, not through the journal: half the work where nothing is synced.
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
        folder.mkdir(parents=True, exist_ok=True)
        _MADE_DATABASES[name] = folder
        note.write_text(name)
    return make_url(server).set(database=note.read_text()).render_as_string(hide_password=False)


@cache
def template(tables: frozenset[str], make: Callable[[str, frozenset[str]], None]) -> str:
    """Give the name of a database of the server with these tables, to be copied; made once by a process."""
    name = f"test_{uuid.uuid4().hex}"
    with _server().connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    atexit.register(_drop, name)
    make(make_url(os.environ[POSTGRESQL]).set(database=name).render_as_string(hide_password=False), tables)
    return name


def create_role(owner_url: str, name: str) -> str:
    """Make a role that can sign in and nothing else; give the database's address in that role."""
    role = f"{name}_{uuid.uuid4().hex}"
    with _server().connect() as connection:
        connection.execute(
            text(f"CREATE ROLE {role} LOGIN PASSWORD '{role}' NOSUPERUSER NOCREATEDB NOCREATEROLE")
        )
    # A role goes only after the database in which it has rights.
    atexit.register(_drop_role, role, str(make_url(owner_url).database))
    return make_url(owner_url).set(username=role, password=role).render_as_string(hide_password=False)


def city_settings(folder: Path) -> dict[str, str]:
    """Give the settings that put an installation on the real servers, as variables; none without them."""
    if POSTGRESQL not in os.environ:
        return {}
    owner, name = database_url(folder), f"city-{uuid.uuid4().hex}"
    keys = role_keys(folder, name)
    atexit.register(delete_queues, name)
    roles = {role: create_role(owner, role) for role in ("application", "sequencer")}
    return settings_on(os.environ, owner, roles, keys["writer"])


def own_city_settings(addresses: Mapping[str, str]) -> dict[str, str]:
    """Give such settings on servers of a test's own, which end with it; there is one role."""
    owner = addresses[POSTGRESQL]
    roles = {"application": owner, "sequencer": owner}
    return settings_on(addresses, owner, roles, bucket_address(addresses[S3], "city"))


def settings_on(
    addresses: Mapping[str, str], owner: str, roles: Mapping[str, str], store: BucketAddress
) -> dict[str, str]:
    """Give the settings of an installation on servers, as variables; what has a name bears the bucket's."""
    return {
        "CUNZHENG_OWNER_DATABASE": owner,
        "CUNZHENG_DATABASE": roles["application"],
        "CUNZHENG_SEQUENCER_DATABASE": roles["sequencer"],
        "CUNZHENG_S3_ENDPOINT": store.endpoint,
        "CUNZHENG_S3_ACCESS_KEY": store.access_key,
        "CUNZHENG_S3_SECRET_KEY": store.secret_key,
        "CUNZHENG_S3_BUCKET": store.bucket,
        "CUNZHENG_SEARCH_URL": addresses[ELASTICSEARCH],
        "CUNZHENG_SEARCH_INDEX": store.bucket,
        "CUNZHENG_BROKER": addresses[RABBITMQ],
        "CUNZHENG_BROKER_PREFIX": store.bucket,
    }


def delete_queues(prefix: str) -> None:
    """Remove an installation's exchange and queues from the broker."""
    with Connection(os.environ[RABBITMQ]) as connection:
        for name in QUEUES:
            connection.default_channel.queue_delete(f"{prefix}.{name}")
        connection.default_channel.exchange_delete(prefix)


def allow_changes(session: Session, table: str) -> None:
    """Take away what keeps an append-only table from being changed, as somebody who owns it could."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"DROP TRIGGER {table}_no_update"))
    else:
        session.execute(text(f"DROP TRIGGER {table}_append_only ON {table}"))


def backup(folder: Path) -> Callable[[], None]:
    """Copy the database of a folder, which nobody has open; give what puts the copy back."""
    if POSTGRESQL not in os.environ:
        path, copy = folder / "cunzheng.db", folder / "backup.db"
        shutil.copy(path, copy)

        def put_file_back() -> None:
            for name in ("cunzheng.db", "cunzheng.db-wal", "cunzheng.db-shm"):
                (folder / name).unlink(missing_ok=True)
            shutil.copy(copy, path)

        return put_file_back
    name = (folder / "database.name").read_text()
    with _server().connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}_b TEMPLATE {name}"))
    _MADE_DATABASES[f"{name}_b"] = folder

    def put_back() -> None:
        _drop(name)
        with _server().connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {name}_b"))

    return put_back


def drop_databases(folder: Path = Path("/")) -> None:
    """Remove the server's databases that this process made for folders at or below ``folder``.

    A test's database takes some 10 MB; those of a whole suite would fill a disk.
    """
    for name in [name for name, own in _MADE_DATABASES.items() if own.is_relative_to(folder)]:
        _drop(name)
        del _MADE_DATABASES[name]


def drop_database(folder: Path) -> None:
    """Remove the server's database of a folder, whoever uses it, and make an empty one in its place."""
    name = (folder / "database.name").read_text()
    _drop(name)
    with _server().connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))


def bucket(*, lock: bool = True) -> tuple[BucketAddress, Minio]:
    """Make an empty bucket on the server and give it with a client of its own.

    What is locked there cannot be removed, so buckets stay until the server's folder goes.
    """
    address = bucket_address(os.environ[S3], f"test-{uuid.uuid4().hex}")
    client = connect(address)
    client.make_bucket(address.bucket, object_lock=lock)
    return address, client


def bucket_address(server: str, name: str) -> BucketAddress:
    """Give the address of a bucket with the key that stands in the server's own."""
    parts = urlsplit(server)
    return BucketAddress(
        endpoint=f"{parts.scheme}://{parts.hostname}:{parts.port}",
        bucket=name,
        region="us-east-1",
        access_key=str(parts.username),
        secret_key=str(parts.password),
    )


def role_keys(folder: Path, name: str) -> dict[str, BucketAddress]:
    """Make a bucket with one key for each role, as ``scripts/minio-roles.py`` makes them for an installation.

    Args:
        folder: Takes the files of the secrets.
        name: The bucket.

    Returns:
        The bucket's address with the key of ``writer``, ``auditor``, ``destroyer``, ``holder``.
    """
    server = urlsplit(os.environ[S3])
    secrets, offline = folder / "secrets", folder / "offline"
    secrets.mkdir(parents=True)
    offline.mkdir()
    (secrets / "minio_root_user").write_text(str(server.username))
    (secrets / "minio_root_password").write_text(str(server.password))
    endpoint, keys = f"{server.scheme}://{server.hostname}:{server.port}", {}
    for role, prefix in _KEY_FILES.items():
        access_key, secret_key = f"{role[0]}{uuid.uuid4().hex[:18]}", uuid.uuid4().hex
        place = secrets if role == "writer" else offline
        (place / f"{prefix}_access_key").write_text(access_key)
        (place / f"{prefix}_secret_key").write_text(secret_key)
        keys[role] = BucketAddress(endpoint, name, "us-east-1", access_key, secret_key)
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "minio-roles.py", offline],
        env={"CUNZHENG_S3_ENDPOINT": endpoint, "CUNZHENG_S3_BUCKET": name, "CUNZHENG_SECRETS": str(secrets)},
        check=True,
        capture_output=True,
    )
    atexit.register(_remove_keys, name, [key.access_key for key in keys.values()])
    MADE_KEYS[name] = keys
    return keys


def _remove_keys(bucket_name: str, access_keys: list[str]) -> None:
    server = urlsplit(os.environ[S3])
    admin = MinioAdmin(
        endpoint=f"{server.hostname}:{server.port}",
        credentials=StaticProvider(str(server.username), str(server.password)),
        secure=server.scheme == "https",
    )
    for access_key in access_keys:
        admin.user_remove(access_key)
    for role in _KEY_FILES:
        admin.policy_remove(f"{bucket_name}-{role}")


def servers() -> dict[str, str]:
    """Give the variables that name real servers, for child processes."""
    return {name: value for name, value in os.environ.items() if name.startswith("CUNZHENG_TEST_")}


atexit.register(drop_databases)


@cache
def _server() -> Engine:
    return create_engine(os.environ[POSTGRESQL], isolation_level="AUTOCOMMIT")


def _drop_role(role: str, database: str) -> None:
    _drop(database)
    with _server().connect() as connection:
        connection.execute(text(f"DROP ROLE IF EXISTS {role}"))


def _drop(name: str) -> None:
    with _server().connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
