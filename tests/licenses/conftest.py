# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HandClock
from license_house import House
from license_library import Library

from documents.typesetting import Typesetter
from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.keys import FileKeyStore


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="session")
def typesetter() -> Typesetter:
    return Typesetter()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    folder = tmp_path_factory.mktemp("authority")
    keys = FileKeyStore(folder / "keys")
    return demo_pki.create(folder / "pki", keys, HandClock(), [("scjg", "演示市市场监督管理局")])


@pytest.fixture
def house(tmp_path: Path, authority: DemoPki, typesetter: Typesetter) -> Iterator[House]:
    made = House(tmp_path, authority, typesetter)
    yield made
    made.library.database.close()
