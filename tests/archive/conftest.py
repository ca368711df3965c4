# SPDX-License-Identifier: Apache-2.0
"""What the archive's tests share."""

from pathlib import Path

import pytest
from archive_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
