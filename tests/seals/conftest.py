# SPDX-License-Identifier: Apache-2.0
"""One throw-away authority for the whole suite: making RSA keys is the slow part."""

import datetime as dt
from pathlib import Path

import pytest
from fakes import HandClock
from press import DEPARTMENTS, Press

from documents.typesetting import FONT, Typesetter
from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.demo_tsa import DemoTsa
from seals.keys import FileKeyStore
from storage.clock import RandomIds


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


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A PDF/A-3b page of our own typesetting."""
    template = tmp_path_factory.mktemp("page") / "page.typ"
    template.write_text(
        "#let data = json(bytes(sys.inputs.data))\n"
        "#set document(title: data.title)\n"
        f'#set text(font: "{FONT}", lang: "zh", region: "cn")\n'
        "= #data.title\n"
        "#for line in data.lines [#line #parbreak()]\n",
        encoding="utf-8",
    )
    data = {"title": "卷内目录", "lines": ["建设工程规划许可证", "不动产权证书"]}
    return Typesetter().typeset(template, data, [], dt.datetime(2026, 11, 1, tzinfo=dt.UTC))


@pytest.fixture
def press(pki: DemoPki, tsa: DemoTsa, clock: HandClock) -> Press:
    return Press(pki, tsa, clock)
