# SPDX-License-Identifier: Apache-2.0
"""A process that records that something was supplied later, and is killed: before it is durable, or after.

Arguments: folder of the world, id of the rung, ``before`` or ``after``.
"""

import os
import signal
import sys
from pathlib import Path

from ladder_world import LadderWorld
from license_library import CLERK

from licenses.ladder.services import Happening
from licenses.ladder.states import RungEventKind
from storage.clock import SystemClock

if __name__ == "__main__":
    folder, rung, when = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    world = LadderWorld(folder)
    world.clock.at = SystemClock().now()
    with world.database.writing() as uow:
        world.ladder.happen(uow, CLERK, rung, Happening(RungEventKind.SUPPLIED))
        uow.session.flush()
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
