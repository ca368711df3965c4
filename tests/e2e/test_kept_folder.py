# SPDX-License-Identifier: Apache-2.0
"""A data folder that an earlier release made is brought up to date, loses nothing and goes on being used.

``kept/first-line.tar.xz`` holds the folder after the demonstration's first case, as revision 0006 left it;
keys, certificates and persons are the demonstration's. It is never made anew: offices hold what it holds, so
a released revision that is changed in place fails here.
"""

import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from crashes import part_of
from demonstration import opened, settings_of
from running import Site

from portal.bootstrap import ledger_signer, open_foundation, open_keeper
from portal.demo.figures import gather
from portal.demo.run import Demonstration, Options
from portal.demo.script import Script
from portal.migrations import upgrading
from storage.ledger.export import export_log
from storage.ledger.findings import Verdict
from storage.ledger.models import LedgerAct
from storage.ledger.policies import parse_policy, single_log_policy
from storage.ledger.verification import verify_log

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "kept" / "first-line.tar.xz"
MADE_AT = "0006"
FIRST, NEXT = "01-firm-registered", "08-street-sealed-elsewhere"
ACTS = 53 + 2 + 2 * 5
"""Its own, two administrators, five seals registered and enabled: those the first line did not have."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder as it was kept."""
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(KEPT) as archive:
        archive.extractall(folder, filter="data")
    return folder / "data"


@pytest.fixture(scope="module")
def upgraded(kept: Path) -> Site:
    """Give the folder after the command that the operator runs."""
    engine = sa.create_engine(settings_of(kept).database_url)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == MADE_AT
    engine.dispose()
    site = Site("http://127.0.0.1:8321", kept)
    done = site.run("init")
    assert done.returncode == 0, done.stderr
    settings = settings_of(kept)
    foundation = open_foundation(settings)
    keeper = open_keeper(foundation, settings)
    keeper.tick(hurry=True)
    keeper.close()
    foundation.database.close()
    return site


def test_its_tables_are_those_of_this_release(upgraded: Site) -> None:
    address = settings_of(upgraded.data).database_url
    assert upgrading.is_current(address)
    assert upgrading.differences(address) == []


def test_its_case_is_filed_and_every_act_is_in_the_ledger(upgraded: Site) -> None:
    with opened(upgraded.data) as rooms:
        figures = gather(rooms, part_of(Script.load(), [FIRST]))
        with rooms.database.reading() as uow:
            acts = uow.session.scalar(sa.select(sa.func.count()).select_from(LedgerAct))
    assert figures.problems == []
    assert (figures.counts.received, figures.counts.filed, figures.licenses) == (1, 1, 1)
    assert acts == figures.entries == ACTS


def test_its_ledger_verifies(upgraded: Site, tmp_path: Path) -> None:
    key = ledger_signer(settings_of(upgraded.data)).verifier
    with opened(upgraded.data) as rooms:
        export_log(rooms.database, tmp_path / "export", key, rooms.trust_pem())
    report = verify_log(tmp_path / "export", parse_policy(single_log_policy(key)))
    assert (report.verdict, report.size) == (Verdict.VALID, ACTS)


def test_the_next_case_is_filed_in_it(upgraded: Site) -> None:
    whole = Script.load()
    # What must come of both, and the steps of the second.
    script = replace(part_of(whole, [FIRST, NEXT]), steps=part_of(whole, [NEXT]).steps)
    # The script goes on by the number of steps done, and this one has other steps.
    (upgraded.data / "demo.json").unlink()
    demonstration = Demonstration(
        settings_of(upgraded.data), Options(once=True, script=script), lambda line: None, threading.Event()
    )
    figures = demonstration.run()
    assert (figures.counts.received, figures.counts.filed, figures.problems) == (2, 2, [])
    assert demonstration.restarts == 0
    assert figures.acts == figures.entries > ACTS
