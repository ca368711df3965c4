# SPDX-License-Identifier: Apache-2.0
"""What the suites of this room share: sandboxes, and a place to put materials."""

from collections.abc import Callable
from pathlib import Path

import pytest

from documents.sandbox import Layer, Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(scope="session", params=list(Layer))
def each_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    made = Sandbox(bubblewrap=request.param is Layer.BUBBLEWRAP)
    if made.layer is not request.param:
        pytest.skip("missing tool: bwrap")
    return made


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "material") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write
