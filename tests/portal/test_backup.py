# SPDX-License-Identifier: Apache-2.0
"""Programs of PostgreSQL's that dump and load: what others on the machine can see of them."""

from pathlib import Path

import pytest

from portal.backup.dumps import programs
from portal.backup.errors import BackupProgramError

ADDRESS = "postgresql+psycopg://owner:s3cret@db.example:5433/records?sslmode=require"


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_password_is_in_the_environment_and_not_on_the_command_line(bin_folder: Path) -> None:
    command, environment = programs(ADDRESS, "pg_dump", "--format=custom")
    assert "s3cret" not in " ".join(command)
    assert environment["PGPASSWORD"] == "s3cret"
    assert command[0] == str(bin_folder / "pg_dump")
    assert command[-1] == "--dbname=postgresql://owner@db.example:5433/records?sslmode=require"


def test_without_a_password_the_operator_s_own_file_is_used(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/somewhere/pgpass")
    monkeypatch.setenv("CUNZHENG_S3_SECRET_KEY", "not for others")
    _, environment = programs("postgresql+psycopg://owner@db.example/records", "pg_dump")
    assert environment["PGPASSFILE"] == "/somewhere/pgpass"
    assert not {"PGPASSWORD", "CUNZHENG_S3_SECRET_KEY"} & set(environment)


def test_a_missing_program_is_named(bin_folder: Path) -> None:
    with pytest.raises(BackupProgramError, match="program=pg_restore"):
        programs(ADDRESS, "pg_restore")
