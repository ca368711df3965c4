# SPDX-License-Identifier: Apache-2.0
"""Queues: each kind of step stands in one, and a worker is told which by names that exist."""

import pytest
from pydantic import ValidationError

from archive.rendering import RenderStep
from archive.sealing import SealStep
from archive.storing import ManifestStep, StoreStep
from licenses.services import ISSUE_STEP
from portal.indexing import KIND
from portal.queues import queue_of
from portal.settings import Settings
from storage.errors import EXIT_USAGE

from .conftest import run


def test_office_conversion_seals_and_index_have_queues_of_their_own() -> None:
    assert queue_of(RenderStep.kind) == "office"
    assert {queue_of(kind) for kind in (SealStep.kind, ManifestStep.kind, ISSUE_STEP)} == {"seal"}
    assert queue_of(KIND) == "index"
    assert queue_of(StoreStep.kind) == "pdf"


def test_a_queue_that_does_not_exist_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run("worker", "--queue", "seal,paper", capsys=capsys)
    assert code == EXIT_USAGE
    assert "paper; choose from office" in printed


@pytest.mark.parametrize("address", ["redis://host/0", "host"])
def test_a_broker_that_keeps_no_messages_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"broker": address})
