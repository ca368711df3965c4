# SPDX-License-Identifier: Apache-2.0
"""A worker process that delivers for the world in a folder until there is nothing to do; it may be killed."""

import sys
from pathlib import Path

from fakes import make_database
from sharing_world import SOURCE, HandClients

import licenses.models
import licenses.sharing.models  # noqa: F401 - defines tables
from licenses.sharing.delivery import DeliverStep
from licenses.sharing.keys import MessageKeys
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender
from portal.worker import Worker
from storage.clock import RandomIds, SystemClock

if __name__ == "__main__":
    folder, clock = Path(sys.argv[1]), SystemClock()
    database = make_database(folder, clock)
    step = DeliverStep(
        HttpSender(Reach(production=False), clock),
        HandClients(),
        database.secrets,
        clock,
        MessageKeys(folder / "keys").sign,
        SOURCE,
    )
    worker = Worker(database, {step.kind: step}, folder / "staging", clock, RandomIds(), "doomed")
    while worker.run_one():
        pass
