# SPDX-License-Identifier: Apache-2.0
"""A part that fell silent holds up one caller at a time; the others are told at once."""

import threading

import pytest

from storage.breaker import Breaker
from storage.engines import RecordsUnavailableError, WriteConflictError


def fail(breaker: Breaker) -> None:
    with pytest.raises(RecordsUnavailableError), breaker.asking():
        raise RecordsUnavailableError


def test_whoever_comes_next_asks_again_and_an_answer_ends_it() -> None:
    breaker = Breaker(RecordsUnavailableError)
    fail(breaker)
    fail(breaker)
    assert breaker.away
    with breaker.asking():
        pass
    assert not breaker.away


def test_while_one_asks_a_part_that_is_away_the_others_do_not_wait_for_it() -> None:
    breaker = Breaker(RecordsUnavailableError)
    fail(breaker)
    asks, answered = threading.Event(), threading.Event()

    def wait_long() -> None:
        with breaker.asking():
            asks.set()
            answered.wait()

    one = threading.Thread(target=wait_long)
    one.start()
    asks.wait()
    with pytest.raises(RecordsUnavailableError), breaker.asking():
        pytest.fail("asked beside the one that waits")
    answered.set()
    one.join()
    with breaker.asking(), breaker.asking():
        assert not breaker.away


def test_what_fails_later_counts_and_other_errors_do_not() -> None:
    breaker = Breaker(RecordsUnavailableError)
    with pytest.raises(WriteConflictError), breaker.asking():
        raise WriteConflictError
    assert not breaker.away
    with pytest.raises(RecordsUnavailableError), breaker.noticing():
        raise RecordsUnavailableError
    assert breaker.away
