# SPDX-License-Identifier: Apache-2.0
"""Garbage is collected seldom while rows are made by the thousand: an eighth of an import's time else.

Rows hold no cycles, so they are freed as they are let go, and a collection only finds that all of them live.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_OBJECTS: Final = 200_000
"""New objects after which a collection looks for cycles; a block has some ten thousand."""
_lock = threading.Lock()
_usual: list[tuple[int, int, int]] = []


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Collect seldom within the block; as usual again when the last of several such blocks ends."""
    with _lock:
        _usual.append(gc.get_threshold() if not _usual else _usual[0])
        gc.set_threshold(_OBJECTS, *_usual[0][1:])
    try:
        yield
    finally:
        with _lock:
            usual = _usual.pop()
            if not _usual:
                gc.set_threshold(*usual)
