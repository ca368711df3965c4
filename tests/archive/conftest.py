# SPDX-License-Identifier: Apache-2.0
"""What the archive's tests share."""

from pathlib import Path

import pytest
from archive_line import Line, make_authority
from archive_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    return make_authority(folder, World(tmp_path_factory.mktemp("clock")))


@pytest.fixture
def line(tmp_path: Path, authority: Path) -> Line:
    return Line(tmp_path, authority)
