# SPDX-License-Identifier: Apache-2.0
"""Identifiers that begin with an instant: in its order, of one form, and no two alike."""

import datetime as dt
import re

from hypothesis import given
from hypothesis import strategies as st

from storage.clock import RandomIds

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INSTANTS = st.integers(0, 10**17).map(lambda micro: _EPOCH + dt.timedelta(microseconds=micro))


@given(early=_INSTANTS, later=st.integers(1_000, 10**12))
def test_ids_of_later_milliseconds_come_later(early: dt.datetime, later: int) -> None:
    for after in (1_000, later):
        late = early + dt.timedelta(microseconds=after)
        assert RandomIds().id_at(early) < RandomIds().id_at(late)


@given(at=_INSTANTS)
def test_ids_of_one_instant_have_the_usual_form_and_differ(at: dt.datetime) -> None:
    made = [RandomIds().id_at(at) for _ in range(50)]
    assert len(set(made)) == 50
    assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", one) for one in made)
    assert len({one[:9] for one in made}) == 1
