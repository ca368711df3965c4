# SPDX-License-Identifier: Apache-2.0
"""Settings come from the environment, secrets also from files; what cannot hold together is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from portal import settings
from portal.settings import Settings


def test_a_secret_file_fills_a_setting_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SECRETS", tmp_path)
    address = "postgresql+psycopg://app:{}@127.0.0.1/records"
    (tmp_path / "cunzheng_database").write_text(address.format("file"))
    assert Settings(data=tmp_path).database_url == address.format("file")
    monkeypatch.setenv("CUNZHENG_DATABASE", address.format("variable"))
    assert Settings(data=tmp_path).database_url == address.format("variable")


def test_no_secret_stands_in_what_is_printed_of_the_settings(tmp_path: Path) -> None:
    made = Settings(data=tmp_path, database="postgresql+psycopg://app:hidden@127.0.0.1/records")
    assert "hidden" not in repr(made)


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="postgresql"):
        Settings(data=tmp_path, database="mysql://app@127.0.0.1/records")
