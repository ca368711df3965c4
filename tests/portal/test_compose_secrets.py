# SPDX-License-Identifier: Apache-2.0
"""``scripts/compose-secrets.sh`` makes every file of secrets that the compose file names, and they fit."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tooling import ROOT

from portal.settings import Settings

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
AUDITOR = {f"offline/cunzheng_s3_auditor_{part}_key" for part in ("access", "secret")}
DATABASES = ("cunzheng_database", "cunzheng_sequencer_database", "cunzheng_owner_database")
HOSTILE = "a@b:c/d?e#f%g h'\"$\\`é密"


def run(*arguments: str, given: str = "", group: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "compose-secrets.sh", *arguments],
        env={"PATH": os.environ["PATH"], "CUNZHENG_SECRETS_GROUP": group or str(os.getgid())},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = run(str(tmp_path / "secrets"))
    assert made.returncode == 0, made.stderr
    return tmp_path / "secrets"


def test_it_makes_exactly_what_the_compose_file_names(folder: Path) -> None:
    named = set(re.findall(r"file: (?:\./secrets|\$\{CUNZHENG_OFFLINE:-\./secrets/offline\})/(\S+)", COMPOSE))
    assert len(named) == COMPOSE.count("    file: ")
    # Auditors use programs of their own; no service holds their key.
    expected = named | {path.removeprefix("offline/") for path in AUDITOR}
    assert {Path(path).name for path in contents(folder)} == expected


def test_the_group_may_read_and_nobody_may_write(folder: Path) -> None:
    for path in folder.rglob("*"):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == (0o750 if path.is_dir() else 0o440), path
        assert found.st_gid == os.getgid()


def test_no_two_secrets_are_alike_but_the_broker_s(folder: Path) -> None:
    found = re.findall(r"[0-9a-f]{12,}", " ".join(contents(folder).values()))
    assert len(found) - len(set(found)) == 1


def test_addresses_are_settings_and_name_their_servers(folder: Path) -> None:
    addresses = {name.removeprefix("cunzheng_"): (folder / name).read_text() for name in DATABASES}
    settings = Settings(**addresses, broker=(folder / "cunzheng_broker").read_text())  # type: ignore[arg-type] # pydantic makes the secrets
    users = {make_url(address).username for address in addresses.values()}
    assert (len(users), make_url(settings.database_url).host) == (3, "database")
    broker = make_url((folder / "cunzheng_broker").read_text())
    told = dict(line.split(" = ") for line in (folder / "rabbitmq.conf").read_text().splitlines())
    assert told == {
        "default_user": broker.username,
        "default_pass": broker.password,
        "default_vhost": broker.database,
    }
    assert broker.host == "broker"


def test_what_is_there_stays(folder: Path) -> None:
    before = contents(folder)
    (folder / "postgresql").unlink()
    again = run(str(folder))
    assert again.stdout == "postgresql\n"
    after = contents(folder)
    assert after.pop("postgresql") != before.pop("postgresql")
    assert after == before


def test_keys_that_were_taken_offline_are_not_made_anew(folder: Path) -> None:
    shutil.move(folder / "offline", folder.parent / "a-safe")
    (folder / "offline").mkdir()
    assert run(str(folder)).stdout == ""
    assert list((folder / "offline").iterdir()) == []


def test_half_of_the_broker_s_pair_is_refused(folder: Path) -> None:
    (folder / "rabbitmq.conf").unlink()
    assert run(str(folder)).returncode == 1
    assert not (folder / "rabbitmq.conf").exists()


@pytest.mark.parametrize("name", DATABASES)
def test_a_new_password_is_encoded_into_its_address(folder: Path, name: str) -> None:
    before = make_url((folder / name).read_text())
    done = run("replace", name, str(folder), given=f"{HOSTILE}\n")
    assert (done.returncode, done.stdout) == (0, f"{name}\n")
    assert make_url((folder / name).read_text()) == before.set(password=HOSTILE)


def test_a_new_password_of_the_broker_goes_into_both_files(folder: Path) -> None:
    assert run("replace", "cunzheng_broker", str(folder), given="another-password").returncode == 0
    assert make_url((folder / "cunzheng_broker").read_text()).password == "another-password"
    assert "default_pass = another-password\n" in (folder / "rabbitmq.conf").read_text()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("cunzheng_broker", "two words"),
        ("postgresql", "short"),
        ("postgresql", ""),
        ("minio_root_user", "long enough"),
        ("nothing", "long enough"),
        ("cunzheng_s3_access_key", "long enough"),
    ],
)
def test_what_cannot_be_replaced_is_left(folder: Path, name: str, password: str) -> None:
    before = contents(folder)
    refused = run("replace", name, str(folder), given=password)
    assert refused.returncode == 1
    assert not password or password not in refused.stderr
    assert contents(folder) == before


def test_a_secret_that_cannot_be_given_to_the_group_is_not_left_half_made(tmp_path: Path) -> None:
    refused = run(str(tmp_path / "secrets"), group="no-such-group")
    assert refused.returncode == 1
    assert "can give" in refused.stderr
    assert contents(tmp_path / "secrets") == {}
