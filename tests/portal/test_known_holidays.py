# SPDX-License-Identifier: Apache-2.0
"""The doctor tells before a year begins whose holidays nobody has told the installation."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

from fakes import HandClock

from cases.items import DATA
from portal.bootstrap import open_rooms
from portal.health import examine
from portal.settings import Settings


def test_the_doctor_tells_in_time_that_the_holidays_of_the_next_year_are_not_known(
    installation: Path,
) -> None:
    last = max(json.loads((DATA / "calendar.json").read_bytes())["years"])
    settings, clock = Settings(data=installation), HandClock(dt.datetime(last, 11, 30, tzinfo=dt.UTC))
    rooms = replace(open_rooms(settings), clock=clock)

    def found() -> tuple[bool, bool, str]:
        (one,) = [one for one in examine(rooms, settings) if one.part == "calendar"]
        return one.well, one.needed, one.state[1].partition(",")[0]

    assert found() == (True, False, f"holidays of {last} known")
    clock.advance(2 * 86400)
    assert found() == (False, False, f"holidays of {last + 1} unknown")
    rooms.close()
