# SPDX-License-Identifier: Apache-2.0
"""The ground of the whole catalogue: one installation for all cases of a test process."""

from collections.abc import Iterator

import pytest

from .ground import Ground, lay


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = lay(tmp_path_factory.mktemp("ground") / "data")
    yield made
    made.rooms.close()
