# SPDX-License-Identifier: Apache-2.0
"""Garbage is collected seldom while an import writes, and as usual afterwards, whoever ends last."""

import gc
from contextlib import ExitStack, suppress

from portal.stock.garbage import collected_seldom


def test_what_was_usual_comes_back_when_the_last_of_several_imports_ends() -> None:
    usual = gc.get_threshold()
    first, second = ExitStack(), ExitStack()
    first.enter_context(collected_seldom())
    second.enter_context(collected_seldom())
    assert gc.get_threshold()[0] > usual[0]
    first.close()
    assert gc.get_threshold()[0] > usual[0]
    second.close()
    assert gc.get_threshold() == usual


def test_what_was_usual_comes_back_after_a_failure() -> None:
    usual = gc.get_threshold()
    with suppress(RuntimeError), collected_seldom():
        raise RuntimeError
    assert gc.get_threshold() == usual
