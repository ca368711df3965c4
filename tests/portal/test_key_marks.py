# SPDX-License-Identifier: Apache-2.0
"""Records know their keys: no process works with others, and none makes new ones for lost ones."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import POSTGRESQL, city_settings
from running import COMMAND
from sqlalchemy import create_engine, delete
from sqlalchemy.orm import Session

from portal.cli import run
from portal.initialise import initialise
from portal.key_marks.models import KeyMark
from portal.settings import Settings
from storage.errors import EXIT_DONE, EXIT_REFUSED

STEPS = ["step", "list"]
COMMANDS = {
    "serve": ["serve"],
    "worker": ["worker"],
    "sequencer": ["sequencer"],
    "steps": STEPS,
    "export": ["ledger", "export", "out"],
    "receipt": ["ledger", "receipt", "0" * 64],
    "backup": ["backup", "out"],
    "doctor": ["doctor"],
    "init": ["init"],
}
KEPT_APART = ("keys", "pki")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The machine that was set up first."""
    yield from set_up(tmp_path_factory.mktemp("first") / "data")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation of somebody else."""
    yield from set_up(tmp_path_factory.mktemp("foreign") / "data")


def set_up(data: Path) -> Iterator[Settings]:
    data.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({"CUNZHENG_DATA": str(data)} | city_settings(data)).items():
            patch.setenv(name, value)
        settings = Settings()
        initialise(settings)
    yield settings


@pytest.fixture
def other(first: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second machine: the same records and objects, a data folder of its own without keys."""
    data = tmp_path / "other"
    shutil.copytree(first.data, data, ignore=shutil.ignore_patterns(*KEPT_APART))
    monkeypatch.chdir(tmp_path)
    for name, value in as_variables(first).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUNZHENG_DATA", str(data))
    return data


def as_variables(settings: Settings) -> dict[str, str]:
    """Give the settings that name servers, as variables."""
    if settings.database is None:
        return {}
    secret = {
        "DATABASE": settings.database,
        "OWNER_DATABASE": settings.owner_database,
        "SEQUENCER_DATABASE": settings.sequencer_database,
        "BROKER": settings.broker,
        "SEARCH_URL": settings.search_url,
        "S3_SECRET_KEY": settings.s3_secret_key,
    }
    plain = {
        "BROKER_PREFIX": settings.broker_prefix,
        "SEARCH_INDEX": settings.search_index,
        "S3_ENDPOINT": settings.s3_endpoint,
        "S3_BUCKET": settings.s3_bucket,
        "S3_ACCESS_KEY": settings.s3_access_key,
    }
    revealed = {name: value.get_secret_value() for name, value in secret.items() if value}
    return {f"CUNZHENG_{name}": str(value) for name, value in (plain | revealed).items()}


def bring(keys_of: Settings, data: Path, names: tuple[str, ...] = KEPT_APART) -> None:
    for name in names:
        shutil.copytree(keys_of.data / name, data / name)


def forget_marks(settings: Settings) -> None:
    """Leave the records as a release before marks left them."""
    engine = create_engine(settings.owner_database_url)
    with Session(engine) as session, session.begin():
        session.execute(delete(KeyMark))
    engine.dispose()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_without_the_keys_nothing_starts_and_none_are_made(
    other: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(COMMANDS[name]) == EXIT_REFUSED
    said = capsys.readouterr()
    assert "keys and pki" in said.out + said.err
    assert not any((other / folder).exists() for folder in KEPT_APART)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_with_the_keys_of_another_installation_nothing_starts(
    other: Path, foreign: Settings, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(foreign, other)
    assert run(COMMANDS[name]) == EXIT_REFUSED
    said = capsys.readouterr()
    assert "not copies" in said.out + said.err


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("keys/index.key", "index"),
        ("keys/ledger.key", "ledger"),
        ("keys/answer-0001.jwk", "answers"),
        ("pki/root.pem", "authority"),
    ],
)
def test_each_key_is_told_from_another(
    other: Path, first: Settings, foreign: Settings, file: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(first, other)
    (other / file).unlink()
    assert run(STEPS) == EXIT_REFUSED
    assert "keys-missing" in capsys.readouterr().err
    shutil.copy(foreign.data / file, other / file)
    assert run(STEPS) == EXIT_REFUSED
    assert f"keys={named}" in capsys.readouterr().err


def test_a_folder_that_lost_the_keys_of_subjects_is_told_and_gets_no_others(
    other: Path, first: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(first, other)
    subjects = other / "keys" / "subjects"
    shutil.rmtree(subjects)
    subjects.mkdir()
    assert run(STEPS) == EXIT_REFUSED
    assert "keys-missing" in capsys.readouterr().err
    assert not list(subjects.iterdir())


def test_with_the_keys_that_machines_share_a_second_one_works(
    other: Path, first: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(first, other)
    assert run(["init"]) == EXIT_DONE
    assert run(STEPS) == EXIT_DONE
    run(["doctor"])
    assert "● keys" in capsys.readouterr().out


def test_a_further_key_for_answers_is_no_foreign_one(other: Path, first: Settings, foreign: Settings) -> None:
    bring(first, other)
    shutil.copy(foreign.keys / "answer-0001.jwk", other / "keys" / "answer-0002.jwk")
    assert run(STEPS) == EXIT_DONE


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation of a release that left no marks."""
    for settings in set_up(tmp_path / "older"):
        for name, value in as_variables(settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CUNZHENG_DATA", str(settings.data))
        forget_marks(settings)
        yield settings


def test_an_older_installation_is_marked_when_it_is_set_up_again_with_its_own_keys(
    older: Settings, foreign: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(STEPS) == EXIT_REFUSED
    assert "migration-needed" in capsys.readouterr().err
    for file, named in (("keys/index.key", "index"), ("pki/root.pem", "authority")):
        own = (older.data / file).rename(older.data / "aside")
        assert run(["init"]) == EXIT_REFUSED
        assert "keys-missing" in capsys.readouterr().err
        shutil.copy(foreign.data / file, older.data / file)
        assert run(["init"]) == EXIT_REFUSED
        assert f"keys={named}" in capsys.readouterr().err
        own.replace(older.data / file)
    assert run(["init"]) == EXIT_DONE
    assert run(STEPS) == EXIT_DONE


@pytest.mark.services
@pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no PostgreSQL server")
def test_of_machines_that_set_up_at_the_same_moment_one_makes_keys(tmp_path: Path) -> None:
    named = city_settings(tmp_path)
    folders = [tmp_path / f"machine-{number}" for number in range(4)]
    started = [
        subprocess.Popen([COMMAND, "init"], env=os.environ | named | {"CUNZHENG_DATA": str(data)})
        for data in folders
    ]
    assert sorted(one.wait(120) for one in started) == [EXIT_DONE] + [EXIT_REFUSED] * 3
    assert sum((data / "keys").exists() for data in folders) == 1
    assert sum((data / "pki").exists() for data in folders) == 1
