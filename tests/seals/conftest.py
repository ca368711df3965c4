# SPDX-License-Identifier: Apache-2.0
"""One throw-away authority for the whole suite: making RSA keys is the slow part."""

from pathlib import Path

import pytest
from fakes import HandClock

from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.demo_tsa import DemoTsa
from seals.keys import FileKeyStore
from storage.clock import RandomIds

DEPARTMENTS = [("housing", "示例市住房和城乡建设局"), ("market", "示例市市场监督管理局")]


@pytest.fixture(scope="session")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    demo_pki.create(folder / "pki", FileKeyStore(folder / "keys"), HandClock(), DEPARTMENTS)
    return folder


@pytest.fixture(scope="session")
def keys(_authority: Path) -> FileKeyStore:
    return FileKeyStore(_authority / "keys")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def pki(_authority: Path, keys: FileKeyStore, clock: HandClock, tmp_path: Path) -> DemoPki:
    """The suite's authority in a folder of the test's own, so that a test may revoke."""
    for file in (_authority / "pki").iterdir():
        (tmp_path / "pki").mkdir(exist_ok=True)
        (tmp_path / "pki" / file.name).write_bytes(file.read_bytes())
    return DemoPki(tmp_path / "pki", keys, clock)


@pytest.fixture
def tsa(pki: DemoPki) -> DemoTsa:
    return pki.tsa(RandomIds())
